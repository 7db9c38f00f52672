"""``python -m examples.studio --out DIR``: make a track, measure it, and say what it took."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from certifier.errors import CertifierError
from examples.studio.settings import settings_from
from examples.studio.studio import Progress, Session, run_studio

BAR_CHARACTERS = 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.studio", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for track.wav, emissions.csv and session.json")
    parser.add_argument("--seed", type=int, default=1, help="another number, another piece")
    wishes = parser.parse_args()
    try:
        session = run_studio(wishes.out, _show, wishes.seed, settings_from(os.environ))
    except CertifierError as error:
        print(f"\n{error.message}: {error.found or ''}\n{error.hint or error.expected or ''}", file=sys.stderr)
        return 1
    _show_result(session)
    return 0


def _show(progress: Progress) -> None:
    bar = ("█" * round(progress.fraction * BAR_CHARACTERS)).ljust(BAR_CHARACTERS, "·")
    end = "\n" if progress.fraction >= 1 else ""
    print(f"\r{progress.activity:<12}{bar} {progress.energy_kwh * 1000:7.3f} Wh before", end=end, flush=True)


def _show_result(session: Session) -> None:
    for activity in session.document["activities"]:
        print(f"{activity['id']:<12}{activity['duration_s']:>8.8} s {activity['energy_kwh']:>12.12} kWh")
    print(f"kept take {session.document['kept_take']}: {session.track}")


if __name__ == "__main__":
    sys.exit(main())
