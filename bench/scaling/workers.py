"""Terminators with one worker and with several, side by side: what a handshake costs when several share the machine."""

import contextlib
import os
import random
import statistics
import sys

from comparison.summary import spread
from local import floor_us

from scaling.subject import Cores, Size, Terminator

FLOORS = {"seen": "Full/p256_tls13", "resumed": "Resumed/p256_tls13"}
TITLES = {"seen": "full handshakes, P-256, clients seen before", "resumed": "resumptions, P-256"}
WARM_UP = 500


def cores_for(most, there):
    """Every terminator gets the cores that the one with most workers needs, the load the others, where there are any:
    else all share all, and what is done in a second is the generator's as much as the server's."""
    servers = min(most, there)
    first_of_load = servers if servers < there else 0
    return Cores(",".join(map(str, range(servers))), ",".join(map(str, range(first_of_load, there))))


def measure(folder, target, options):
    """For each kind of client a dictionary for each round: the floor, and by number of workers what was measured."""
    order = random.Random(options.seed)
    cores = cores_for(max(options.workers), os.cpu_count())
    rounds = {kind: [] for kind in FLOORS}
    with contextlib.ExitStack() as running:
        terminators = {}
        for count in options.workers:
            it = Terminator(folder, f"workers-{count}", Size(workers=count), target, options.build, cores)
            terminators[count] = it
            running.callback(it.stop)
            for kind in FLOORS:
                it.measure(kind, WARM_UP)
        for number in range(options.rounds):
            for kind, case in FLOORS.items():
                turns = list(options.workers)
                order.shuffle(turns)
                before = floor_us(options.build, 0, case)
                by_count = {count: terminators[count].measure(kind, options.handshakes) for count in turns}
                rounds[kind].append({"floor": (before + floor_us(options.build, 0, case)) / 2, **by_count})
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    return cores, rounds


def table(kind, counts, rounds):
    """As Markdown. `rounds`: of this kind of client."""
    floor = statistics.median(one["floor"] for one in rounds)
    lines = [f"{TITLES[kind]}; floor (`{FLOORS[kind]}`) {floor:.0f} us", "",
             f"| workers | CPU us | CPU / floor | × {counts[0]} | handshakes/s |", "|" + "---|" * 5]
    for count in counts:
        cpu = spread([one[count]["cpu_us"] for one in rounds])
        over = spread([one[count]["cpu_us"] / one["floor"] for one in rounds])
        times = spread([one[count]["cpu_us"] / one[counts[0]]["cpu_us"] for one in rounds])
        rate = spread([one[count]["per_second"] for one in rounds])
        lines.append(f"| {count} | {ranged(cpu, 0)} | {ranged(over, 2)} | {ranged(times, 2)} | {ranged(rate, 0)} |")
    return lines


def ranged(of, digits):
    return f"{of['median']:,.{digits}f} ({of['low']:,.{digits}f}–{of['high']:,.{digits}f})"
