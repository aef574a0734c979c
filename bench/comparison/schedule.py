"""How long a run takes: told at its start, and again as it goes."""

import time

# Of a machine with nothing else to do, for each server and variant: its start and the checks of whom it lets in.
CHECK_S = 0.5


def words(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Schedule:
    """`shares`: for each variant in turn the seconds that it is expected to take."""

    def __init__(self, shares, clock=time.monotonic):
        self.shares = shares
        self.clock = clock
        self.began = clock()
        self.done = 0

    @classmethod
    def of(cls, wanted, servers_of, options):
        """`servers_of`: tells who takes part in a variant."""
        return cls([len(servers_of(variant)) * (CHECK_S + options.rounds * variant.expected_s(options))
                    for variant in wanted])

    def total(self):
        return sum(self.shares)

    def step(self):
        """One variant is done. What is left, as the machine has kept to it so far."""
        self.done += 1
        expected = sum(self.shares[:self.done])
        pace = (self.clock() - self.began) / expected if expected else 1
        return pace * sum(self.shares[self.done:])
