"""What samples come to: medians with their range, and what a server costs beside Portcullis."""

import statistics


def spread(values):
    """Median, least and most; None of no values."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "n": len(values)}


def reference(kind, servers):
    """The Portcullis that a server of this kind is compared with; None when none was measured."""
    ours = [name for name in servers if name.startswith("portcullis")]
    return next((name for name in ours if name.endswith(kind)), ours[0] if ours else None)


def measured(samples):
    return [sample for sample in samples if "error" not in sample]


def lost(sample):
    """Which sample it is that went wrong, and how."""
    when = "at all" if sample["round"] is None else f"in round {sample['round'] + 1}"
    return f"{when}: {sample['error']}"


def level(sample, variant):
    """A sample's cost in what differs least between phases of the machine."""
    return sample["value"] / sample["floor_us"] if variant.on_floor else sample["value"]


def times_ours(samples, variant, server, ours):
    """Per round, the server's cost as a multiple of Portcullis's in the same round."""
    by_round = {(sample["server"], sample["round"]): level(sample, variant) for sample in samples}
    rounds = sorted({round_number for _, round_number in by_round})
    pairs = [(by_round.get((server, number)), by_round.get((ours, number))) for number in rounds]
    return [theirs / base for theirs, base in pairs if theirs is not None and base]


def summarise(samples, variant, kinds):
    """Rows of one variant's samples, in the order of `kinds` (server's name -> tcp or http).

    Each is a dictionary: `server`, how many `failed`, the `errors` of lost samples, and spreads of `value`, `floor`
    (the value as a multiple of it), `times` (of what Portcullis costs), and what the columns show.
    """
    rows = []
    for server, kind in kinds.items():
        of_server = [sample for sample in samples if sample["server"] == server]
        own = measured(of_server)
        errors = [lost(sample) for sample in of_server if "error" in sample]
        if not of_server:
            continue
        ours = reference(kind, kinds)
        over_floor = [sample["value"] / sample["floor_us"] for sample in own] if variant.over_floor else []
        row = {"server": server, "value": spread([sample["value"] for sample in own]), "floor": spread(over_floor),
               "times": spread(times_ours(measured(samples), variant, server, ours)) if ours else None,
               "failed": sum(sample.get("failed", 0) for sample in own), "errors": errors}
        for _, key, _ in variant.columns:
            row[key] = spread([sample.get(key) for sample in own])
        rows.append(row)
    return rows


def floor_spread(samples):
    return spread([sample["floor_us"] for sample in measured(samples)])
