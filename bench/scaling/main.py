"""The command: options, and which of the three measurements."""

import argparse
import contextlib
import tempfile
from pathlib import Path

from comparison.load import raise_descriptor_limit
from local import ROOT, host_line, need_built

from scaling import axes, material, plot, sides, workers
from scaling.subject import Size, Terminator, backend, make_hosts


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/scale", description="Measures what the number of CAs, revoked "
                                     "certificates, virtual hosts, connections and workers costs a handshake.")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", metavar="DIR", help="(build/release)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(%(default)s)")
    parser.add_argument("--handshakes", type=int, default=5000, metavar="N", help="of each kind, a round and side or "
                        "point (%(default)s)")
    parser.add_argument("--cas", type=int, default=10_000, metavar="N", help="of the large side (%(default)s)")
    parser.add_argument("--revoked", type=int, default=1_000_000, metavar="N", help="likewise (%(default)s)")
    parser.add_argument("--hosts", type=int, default=10_000, metavar="N", help="likewise (%(default)s)")
    parser.add_argument("--axes", nargs="*", choices=[axis.name for axis in axes.ALL], metavar="AXIS",
                        help=f"one dimension at a time instead ({' '.join(axis.name for axis in axes.ALL)}; all)")
    parser.add_argument("--workers", nargs="*", type=int, metavar="N", help="terminators that differ in the number of "
                        "their workers instead (1 2)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="with --axes: for scale.md and scale.svg "
                        "(build/scale)", default=ROOT / "build/scale")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of points (%(default)s)")
    options = parser.parse_args(arguments)
    if options.axes is not None and options.workers is not None:
        parser.error("one of --axes and --workers")
    if options.workers == []:
        options.workers = [1, 2]
    if options.workers and min(options.workers) < 1:
        parser.error("--workers: one at least")
    return options


def both_sides(folder, options):
    material.make_files(folder, [options.cas], [options.revoked])
    make_hosts(folder, options.hosts)
    sizes = {"small": Size(), "large": Size(options.cas, options.revoked, options.hosts)}
    with contextlib.ExitStack() as running:
        target = running.enter_context(backend(folder, options.build))
        terminators = {}
        for side in sides.SIDES:
            terminators[side] = Terminator(folder, side, sizes[side], target, options.build)
            running.callback(terminators[side].stop)
        sides.measure(terminators, options.rounds, options.handshakes)


def by_axes(folder, options):
    wanted = [axis for axis in axes.ALL if not options.axes or axis.name in options.axes]
    points = {axis.name: [point for point in axis.points if point > 1] for axis in wanted}
    material.make_files(folder, points.get("cas", ()), points.get("revoked", ()))
    make_hosts(folder, max(points.get("hosts", [1])))
    options.out.mkdir(parents=True, exist_ok=True)
    sections = []
    with backend(folder, options.build) as target:
        for axis in wanted:
            sections.append((axis, axes.measure(axis, folder, target, options)))
            save(options, sections)  # what there is, should the rest be cut short
            print("\n".join(axes.table(*sections[-1])) + "\n", flush=True)


def by_workers(folder, options):
    material.make_files(folder, (), ())
    make_hosts(folder, 1)
    with backend(folder, options.build) as target:
        cores, rounds = workers.measure(folder, target, options)
    print(f"{options.rounds} rounds of {options.handshakes} handshakes, order by seed {options.seed}; servers on cores "
          f"{cores.server}, load on {cores.load}\n")
    for kind, figures in rounds.items():
        print("\n".join(workers.table(kind, options.workers, figures)) + "\n", flush=True)


def save(options, sections):
    lines = [host_line() + f"; {options.rounds} rounds of {options.handshakes} handshakes, order by seed "
             f"{options.seed}", ""]
    for axis, rows in sections:
        lines += [*axes.table(axis, rows), ""]
    (options.out / "scale.md").write_text("\n".join([*lines, "![lines](scale.svg)", ""]))
    (options.out / "scale.svg").write_text(plot.figure(sections))


def main(arguments):
    options = parse(arguments)
    need_built(*(options.build / name for name in ("portcullis", "portcullis-loadgen",
                                                   *(["bench/floor_bench"] if options.workers else []))))
    raise_descriptor_limit()
    print(host_line() + "\n")
    with tempfile.TemporaryDirectory() as name:
        measure = by_workers if options.workers else both_sides if options.axes is None else by_axes
        measure(Path(name), options)
