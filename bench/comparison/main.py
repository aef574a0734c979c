"""The command: options, who takes part, rounds."""

import argparse
import contextlib
import datetime
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from local import ROOT, Fault, floor_us, host_facts, make_pki, need_built

from comparison import checks, nginx, peers, process, results, schedule, terminator, variants
from comparison.load import Backend, Load, prefer_session, raise_descriptor_limit, spinner
from comparison.server import Setting

FLOOR_S = 0.3
# A floor measured after a sample is the one before the next, if that follows as soon as this. Another case's may be
# measured between.
FLOOR_HOLDS_S = 2
# What ends a sample and not the run: also a process that went while it was being looked at, or would not end.
LOST = (Fault, OSError, subprocess.SubprocessError)


def listed(text):
    return [word for word in text.split(",") if word and word != "none"]


def parse(arguments):
    names = ", ".join(peer.name for peer in peers.PACKAGED)
    parser = argparse.ArgumentParser(prog="bench/compare", description="Measures Portcullis and other mutual-TLS "
                                     "servers on this machine, one worker on one core each, under the same load.")
    parser.add_argument("--peers", type=listed, metavar="LIST", help=f"who besides Portcullis, or none ({names})")
    parser.add_argument("--variants", type=listed, metavar="LIST",
                        help=f"what is measured ({','.join(variant.name for variant in variants.ALL)})")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="samples of each (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2, metavar="S", help="of load in each sample (%(default)s)")
    parser.add_argument("--connections", type=int, default=32, metavar="N", help="at once (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order in a round (%(default)s)")
    parser.add_argument("--idle", type=int, default=5000, metavar="N", help="idle connections (%(default)s; memory is "
                        "read with a fifth of them, too)")
    parser.add_argument("--tickets", choices=("on", "off"), default="on",
                        help="whether tickets are issued where they are not used (%(default)s)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="for results.json, .md, .html and .svg (a new folder "
                        "in build/compare)")
    parser.add_argument("--write-results", action="store_true", help="replace the marked part of bench/RESULTS.md")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", metavar="DIR",
                        help="build folder with portcullis-loadgen and bench/floor_bench (build/release)")
    parser.add_argument("--portcullis", type=Path, metavar="PATH", help="binary under test (that of --build)")
    parser.add_argument("--nginx-boringssl", type=Path, metavar="PATH",
                        help="an nginx built on BoringSSL, as two more peers (README.md, Measure, tells how)")
    parser.add_argument("--skip-missing", action="store_true", help="do without peers that are not installed")
    parser.add_argument("--no-spinners", action="store_true", help="let the cores halt when they have nothing to do")
    parser.add_argument("--server-core", type=int, default=0, metavar="N", help="(%(default)s)")
    parser.add_argument("--load-core", type=int, default=1, metavar="N", help="(%(default)s)")
    return parser, parser.parse_args(arguments)


def chosen(names, known, what, parser):
    """The members of `known` that `names` asks for, all when it is None."""
    by_name = {one.name: one for one in known}
    unknown = [name for name in names or () if name not in by_name]
    if unknown:
        parser.error(f"unknown {what}: {', '.join(unknown)}; there are {', '.join(by_name)}")
    return [one for one in known if names is None or one.name in names]


def participants(options, parser):
    """Portcullis, the peers asked for and found. Exits with 2 where one is missing and may not be."""
    terminator.Portcullis.binary = options.portcullis or options.build / "portcullis"
    asked = chosen(options.peers, peers.PACKAGED, "peer", parser)
    asked += nginx.of_binary(options.nginx_boringssl.resolve()) if options.nginx_boringssl else []
    need_built(terminator.Portcullis.binary, options.build / "portcullis-loadgen", options.build / "bench/floor_bench")
    missing = [peer for peer in asked if peer.missing()]
    for peer in missing:
        print(f"{peer.name} is not installed: apt-get install {peer.missing()}", file=sys.stderr)
    if missing and not options.skip_missing:
        print("--skip-missing does without", file=sys.stderr)
        sys.exit(2)
    return [terminator.PortcullisHttp, terminator.PortcullisTcp, *(peer for peer in asked if peer not in missing)]


def command_line(arguments):
    """As it was typed, but for where things lie on this machine."""
    return shlex.join(["bench/compare", *(re.sub(r"^(--[\w-]+=)?.*/.*$", r"\1PATH", one) for one in arguments)])


