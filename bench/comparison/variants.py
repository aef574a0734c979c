"""What is measured, and what one sample of it is. Every value is a cost: less is better."""

import collections
import subprocess
import time

from local import Fault, wait_for

from comparison import process, terminator
from comparison.load import pair

MEGABYTE = 1e6
BULK_BYTES = 64 << 20
# New clients are made before the load starts, enough for any server on one core.
MOST_PER_SECOND = 6000
WARM_UP_S = 0.25
# Of which an open loop may have all at work.
OPEN_CONNECTIONS = 1024
# What a sample takes beside its load, on a machine with nothing else to do: floor_bench by key, and starting things.
FLOOR_TAKES_S = {"p256": 0.8, "rsa2048": 1.0, "rsa4096": 1.6}
START_TAKES_S = 0.15


class Variant:
    """`name` for the command line; `value`: what the first figure is; `columns`: what else a table shows, as (title,
    key of the sample, digits); `floor`: case of floor_bench; `over_floor`: whether the value is told as multiple of it.
    """

    value = ""
    digits = 0
    columns = ()
    over_floor = False
    on_floor = True  # compared as multiples of the floor; what is not CPU is compared as it is
    restarts = False  # each sample needs a fresh server
    beside = None  # kind of the server key of a second listener; only our own servers have one
    tickets = None  # whether they are issued; None: as the command line says
    one_ticket = False  # from everybody who can be told so; else as many as each sends by itself
    more_servers = ()  # that take part in this variant alone
    second_floor = None  # a further case of floor_bench; samples get `over_second`, the value as multiple of it
    windows = 1  # how many times options.seconds a sample loads its server for
    more_s = 0  # what else it takes, in seconds

    def __init__(self, name, title, key="p256", floor="Full/p256_tls13", arguments=()):
        self.name = name
        self.title = title
        self.key = key
        self.floor = floor
        self.arguments = arguments

    def sample(self, server, load, pki, options):
        """A dictionary with `value`, and what the columns need."""
        raise NotImplementedError

    def expected_s(self, options):
        """About how many seconds a sample takes. One floor is measured for each: between two, it is that of both."""
        floors = int(self.on_floor) + int(self.second_floor is not None)
        return self.windows * options.seconds + self.more_s + START_TAKES_S + floors * FLOOR_TAKES_S[self.key]


def spend(server, load, *arguments):
    """Runs a load; its result and the CPU that the server's processes took meanwhile, in seconds."""
    tree = server.tree()
    before = tree.cpu_seconds()
    result = load.run(server.port, *arguments)
    return result, tree.cpu_seconds() - before


def figures(result, cpu_s):
    """What a table shows of any load."""
    latency = result["latency_us"]
    return {"per_second": result["per_second"], "busy": cpu_s / result["seconds"] if result["seconds"] else 0,
            "failed": result["failed"], "failures": result["failures"], "own_cpu_us": result["own_cpu_us"],
            **{name: latency[name] / 1e3 for name in ("p50", "p90", "p99", "p99.9", "max")}}


def done(server, result, unit):
    """How many units there were; none at all is a fault."""
    if not result[unit]:
        raise Fault(f"{server.name}: no {unit} at all: {result['failures']}")
    return result[unit]


class Handshakes(Variant):
    """One connection after the other, each with one GET."""

    value = "CPU us"
    columns = (("handshakes/s", "per_second", 0), ("p50 ms", "p50", 1), ("p99 ms", "p99", 1), ("busy", "busy", 2),
               ("generator's CPU us", "own_cpu_us", 0), ("tickets", "tickets", 0))
    over_floor = True
    resumes = False
    more_s = WARM_UP_S

    def clients(self, pki, seconds):
        """The arguments that say who comes, and how many they are; None: one who comes again and again."""
        return pair(pki), None

    def sample(self, server, load, pki, options):
        spend(server, load, *pair(pki), *self.arguments, "--duration", min(WARM_UP_S, options.seconds))
        clients, most = self.clients(pki, options.seconds)
        result, cpu_s = spend(server, load, *clients, *self.arguments, "--connections", options.connections,
                              "--duration", options.seconds)
        count = done(server, result, "handshakes")
        if most is not None and count > most:
            raise Fault(f"{server.name}: {count} handshakes, more than the {most} new clients")
        # The first connections have no ticket to offer yet.
        resumed_wanted = count - 3 * options.connections if self.resumes else 0
        if result["resumed"] < 0.95 * resumed_wanted or (result["resumed"] and not self.resumes):
            raise Fault(f"{server.name}: {result['resumed']} of {count} handshakes were resumptions")
        return {"value": cpu_s * 1e6 / count, "handshakes": count, "resumed": result["resumed"],
                **figures(result, cpu_s)}


