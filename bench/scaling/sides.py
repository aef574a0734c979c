"""All dimensions at once: a large terminator beside a small one."""

import statistics

from scaling.subject import KINDS

SIDES = ("small", "large")


def measure(terminators, rounds, handshakes):
    """Prints the table. `terminators`: by side."""
    print("| round | clients | small us | large us | large / small |\n|---|---|---|---|---|")
    figures = {kind: [] for kind in KINDS}
    for kind in figures:
        for side in SIDES:
            terminators[side].drive(kind, 200)
    for number in range(rounds):
        for kind, pairs in figures.items():
            order = SIDES if number % 2 == 0 else SIDES[::-1]
            cpu = {side: terminators[side].drive(kind, handshakes) for side in order}
            pairs.append([cpu[side] for side in SIDES])
            print(f"| {number + 1} | {kind} | {cpu['small']:.0f} | {cpu['large']:.0f} | "
                  f"{cpu['large'] / cpu['small']:.3f} |", flush=True)
    for kind, pairs in figures.items():
        small, large = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(large / small for small, large in pairs)
        print(f"| median | {kind} | {small:.0f} | {large:.0f} | {ratio:.3f} |")
    for side, it in terminators.items():
        print(f"{side}: loaded in {it.load_seconds:.2f} s ({it.load_cpu_seconds:.2f} s of CPU), "
              f"{it.rss_at_start:.0f} MiB then, {it.rss():.0f} MiB at the end; {len(it.driven):,} of "
              f"{it.size.hosts:,} hosts were asked for")