def facts_of(options, servers):
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False).stdout.split()
    return {**host_facts(), "date": datetime.datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z"),
            "command": command_line(sys.argv[1:]),
            "versions": {re.sub("-(http|tcp|stream)$", "", server.name): server.version() for server in servers},
            "openssl": openssl[1] if len(openssl) > 1 else "unknown", "server_core": options.server_core,
            "load_core": options.load_core, "spinners": not options.no_spinners, "rounds": options.rounds,
            "seconds": options.seconds, "connections": options.connections, "idle": options.idle,
            "tickets": options.tickets, "seed": options.seed}


class Comparison:
    """The run: everything it starts is in `stack`."""

    def __init__(self, options, folder, stack):
        self.options = options
        self.folder = folder
        self.stack = stack
        self.descriptors = raise_descriptor_limit()
        undo = prefer_session()
        self.preferred = undo is not None
        if undo:
            stack.callback(undo)
        self.pkis = {}
        self.last_floors = {}  # by case: (value, when)
        self.random = random.Random(options.seed)
        self.spinners = []
        if not options.no_spinners:
            self.spinners = [spinner(core) for core in (options.server_core, options.load_core)]
            for one in self.spinners:
                self._keep(one)
        self.backend = Backend(terminator.Portcullis.binary, folder, options.load_core)
        stack.callback(self.backend.stop)
        self.load = Load(options.build, folder, options.load_core)

    def _keep(self, started):
        self.stack.callback(process.stop, started)

    def check_spinners(self):
        """They must have kept the cores awake all the while, and have taken nothing from anybody."""
        for one in self.spinners:
            if one.poll() is not None or os.sched_getscheduler(one.pid) != os.SCHED_IDLE:
                raise SystemExit("a spinner has ended, or was not of idle class: the figures are worth nothing")

    def pki(self, key):
        if key not in self.pkis:
            folder = self.folder / key
            folder.mkdir()
            make_pki(folder, key)
            self.pkis[key] = folder
        return self.pkis[key]

    def tickets_on(self, variant):
        return self.options.tickets == "on" if variant.tickets is None else variant.tickets

    def start(self, server_class, variant):
        server = server_class()
        server.start(Setting(self.folder / server.name, self.pki(variant.key), self.backend.path,
                             self.options.server_core, self.tickets_on(variant), self.descriptors,
                             self.pki(variant.beside) if variant.beside else None, variant.one_ticket))
        return server

    def floor(self, case):
        value = floor_us(self.options.build, self.options.server_core, case, FLOOR_S)
        self.last_floors[case] = (value, time.monotonic())
        return value

    def floor_now(self, case):
        """The floor before a sample: that after the one before, if nothing has come between."""
        value, when = self.last_floors.get(case, (None, 0))
        return value if value is not None and time.monotonic() - when < FLOOR_HOLDS_S else self.floor(case)

    def measure(self, variant, server_classes):
        """The samples of one variant: all servers run, and take turns. One without "value" has an "error" instead; one
        that stands for all of a server, because that could not even begin, is of round None."""
        with contextlib.ExitStack() as running:
            servers, tickets, agreed = {}, {}, checks.Agreement()
            for server_class in takes_part(variant, server_classes):
                try:
                    server = self.start(server_class, variant)
                    running.callback(server.stop)
                    tickets[server_class] = self.checked(server, variant, agreed)
                    servers[server_class] = server
                except LOST as error:
                    yield {"variant": variant.name, "server": server_class.name, "round": None, "error": str(error)}
            for number in range(self.options.rounds):
                order = list(servers)
                self.random.shuffle(order)
                for server_class in order:
                    yield {"variant": variant.name, "server": server_class.name, "round": number,
                           "tickets": tickets[server_class], **self.turn(variant, server_class, servers, running)}

    def checked(self, server, variant, agreed):
        """Sees to it that the server does the work of the variant; returns how many tickets it sends."""
        pki = self.pki(variant.key)
        agreed.join(server, checks.check(server, self.load, pki, variant.arguments))
        tickets = checks.tickets_sent(server, pki, self.folder, variant.arguments)
        checks.as_wanted(server, tickets, self.tickets_on(variant), variant.one_ticket)
        return tickets

    def turn(self, variant, server_class, servers, running):
        """One sample of a server, or what went wrong; the next one then is of a server started anew."""
        try:
            if variant.restarts and (used := servers.pop(server_class, None)):
                used.stop()
            if servers.get(server_class) is None:
                servers[server_class] = self.start(server_class, variant)
                running.callback(servers[server_class].stop)
            return self.sample(variant, servers[server_class])
        except LOST as error:
            if lost := servers.get(server_class):
                lost.stop()
            servers[server_class] = None
            return {"error": str(error)}

    def sample(self, variant, server):
        """One sample with its floors, each the mean of one before and one after."""
        cases = [case for case in (variant.second_floor, variant.floor if variant.on_floor else None) if case]
        before = {case: self.floor_now(case) for case in cases}
        sample = variant.sample(server, self.load, self.pki(variant.key), self.options)
        floors = {case: (before[case] + self.floor(case)) / 2 for case in cases}
        if variant.second_floor:
            sample["over_second"] = sample["value"] / floors[variant.second_floor]
        if variant.on_floor:
            sample["floor_us"] = floors[variant.floor]
        return sample


