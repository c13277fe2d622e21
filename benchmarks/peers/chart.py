"""Charts as SVG, written by hand: no browser, no library, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _COLUMNS = 960, 2
_PANEL, _LABELS, _VALUES = _WIDTH // _COLUMNS, 160, 74
_ROW, _HEAD, _FOOT = 19, 40, 14
# The picture brings its own ground, so that it can be read wherever it is shown.
_STYLE = """
  .ground { fill: #ffffff } text { fill: #1f2328; font: 12px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 13px } .value { fill: #57606a }
  .peer { fill: #afb8c1 } .own { fill: #0b7a75 } .floor { fill: #e3e6ea }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #161b22 } text { fill: #e6edf3 } .value { fill: #9da7b1 }
    .peer { fill: #57606a } .own { fill: #2fb8ac } .floor { fill: #363d46 }
  }
"""


def panels(
    title: str, rates: Mapping[str, Sequence[tuple[str, float, str]]], unit: str = "requests/s"
) -> str:
    """Draw one panel of bars per scenario.

    :param rates: title of a panel → who, how many, and the class of the bar: ``own``, ``peer``
        or ``floor``.
    """
    tallest = max(len(rows) for rows in rates.values())
    height_of_panel = _HEAD + tallest * _ROW + _FOOT
    lines = -(-len(rates) // _COLUMNS)
    width = _PANEL * min(_COLUMNS, len(rates))
    height = lines * height_of_panel
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"',
        f'height="{height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}" rx="6"/>',
    ]
    for number, (name, rows) in enumerate(rates.items()):
        left, top = number % _COLUMNS * _PANEL, number // _COLUMNS * height_of_panel
        drawn += _panel(left, top, f"{name}, {unit}", rows)
    return "\n".join([*drawn, "</svg>", ""])


def _panel(left: int, top: int, title: str, rows: Sequence[tuple[str, float, str]]) -> list[str]:
    drawn = [f'<text class="title" x="{left + 16}" y="{top + 26}">{escape(title)}</text>']
    most = max((value for _, value, _ in rows), default=1) or 1
    room = _PANEL - _LABELS - _VALUES
    for number, (name, value, kind) in enumerate(sorted(rows, key=lambda row: -row[1])):
        y = top + _HEAD + number * _ROW
        length = max(1.0, value / most * room)
        end = left + _LABELS + length + 5
        drawn += [
            f'<text x="{left + _LABELS - 6}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{left + _LABELS}" y="{y}" width="{length:.1f}" height="15"/>',
            f'<text class="value" x="{end:.1f}" y="{y + 12}">{value:,.0f}</text>',
        ]
    return drawn
