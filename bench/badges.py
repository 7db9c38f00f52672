"""The badge kit: how long a drawing takes that nobody asked for before, and how fast page and badge are read when they are warm.

Letters are outlined once for a process; a drawing is cold when its face was never drawn, as for each new certificate.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

from bench.service import post, read, serving
from certifier.badge.drawing import Drawing
from certifier.badge.label import label
from certifier.badge.png import render_png
from certifier.badge.shield import shield
from certifier.badge.square import square
from certifier.badge.svg import render_svg
from scripts.remake_goldens import CLASS_1

TIMES = 40
FORMATS: dict[str, Callable[..., Drawing]] = {"shield": shield, "square": square, "label": label}
READ = {"the listener's page": "", "the badge, live": ".svg", "the badge for print": "/badge/label.svg?art=print"}


def drawn_ms() -> Iterator[tuple[str, float, float]]:
    """Format, and milliseconds for a cold SVG and a cold PNG at scale 2."""
    for name, drawing_of in FORMATS.items():
        yield (
            name,
            _ms(lambda face, draw=drawing_of: render_svg(draw(face))),
            _ms(lambda face, draw=drawing_of: render_png(draw(face), 2)),
        )


def _ms(render: Callable[..., object]) -> float:
    numbers = count(1000)
    render(CLASS_1)  # the font is opened once
    taken = []
    for _ in range(TIMES):
        number = next(numbers)
        face = replace(CLASS_1, code=f"7K3Q{number:04}XA", assessed=f"{number / 100:.2f}")
        began = time.perf_counter()
        render(face)
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def reads_per_s() -> dict[str, float]:
    """GETs a second of one certificate's page and badges, from one worker on one core."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as port:
        page = post(port).removesuffix(".vc")
        return {name: read(port, page + suffix).gets_per_s for name, suffix in READ.items()}