class Resumed(Handshakes):
    """The second floor is that of a server which keeps no X.509 objects in its sessions."""

    resumes = True
    tickets = True
    second_floor = "Resumed/p256_tls13_buffers"
    columns = (("CPU / floor without X.509 objects", "over_second", 2), *Handshakes.columns)


class WithoutTickets(Handshakes):
    """The peers on OpenSSL spend about a quarter of a handshake on tickets that hold the client's chain. Their own
    switches are not enough: nginx and HAProxy with tickets off still send two of TLS 1.3's, of sessions they keep."""

    tickets = False


class OneTicket(Handshakes):
    """The peers send two by themselves, we send one: here all do the same."""

    tickets = True
    one_ticket = True


class BothProviders(Handshakes):
    """Ours a second time, with signatures made by BoringSSL."""

    more_servers = (terminator.PortcullisHttpBuiltin, terminator.PortcullisTcpBuiltin)


class NewClients(Handshakes):
    """Each handshake is another client's; making these beforehand takes half as long as the load."""

    windows = 1.5

    def clients(self, pki, seconds):
        most = int(seconds * MOST_PER_SECOND) + 100
        return ["--population", most, "--sign", "start", "--issuer", pki / "issuer.pem"], most


def open_loop(server, load, pki, options, share):
    """A constant rate that takes `share` of the server's core, and how many a second would take all of it. A handshake
    costs more at a constant rate than in a closed loop, where more is done in a turn, so one such window goes before.
    Where the load is the limit, no more than nine tenths of what came about in the closed loop: beyond it the generator
    would measure its own queue."""
    half = max(1, options.seconds / 2)
    full, cpu_s = spend(server, load, *pair(pki), "--connections", options.connections, "--duration", half)
    most = 0.9 * full["per_second"]
    rate = int(min(share * done(server, full, "handshakes") / cpu_s, most)) or 1
    steady, cpu_s = spend(server, load, *pair(pki), "--connections", OPEN_CONNECTIONS, "--rate", rate, "--duration",
                          half)
    capacity = done(server, steady, "handshakes") / cpu_s
    return int(min(share * capacity, most)) or 1, capacity


def timely(server, result):
    """What it says of the generator's own delays; a sample that left arrivals out is none."""
    if result["not_started"]:
        raise Fault(f"{server.name}: {result['not_started']} connections were due and not started")
    return {"start_delay": result["start_delay_us"]["p99"] / 1e3}


class Latency(Variant):
    """Connections arrive at a constant rate that takes 70% of the server's core."""

    value = "p99 ms"
    digits = 2
    windows = 2
    columns = (("rate/s", "rate", 0), ("at 100%: /s", "capacity", 0), ("busy", "busy", 2), ("p50 ms", "p50", 2),
               ("p90 ms", "p90", 2), ("p99.9 ms", "p99.9", 2), ("generator's p99 ms", "start_delay", 2),
               ("CPU us", "cpu_us", 0), ("tickets", "tickets", 0))
    on_floor = False

    def sample(self, server, load, pki, options):
        rate, capacity = open_loop(server, load, pki, options, 0.7)
        result, cpu_s = spend(server, load, *pair(pki), "--connections", OPEN_CONNECTIONS, "--rate", rate, "--duration",
                              options.seconds)
        count = done(server, result, "handshakes")
        return {**figures(result, cpu_s), "value": result["latency_us"]["p99"] / 1e3, "rate": rate,
                "capacity": capacity, "cpu_us": cpu_s * 1e6 / count, **timely(server, result)}


