"""One dimension after the other: terminators that differ in nothing else, side by side."""

import contextlib
import random
import statistics
import sys

from comparison.summary import spread
from scaling.subject import KINDS, Size, Terminator

WARM_UP = 200


class Axis:
    """`name` is that of a dimension in Size; `points`: its values, the first what the others are compared with."""

    def __init__(self, name, title, points):
        self.name = name
        self.title = title
        self.points = points


ALL = [
    Axis("connections", "idle connections beside", (10, 100, 1_000, 5_000, 15_000)),
    Axis("cas", "CAs", (1, 100, 10_000)),
    Axis("hosts", "virtual hosts", (1, 100, 10_000)),
    Axis("revoked", "entries of the CRL", (0, 1_000, 1_000_000)),
]


def measure(axis, folder, target, options):
    """A row for each point. The terminators of all points run at once and take turns, in a random order each round."""
    order = random.Random(options.seed)
    with contextlib.ExitStack() as running:
        terminators = {}
        for point in axis.points:
            it = Terminator(folder, f"{axis.name}-{point}", Size(**{axis.name: point}), target, options.build)
            terminators[point] = it
            running.callback(it.stop)
            for kind in KINDS:
                it.drive(kind, WARM_UP)
        samples = {kind: [] for kind in KINDS}
        for number in range(options.rounds):
            for kind in KINDS:
                turns = list(axis.points)
                order.shuffle(turns)
                samples[kind].append({point: terminators[point].drive(kind, options.handshakes) for point in turns})
            print(f"{axis.title}: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for it in terminators.values():
            it.check_held()
        states = {point: (it.load_seconds, it.rss(), len(it.driven)) for point, it in terminators.items()}
        return rows_of(axis.points, samples, states)


def rows_of(points, samples, states):
    """`samples`: for each kind of client a dictionary by point for each round; `states`: by point, (seconds to load,
    MiB, how many hosts were asked for)."""
    rows = []
    for point in points:
        row = {"point": point, "load_s": states[point][0], "rss_mib": states[point][1], "driven": states[point][2]}
        for kind, rounds in samples.items():
            row[kind] = spread([one[point] for one in rounds])
            row[f"{kind}_times"] = statistics.median(one[point] / one[points[0]] for one in rounds)
        rows.append(row)
    return rows


def table(axis, rows):
    """As Markdown."""
    lines = [f"| {axis.title} | seen before, us | × first | never seen, us | × first | loaded in s | MiB | hosts asked "
             "for |", "|" + "---|" * 8]
    for row in rows:
        cells = [f"{row['point']:,}"]
        for kind in KINDS:
            each = row[kind]
            cells += [f"{each['median']:.0f} ({each['low']:.0f}–{each['high']:.0f})", f"{row[kind + '_times']:.2f}"]
        lines.append("| " + " | ".join([*cells, f"{row['load_s']:.2f}", f"{row['rss_mib']:.0f}",
                                        f"{row['driven']:,}"]) + " |")
    return lines
