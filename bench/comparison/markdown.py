"""The tables, as Markdown."""


# What the servers do differently by themselves, and is part of what is measured.
TICKETS = (
    "Tickets: how many session tickets the server sent with one handshake of the kind, as `openssl s_client -msg` saw"
    " them before the samples. With a full handshake of TLS 1.3 Portcullis sends one; nginx, HAProxy, hitch and "
    "stunnel on OpenSSL send two, which is what a user of the package gets, nginx on BoringSSL two, and the floor "
    "two. What a ticket costs is in the figures. In `oneticket` everybody sends one, in `notickets` none, the floor "
    "too; nginx on BoringSSL cannot be told to send one and is left out of that. Clients seen before: Portcullis has "
    "their verified chain in memory, the others verify it each time; in `new` Portcullis verifies each client too, of"
    " its chain the issuer's part once.")


def number(value, digits):
    return f"{value:,.{digits}f}"


def range_of(spread, digits):
    """`median (least-most)`."""
    if spread is None:
        return ""
    if spread["n"] == 1:
        return number(spread["median"], digits)
    return (f"{number(spread['median'], digits)} ({number(spread['low'], digits)}–"
            f"{number(spread['high'], digits)})")


def median_of(spread, digits):
    return "" if spread is None else number(spread["median"], digits)


def table(variant, rows):
    head = ["server", variant.value, *(["CPU / floor"] if variant.over_floor else []), "× Portcullis",
            *(title for title, _, _ in variant.columns)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        name = row["server"] + (" *" if row["failed"] else "")
        cells = [name, range_of(row["value"], variant.digits)]
        if variant.over_floor:
            cells.append(range_of(row["floor"], 2))
        cells.append(range_of(row["times"], 2))
        cells += [median_of(row[key], digits) for _, key, digits in variant.columns]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def not_measured(rows):
    """A line for each sample that was lost."""
    return [f"{row['server']}, not measured {error}" for row in rows for error in row["errors"]]


def section(variant, rows, floor):
    """One variant: title, floor, table."""
    lines = [f"### {variant.title} (`{variant.name}`)", ""]
    if floor is not None:
        lines += [f"Floor beside it (`{variant.floor}`): {range_of(floor, 0)} us.", ""]
    lines += table(variant, rows)
    failed = [f"{row['server']} {row['failed']}" for row in rows if row["failed"]]
    if failed:
        lines += ["", f"\\* failed: {', '.join(failed)}"]
    for line in not_measured(rows):
        lines += ["", line]
    return lines + [""]


def about(facts):
    """Where and with what it was measured."""
    versions = "; ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return [f"`{facts['command']}`, {facts['date']}. Host: {facts['cpu']}, {facts['cores']} cores; kernel "
            f"{facts['kernel']}; commit {facts['commit']}. {versions}; OpenSSL of the system {facts['openssl']}.", "",
            f"One worker on core {facts['server_core']}, load generator and backend on core {facts['load_core']}"
            f"{', idle-class spinners on both' if facts['spinners'] else ''}"
            f"{', preferred to all else the machine does' if facts['preferred'] else ''}; {facts['rounds']} rounds of "
            f"{facts['seconds']:g} s, the servers in turn, in a random order each round (seed {facts['seed']}); "
            f"{facts['connections']} connections, {facts['idle']:,} where they are idle; tickets {facts['tickets']}. "
            "Median (least–most). CPU: user and system time of all the server's processes. Floor: the TLS library's "
            "share of the same handshake in memory, measured before and after each sample on the server's core. × "
            "Portcullis: CPU over floor (latency, memory: as it is) beside Portcullis's of the same round, http to "
            "http and tcp to tcp. Busy: CPU over time; below 0.95 the load or the machine was the limit, not the "
            "server. Memory: what all the server's processes grew by, for each of the connections; marginal: from a "
            "fifth of these to all, without what a server takes once.", "", TICKETS, ""]


def document(facts, sections):
    """All of it. `sections`: (variant, rows, floor) each."""
    lines = about(facts)
    for variant, rows, floor in sections:
        lines += section(variant, rows, floor)
    return "\n".join(lines).rstrip() + "\n"