class Beside(Variant):
    """Connections at a constant rate, half of what the server manages at most, while a second listener of the same
    worker, whose signatures take milliseconds, has clients of its own: a fifth of a core's worth."""

    value = "p99 ms"
    digits = 2
    columns = (("p99 ms alone", "alone", 2), ("rate/s", "rate", 0), ("RSA-4096 rate/s", "slow_rate", 0),
               ("RSA-4096 p99 ms", "slow_p99", 2), ("generator's p99 ms", "start_delay", 2))
    on_floor = False
    beside = "rsa4096"
    windows = 3
    more_s = 1
    SLOW_RATE = 50

    def sample(self, server, load, pki, options):
        rate, _ = open_loop(server, load, pki, options, 0.5)
        wanted = [*pair(pki), "--connections", OPEN_CONNECTIONS, "--rate", rate, "--duration", options.seconds]
        alone = load.run(server.port, *wanted)
        second = load.second()
        running = second.start(server.slow_port, *pair(pki), "--connections", 256, "--rate", self.SLOW_RATE,
                               "--duration", options.seconds + 1)
        try:
            result = load.run(server.port, *wanted)
            running.wait(60)
        finally:
            process.stop(running)
        slow = second.result()
        done(server, result, "handshakes")
        if done(server, slow, "handshakes") < 0.9 * self.SLOW_RATE * options.seconds:
            raise Fault(f"{server.name}: {slow['handshakes']} handshakes with RSA-4096: {slow['failures']}")
        for other in (alone, slow):
            timely(server, other)
        return {**figures(result, 0), **timely(server, result), "value": result["latency_us"]["p99"] / 1e3,
                "rate": rate, "alone": alone["latency_us"]["p99"] / 1e3, "slow_rate": slow["per_second"],
                "slow_p99": slow["latency_us"]["p99"] / 1e3}


class KeepAlive(Variant):
    """Requests on kept connections. What opening these took is measured beforehand and taken off."""

    value = "CPU us"
    digits = 1
    columns = (("requests/s", "per_second", 0), ("p50 ms", "p50", 2), ("p99 ms", "p99", 2), ("busy", "busy", 2))

    def sample(self, server, load, pki, options):
        before, opening_s = spend(server, load, *pair(pki), "--connections", options.connections, "--total",
                                  4 * options.connections)
        opening_s *= options.connections / done(server, before, "handshakes")
        result, cpu_s = spend(server, load, *pair(pki), "--keep-alive", "--connections", options.connections,
                              "--duration", options.seconds)
        count = done(server, result, "requests")
        return {"value": (cpu_s - opening_s) * 1e6 / count, "requests": count, **figures(result, cpu_s)}


class Bulk(Variant):
    """Large answers on four kept connections."""

    value = "CPU us per MB"
    columns = (("MB per CPU second", "mb_per_cpu_s", 0), ("MB/s", "mb_per_s", 0), ("busy", "busy", 2))

    def sample(self, server, load, pki, options):
        began = time.monotonic()
        result, cpu_s = spend(server, load, *pair(pki), "--keep-alive", "--connections", 4, "--bulk", BULK_BYTES,
                              "--timeout", 60, "--duration", options.seconds)
        took = time.monotonic() - began  # what was begun in the window is finished after it
        megabytes = done(server, result, "received_bytes") / MEGABYTE
        return {**figures(result, cpu_s), "value": cpu_s * 1e6 / megabytes, "mb_per_cpu_s": megabytes / cpu_s,
                "mb_per_s": megabytes / took, "busy": cpu_s / took}


