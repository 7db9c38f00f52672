"""What no log of a measuring tool can know, and whoever ran it has to say."""

from __future__ import annotations

from dataclasses import dataclass

from certifier.measure.activity import Stage


@dataclass(frozen=True)
class Purpose:
    """What a run was for."""

    id: str
    stage: Stage
    model: str
    idle: bool = False
