"""Lines with whiskers as SVG: a panel for each axis, a line for each kind of client. Points stand at equal distances,
for one of them may be 0."""

from html import escape

from comparison import bars
from scaling.subject import KINDS

LEFT, RIGHT, WIDTH, HEIGHT = 60, 190, 620, 200
FOOT = 64
LEAST_APART = 18  # labels at the ends of two lines
COLOURS = {"seen": "#1f6feb", "new": "#d1742f"}
LABELS = {"seen": "seen before", "new": "never seen before"}
STYLE = bars.STYLE + "".join(f".{kind}{{stroke:{colour};fill:none;stroke-width:2}}"
                             for kind, colour in COLOURS.items())


def ends(rows, place):
    """Where the label of each kind's line stands: at its end, or so far from there that no two overlap."""
    last = len(rows) - 1
    spots = sorted((place(last, rows[last][kind]["median"])[1], kind) for kind in KINDS)
    found, lowest = {}, None
    for y, kind in spots:
        found[kind] = y if lowest is None else max(y, lowest + LEAST_APART)
        lowest = found[kind]
    return found


def line(rows, kind, place, label_y):
    """The elements of one line. `place`: where (point's number, value) is."""
    spots = [place(number, row[kind]["median"]) for number, row in enumerate(rows)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    for number, row in enumerate(rows):
        (x, low), (_, high) = place(number, row[kind]["low"]), place(number, row[kind]["high"])
        path += f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}h8M{x - 4:.1f} {high:.1f}h8"
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[kind]}"/>' for x, y in spots]
    return [f'<path class="{kind}" d="{path}"/>', *dots,
            f'<text x="{spots[-1][0] + 14:.1f}" y="{label_y + 4:.1f}">'
            f'{bars.short(rows[-1][kind]["median"])} us, {LABELS[kind]}</text>']


def panel(axis, rows, top):
    """The elements of one axis whose upper edge is at `top`, and its lower edge."""
    upper, lower = top + bars.TITLE, top + bars.TITLE + HEIGHT
    marks = bars.ticks(max(row[kind]["high"] for row in rows for kind in KINDS) or 1)
    step = (WIDTH - 40) / max(len(rows) - 1, 1)

    def place(number, value):
        return LEFT + 20 + number * step, lower - value / marks[-1] * HEIGHT

    elements = [f'<text class="t" x="0" y="{top + 18}">A handshake by {escape(axis.title)}</text>',
                f'<text class="u" x="0" y="{top + 38}">the server\'s CPU, us; median, least and most</text>',
                f'<text class="u" x="{LEFT + WIDTH / 2}" y="{lower + 40}" text-anchor="middle">'
                f'{escape(axis.title)}</text>']
    for mark in marks:
        y = place(0, mark)[1]
        elements += [f'<path class="g" d="M{LEFT} {y:.1f}H{LEFT + WIDTH}"/>',
                     f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{mark:,.0f}</text>']
    for number, row in enumerate(rows):
        elements.append(f'<text x="{place(number, 0)[0]:.1f}" y="{lower + 20}" text-anchor="middle">'
                        f'{row["point"]:,}</text>')
    labels = ends(rows, place)
    for kind in KINDS:
        elements += line(rows, kind, place, labels[kind])
    return elements, lower + FOOT


def figure(sections):
    """One SVG of all axes. `sections`: (axis, rows) each."""
    elements, top = [], 0
    for axis, rows in sections:
        more, top = panel(axis, rows, top)
        elements += more
    width = LEFT + WIDTH + RIGHT
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {max(top, 1)}" '
                      f'width="{width}">', f"<style>{STYLE}</style>", *elements, "</svg>"]) + "\n"