class Idle(Variant):
    """What a server's memory grows by with connections that have made one request each and are kept: each of another
    client, for a server may keep once what many connections of one client share. The value is all that it grows by over
    all connections, with what a server takes once, for its first ones; the marginal one is of the last four fifths."""

    value = "PSS bytes"
    # One that is touched first counts whole, so where these grow the value is not what a connection needs.
    columns = (("marginal PSS bytes", "marginal", 0), ("RSS bytes", "rss", 0), ("in huge pages", "huge", 0))
    on_floor = False
    restarts = True
    FIRST = 5  # one of so many is there when the marginal memory begins
    HOLD_S = 600  # they are told to end before
    SETTLE_S = 1
    HANDSHAKE_S = 0.0013  # between ours and those of the slower peers

    def expected_s(self, options):
        return options.idle * self.HANDSHAKE_S + 2 * self.SETTLE_S + 2 * START_TAKES_S

    def clients(self, pki, number):
        return ["--population", number, "--sign", "start", "--issuer", pki / "issuer.pem"]

    def sample(self, server, load, pki, options):
        load.run(server.port, *pair(pki), "--total", 4 * options.connections)
        tree = server.tree()
        memory, held, holders = [tree.memory()], [0], []
        try:
            for generator, total in ((load, options.idle // self.FIRST), (load.second(), options.idle)):
                holders.append((generator, self.hold(server, generator, pki, total, total - held[-1])))
                held.append(total)
                memory.append(self.settled(server, holders[-1][1], tree, total))
            results = [self.let_go(server, *holder) for holder in holders]
        finally:
            for _, running in holders:
                process.stop(running)
        failures = sum((collections.Counter(result["failures"]) for result in results), collections.Counter())
        alive = sum(result["alive"] for result in results)
        if alive != options.idle:
            raise Fault(f"{server.name}: {alive} of {options.idle} idle connections were alive at the end: "
                        f"{dict(failures)}")
        return {**growth(memory, held), "failed": sum(result["failed"] for result in results),
                "failures": dict(failures)}

    def hold(self, server, generator, pki, total, more):
        """Starts to open `more` connections, which makes them `total`."""
        return generator.start(server.port, *self.clients(pki, more), "--idle", more, "--hold", self.HOLD_S)

    def settled(self, server, running, tree, total):
        """The server's memory once there are `total` connections."""
        wait_for(lambda: process.established(server.port) >= total or running.poll() is not None,
                 f"{total} connections to {server.name}", 120)
        time.sleep(self.SETTLE_S)
        return tree.memory()

    def let_go(self, server, generator, running):
        """Has each connection that is held asked once more and ended; the generator's result."""
        running.terminate()
        try:
            running.wait(120)
        except subprocess.TimeoutExpired:
            raise Fault(f"{server.name}: the idle connections do not end") from None
        return generator.result()


def growth(memory, held):
    """Bytes a connection. `memory`: of the server without connections, with some and with all; `held`: how many."""
    none, some, every = memory
    grown = {name: (every[name] - none[name]) / held[-1] for name in every}
    return {"value": grown["Pss"], "marginal": (every["Pss"] - some["Pss"]) / (held[-1] - held[-2]),
            "rss": grown["Rss"], "huge": grown["AnonHugePages"]}


class IdleOfOne(Idle):
    def clients(self, pki, number):
        return pair(pki)


ALL = [
    Handshakes("p256", "Full handshake and one GET, P-256, TLS 1.3, clients seen before"),
    NewClients("new", "Full handshake and one GET, P-256, TLS 1.3, clients never seen before, of an issuer seen "
               "before"),
    OneTicket("oneticket", "Full handshake and one GET, P-256, TLS 1.3, clients seen before, one ticket from everybody",
              floor="Full/p256_tls13_one_ticket"),
    WithoutTickets("notickets", "Full handshake and one GET, P-256, TLS 1.3, clients seen before, tickets off",
                   floor="Full/p256_tls13_no_tickets"),
    Handshakes("tls12", "Full handshake and one GET, P-256, TLS 1.2, clients seen before", floor="Full/p256_tls12",
               arguments=("--tls", "1.2")),
    Resumed("resumed", "Resumption and one GET, P-256, TLS 1.3", floor="Resumed/p256_tls13",
            arguments=("--resume-share", "100")),
    BothProviders("rsa2048", "Full handshake and one GET, RSA-2048, TLS 1.3, clients seen before", key="rsa2048",
                  floor="Full/rsa2048_tls13"),
    Handshakes("rsa4096", "Full handshake and one GET, RSA-4096, TLS 1.3, clients seen before", key="rsa4096",
               floor="Full/rsa4096_tls13"),
    Latency("latency", "Latency from the intended start, P-256, TLS 1.3, open loop that takes 70% of each "
            "server's core"),
    Beside("beside", "Latency from the intended start, P-256, TLS 1.3, open loop that takes half the core, "
           "RSA-4096 beside"),
    KeepAlive("keepalive", "Requests on kept connections"),
    Bulk("bulk", "Answers of 64 MiB"),
    Idle("idle", "Memory of an idle connection, user space, each of another client"),
    IdleOfOne("idle-one", "Memory of an idle connection, user space, all of one client"),
]
