"""Bars with whiskers as SVG: a panel for each variant."""

from html import escape

LABEL, BAR, VALUE = 190, 620, 110
WIDTH = LABEL + BAR + VALUE
ROW, TITLE, GAP = 24, 52, 18
STYLE = """text{font:13px system-ui,sans-serif;fill:#1c2430}.t{font-weight:600;font-size:14px}
.u{font-size:12px;fill:#5b6675}
.o{fill:#1f6feb}.p{fill:#9aa4b2}.w{stroke:#1c2430;stroke-width:1.5}.g{stroke:#d5dae1}
@media(prefers-color-scheme:dark){text{fill:#e6e9ee}.u{fill:#9aa4b2}
.w{stroke:#e6e9ee}.p{fill:#6b7685}.g{stroke:#39424e}}"""


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def panel(title, unit, rows, top):
    """Lines of one panel whose upper edge is at `top`. `rows`: (label, spread, ours)."""
    most = max(spread["high"] for _, spread, _ in rows) or 1
    lines = [f'<text class="t" x="0" y="{top + 18}">{escape(title)}</text>',
             f'<text class="u" x="{LABEL}" y="{top + 38}">{escape(unit)}</text>']
    for number, (label, spread, ours) in enumerate(rows):
        y = top + TITLE + number * ROW
        length, low, high = (max(0, spread[key]) / most * BAR for key in ("median", "low", "high"))
        middle = y + ROW / 2 - 2
        lines += [
            f'<text x="{LABEL - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="{"o" if ours else "p"}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{ROW - 6}"/>',
            f'<text x="{LABEL + high + 8:.1f}" y="{middle + 4:.1f}">{short(spread["median"])}</text>']
        if spread["n"] > 1:
            lines += [f'<path class="w" fill="none" d="M{LABEL + low:.1f} {middle:.1f}H{LABEL + high:.1f}'
                      f'M{LABEL + low:.1f} {middle - 4:.1f}v8M{LABEL + high:.1f} {middle - 4:.1f}v8"/>']
    bottom = top + TITLE + len(rows) * ROW
    lines.append(f'<path class="g" d="M{LABEL} {top + TITLE - 4}V{bottom}"/>')
    return lines, bottom + GAP


def figure(sections):
    """One SVG of all variants: their CPU over floor where they have that, else their value."""
    lines, top = [], 0
    for variant, rows, _ in sections:
        key, unit = ("floor", "CPU over floor") if variant.over_floor else ("value", variant.value)
        bars = [(row["server"], row[key], row["server"].startswith("portcullis")) for row in rows if row[key]]
        if not bars:
            continue
        more, top = panel(variant.title, f"{unit} (less is better)", bars, top)
        lines += more
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {max(top, 1)}" width="{WIDTH}">',
                      f"<style>{STYLE}</style>", *lines, "</svg>"]) + "\n"
