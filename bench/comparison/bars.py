"""Bars with whiskers as SVG: a panel for each variant."""

import math
from html import escape

LABEL, BAR, VALUE = 190, 620, 170
WIDTH = LABEL + BAR + VALUE
ROW, TITLE, AXIS, GAP = 24, 52, 24, 18
# A panel is as wide as so much of the largest median, if there are whiskers that long. One sample that went wrong would
# make slivers of all bars otherwise.
OVER_MEDIAN = 1.5
STYLE = """text{font:13px system-ui,sans-serif;fill:#1c2430}.t{font-weight:600;font-size:14px}
.u{font-size:12px;fill:#5b6675}
.o{fill:#1f6feb}.p{fill:#9aa4b2}.w{stroke:#1c2430;stroke-width:1.5}.g{stroke:#d5dae1}
@media(prefers-color-scheme:dark){text{fill:#e6e9ee}.u{fill:#9aa4b2}
.w{stroke:#e6e9ee}.p{fill:#6b7685}.g{stroke:#39424e}}"""


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ticks(most):
    """Round values from 0 to what `most` fits under, in at most six steps."""
    power = 10 ** math.floor(math.log10(most))
    step = next(power * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if math.ceil(most / (power * part)) <= 6)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def scale(spreads):
    """The ticks of a panel: all medians are within, and the whiskers that are not much longer."""
    median, high = (max(spread[key] for spread in spreads) for key in ("median", "high"))
    most = min(high, OVER_MEDIAN * median)
    return ticks(most if most > 0 else 1)


def axis(marks, unit, upper, lower):
    """A line for each tick, from `upper` to `lower`; their values and the unit below."""
    lines = []
    for mark in marks:
        x = f"{LABEL + mark / marks[-1] * BAR:.1f}"
        lines += [f'<path class="g" d="M{x} {upper}V{lower}"/>',
                  f'<text class="u" x="{x}" y="{lower + 14}" text-anchor="middle">{mark:,.10g}</text>']
    return [*lines, f'<text class="u" x="{LABEL + BAR + 36}" y="{lower + 14}">{escape(unit)}</text>']


def bar(spread, ours, y, most):
    """A bar to the median with its value beside, and a whisker. One that goes beyond `most` is cut: it has no end
    there, and its value is told."""
    length, low, high = (min(max(0, spread[key]) / most, 1) * BAR for key in ("median", "low", "high"))
    middle = y + ROW / 2 - 2
    is_cut = spread["high"] > most
    value = short(spread["median"]) + (f", up to {short(spread['high'])}" if is_cut else "")
    lines = [f'<rect class="{"o" if ours else "p"}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{ROW - 6}"/>',
             f'<text x="{LABEL + high + 8:.1f}" y="{middle + 4:.1f}">{value}</text>']
    if spread["n"] > 1:
        end = "" if is_cut else f"M{LABEL + high:.1f} {middle - 4:.1f}v8"
        lines.append(f'<path class="w" fill="none" d="M{LABEL + low:.1f} {middle:.1f}H{LABEL + high:.1f}'
                     f'M{LABEL + low:.1f} {middle - 4:.1f}v8{end}"/>')
    return lines


def panel(title, unit, rows, top):
    """Lines of one panel whose upper edge is at `top`. `rows`: (label, spread, ours)."""
    marks = scale([spread for _, spread, _ in rows])
    bottom = top + TITLE + len(rows) * ROW
    lines = [f'<text class="t" x="0" y="{top + 18}">{escape(title)}</text>',
             f'<text class="u" x="{LABEL}" y="{top + 38}">{escape(unit)}: median, least and most; '
             'less is better</text>',
             *axis(marks, unit, top + TITLE - 4, bottom)]
    for number, (label, spread, ours) in enumerate(rows):
        y = top + TITLE + number * ROW
        lines += [f'<text x="{LABEL - 8}" y="{y + ROW / 2 + 2:.1f}" text-anchor="end">{escape(label)}</text>',
                  *bar(spread, ours, y, marks[-1])]
    return lines, bottom + AXIS + GAP


def figure(sections):
    """One SVG of all variants: their CPU over floor where they have that, else their value."""
    lines, top = [], 0
    for variant, rows, _ in sections:
        key, unit = ("floor", "CPU over floor") if variant.over_floor else ("value", variant.value)
        bars = [(row["server"], row[key], row["server"].startswith("portcullis")) for row in rows if row[key]]
        if not bars:
            continue
        more, top = panel(variant.title, unit, bars, top)
        lines += more
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {max(top, 1)}" width="{WIDTH}">',
                      f"<style>{STYLE}</style>", *lines, "</svg>"]) + "\n"