def most_idle(descriptors):
    """How many connections can be held: a server that passes streams through needs two descriptors for each, and
    HAProxy is told so (peers.py)."""
    return descriptors // 2 - 200


def takes_part(variant, server_classes):
    if variant.beside:
        return [one for one in server_classes if issubclass(one, terminator.Portcullis)]
    can = [one for one in server_classes if one.tickets_can_be_one or not variant.one_ticket]
    return can + list(variant.more_servers)


def run(options, server_classes, wanted, out):
    facts = facts_of(options, server_classes)
    more = [server for variant in wanted for server in variant.more_servers]
    kinds = {server.name: server.kind for server in server_classes + more}
    samples, text = [], ""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portcullis-compare-")))
        folder.chmod(0o711)  # peers that drop root still reach the backend's socket
        comparison = Comparison(options, folder, stack)
        facts["preferred"] = comparison.preferred
        plan = schedule.Schedule.of(wanted, lambda variant: takes_part(variant, server_classes), options)
        print(f"takes about {schedule.words(plan.total())} if nothing else runs", file=sys.stderr, flush=True)
        for variant in wanted:
            print(f"{variant.name}: {variant.title}", file=sys.stderr, flush=True)
            for sample in comparison.measure(variant, server_classes):
                samples.append(sample)
                number = "-" if sample["round"] is None else sample["round"] + 1
                print(f"  {number} {sample['server']:24} {told(variant, sample)}", file=sys.stderr, flush=True)
            text = results.save(out, facts, samples, wanted, kinds)  # what there is, should the rest be cut short
            print(f"  about {schedule.words(plan.step())} left", file=sys.stderr, flush=True)
        comparison.check_spinners()
    return text, sum("error" in sample for sample in samples)


def told(variant, sample):
    if "error" in sample:
        return f"NOT MEASURED: {sample['error']}"
    floor = f"   floor {sample['floor_us']:.0f} us" if "floor_us" in sample else ""
    failed = f"   failed {sample['failures']}" if sample["failed"] else ""
    tickets = f"   tickets {sample['tickets']}"
    return f"{variant.value} {sample['value']:,.{variant.digits}f}{floor}{tickets}{failed}"


def main(arguments):
    parser, options = parse(arguments)
    wanted = chosen(options.variants, variants.ALL, "variant", parser)
    if options.write_results and (len(wanted) != len(variants.ALL) or options.peers is not None):
        parser.error("--write-results replaces all of the tables, so it goes with all variants and all peers")
    if options.idle < variants.Idle.FIRST:
        parser.error(f"--idle: {variants.Idle.FIRST} at least")
    if not {options.server_core, options.load_core} <= os.sched_getaffinity(0):
        parser.error("server and load need a core each; see --server-core and --load-core")
    server_classes = participants(options, parser)
    options.idle = min(options.idle, most_idle(raise_descriptor_limit()))
    out = options.out or ROOT / "build/compare" / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        text, lost = run(options, server_classes, wanted, out)
    except KeyboardInterrupt:
        sys.exit(130)
    print(text)
    print(f"in {out}: results.json, results.md, results.html, results.svg", file=sys.stderr)
    if options.write_results:
        results.publish(out, text, ROOT / "bench/RESULTS.md")
    if lost:
        sys.exit(f"{lost} samples were lost")
