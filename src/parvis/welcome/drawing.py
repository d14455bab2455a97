"""Plots drawn by the server as SVG: they print, they need no script, and a table beside them says the same.

Colours and strokes are classes of welcome.css. Time runs along the reading direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, FOOT, HEAD = 720, 200, 26, 16
MOST_LABELS = 9


@dataclass(frozen=True)
class Bar:
    """One place along the axis: its label, and stacked figures as (class, count); None: hidden."""

    label: str
    figures: Sequence[tuple[str, int | None]]


_LINE = '<path class="plot-line" d="M0 {0}H{1}"/><text class="plot-scale" x="-6" y="{0}">{2}</text>'


def bars(bars_: Sequence[Bar], title: str, *, rtl: bool = False) -> SafeString:
    """Stacked bars with three lines of the scale. A hidden figure is hatched, of no size that could be read."""
    most = nice(max((sum(count or 0 for _, count in bar.figures) for bar in bars_), default=0))
    room, wide = HEIGHT - FOOT - HEAD, WIDTH / max(1, len(bars_))
    drawn, labels = [], []
    every = -(-len(bars_) // MOST_LABELS) if bars_ else 1
    for place, bar in enumerate(bars_):
        x = wide * (len(bars_) - 1 - place if rtl else place)
        y = float(HEIGHT - FOOT)
        for kind, count in bar.figures:
            high = 6.0 if count is None else room * count / most
            if not high:
                continue
            y -= high
            kind = "plot-hidden" if count is None else kind
            drawn.append((kind, _n(x + wide * 0.12), _n(y), _n(wide * 0.76), _n(high)))
        if place % every == 0:
            labels.append((_n(x + wide / 2), HEIGHT - 8, bar.label))
    scale = [(_n(HEIGHT - FOOT - room * part / 2), WIDTH, most * part // 2) for part in (0, 1, 2)]
    return format_html(
        '<svg class="plot" viewBox="-44 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
        WIDTH + 44, HEIGHT, title,
        format_html_join("", _LINE, scale),
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', drawn),
        format_html_join("", '<text class="plot-label" x="{}" y="{}">{}</text>', labels),
    )  # fmt: skip


def _n(number: float) -> str:
    """A coordinate with a point, whatever the language writes."""
    return f"{number:.1f}"


def nice(most: int) -> int:
    """The top of a scale: an even round number that is not below `most`."""
    size = 2
    while size < most:
        for factor in (1, 2, 5):
            if size * factor >= most:
                return size * factor
        size *= 10
    return size
