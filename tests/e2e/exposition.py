"""The Prometheus text exposition, read back: values by name and labels, and what moved between two readings."""

import re

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = _SAMPLE.match(line).groups()
                self.samples[name, frozenset(_LABEL.findall(labels or ""))] = float(value)

    def select(self, name, **labels):
        """{labels: value} of the series of `name` with at least these labels."""
        wanted = set(labels.items())
        return {dict_of(key): value for (series, key), value in self.samples.items()
                if series == name and wanted <= key}

    def sum(self, name, **labels):
        return sum(self.select(name, **labels).values())

    def moved(self, before, prefix="portcullis_"):
        """{(name, labels): delta} of every series under `prefix` which changed since `before`."""
        deltas = {}
        for key, value in self.samples.items():
            if key[0].startswith(prefix) and (delta := value - before.samples.get(key, 0)):
                deltas[key] = delta
        return deltas


def dict_of(labels):
    """A hashable, readable form of a label set."""
    return tuple(sorted(labels))
