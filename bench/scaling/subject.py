"""A terminator of some size, and the load on it."""

import collections
import contextlib
import json
import os
import socket
import ssl
import subprocess
import time
from pathlib import Path

from comparison import process
from local import Fault, cpu_seconds, wait_for

from scaling import hosts, material

HOST = "h{}.bench.localhost"
KINDS = ("seen", "new")  # one client that comes again and again; clients never seen before
IDLE_S = 3600
# Idle connections have an address of their own. To the same one as the load's, each connect would look for a port
# among all that they hold, which is the client's work and makes its rate another.
ADDRESSES = {"main": "127.0.0.1", "idle": "127.0.0.2"}


class Cores:
    """Which cores the server may use, and which the load and the backend: lists as taskset takes them."""

    def __init__(self, server="0", load="1"):
        self.server = server
        self.load = load


class Size:
    """How much a terminator knows and holds, and how many workers it has."""

    def __init__(self, cas=1, revoked=0, hosts=1, connections=0, workers=1):
        self.cas = cas
        self.revoked = revoked
        self.hosts = hosts
        self.connections = connections  # idle, beside those that are measured
        self.workers = workers


def config(folder, path, size, backend):
    trust = {"name": "clients", "ca": [str(folder / "root.crt")]}
    if size.cas > 1:
        trust["ca"].insert(0, str(folder / f"fillers-{size.cas}.crt"))
    if size.revoked:
        trust["crl"] = [str(folder / f"root-{size.revoked}.crl")]
    virtual_hosts = [{"server_names": [name], "backend": "app",
                      "certificates": [{"certificate": str(folder / f"hosts/{name}.crt"),
                                        "key": str(folder / f"hosts/{name}.key")}],
                      "client_auth": {"mode": "require", "trust": "clients", "refusal": "http"}}
                     for name in map(HOST.format, range(size.hosts))]
    path.write_text(json.dumps({
        "workers": size.workers, "pin_workers": False, "admin": {"address": "127.0.0.1:0"},
        "log": {"connections": "off", "level": "error"}, "timeouts": {"idle": f"{IDLE_S}s"},
        "listeners": [{"name": name, "address": f"{address}:0", "mode": "http"} for name, address in ADDRESSES.items()],
        "virtual_hosts": virtual_hosts, "trusts": [trust],
        "backends": [{"name": "app", "targets": [backend]}]}, indent=0))


def make_hosts(folder, count):
    """What the terminators of up to so many hosts show their clients: a certificate and key for each."""
    hosts.write(folder / "hosts", material.ROOT_NAME, [HOST.format(i) for i in range(count)])


def parts(count, handshakes):
    """The hosts, from 0, as ranges (first, last) that are no longer than `handshakes`: a drive asks each of one once
    at least, and as many drives as there are ranges ask them all."""
    drives = -(-count // handshakes)
    bounds = [number * count // drives for number in range(drives + 1)]
    return [(first, end - 1) for first, end in zip(bounds, bounds[1:])]


def start(core, *command):
    return subprocess.Popen(["taskset", "-c", core, *map(str, command)], stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def backend(folder, build):
    """`portcullis backend`; its address as a target."""
    path = folder / "backend.sock"
    running = start(Cores().load, build / "portcullis", "backend", "--listen", f"unix:{path}")
    try:
        wait_for(path.exists, "the backend")
        yield f"unix:{path}"
    finally:
        process.stop(running)


class Terminator:
    """A running `portcullis serve` of one size. `name` is its own among those that run."""

    def __init__(self, folder, name, size, target, build, cores=Cores()):
        self.folder = folder
        self.cores = cores
        self.build = build
        self.size = size
        self._holder = None
        self._drives = collections.Counter()  # by kind of client
        self.driven = set()  # numbers of the hosts that have been asked for
        ready, path = folder / f"{name}.ready", folder / f"{name}.yaml"
        config(folder, path, size, target)
        began = time.monotonic()
        self.process = start(cores.server, build / "portcullis", "serve", "--config", path, "--ready-file", ready)
        try:
            wait_for(lambda: ready.exists() or self.process.poll() is not None, f"the {name} one", 300)
            if self.process.poll() is not None:
                raise Fault(f"the {name} one ended with {self.process.returncode}")
            self.load_seconds = time.monotonic() - began
            self.load_cpu_seconds = cpu_seconds(self.process.pid)
            self.ports = json.loads(ready.read_text())["listeners"]
            self.rss_at_start = self.rss()
            self._check_certificates()
            self._hold(name)
        except BaseException:
            self.stop()
            raise

    def rss(self):
        """Resident memory in MiB."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    def loadgen(self, *arguments, first=0, last=0, listener="main"):
        """A command that asks for the hosts of these numbers."""
        target = f"{ADDRESSES[listener]}:{self.ports[listener]}"
        many = ["--sni", HOST.format("#"), "--server-names", f"{first}-{last}"]
        return [self.build / "portcullis-loadgen", "--target", target, "--quiet",
                *(many if last > first else ["--sni", HOST.format(first)]), *arguments]

    def pair(self):
        return ["--cert", self.folder / "client.crt", "--key", self.folder / "client.key"]

    def _check_certificates(self):
        """Hosts must show certificates of their own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(self.folder / "client.crt", self.folder / "client.key")
        for name in map(HOST.format, {0, self.size.hosts // 2, self.size.hosts - 1}):
            with socket.create_connection((ADDRESSES["main"], self.ports["main"]), 30) as plain:
                with context.wrap_socket(plain, server_hostname=name) as tls:
                    shown = tls.getpeercert(binary_form=True)
            if shown != ssl.PEM_cert_to_DER_cert((self.folder / f"hosts/{name}.crt").read_text()):
                raise Fault(f"{name} does not show its own certificate")

    def _hold(self, name):
        """Opens the idle connections."""
        if self.size.connections:
            self._holder = start(self.cores.load, *self.loadgen(*self.pair(), "--idle", self.size.connections, "--hold",
                                                                IDLE_S, listener="idle"))
            wait_for(lambda: self.held() >= self.size.connections or self._holder.poll() is not None,
                     f"the connections of the {name} one", 300)
            self.check_held()

    def held(self):
        return process.established(self.ports["idle"])

    def check_held(self):
        if self.held() < self.size.connections:
            raise Fault(f"{self.held()} of {self.size.connections} idle connections are there")

    def drive(self, kind, handshakes):
        """The server's CPU a handshake in microseconds."""
        return self.measure(kind, handshakes)["cpu_us"]

    def measure(self, kind, handshakes):
        """The server's CPU a handshake, and handshakes per second. Each time a kind asks for the next part of the
        hosts."""
        ranges = parts(self.size.hosts, handshakes)
        first, last = ranges[self._drives[kind] % len(ranges)]
        self._drives[kind] += 1
        clients = {"seen": self.pair(), "resumed": [*self.pair(), "--resume-share", 100],
                   "new": ["--population", handshakes, "--issuer", self.folder / "issuer.pem"]}[kind]
        out = self.folder / "result.json"
        before = cpu_seconds(self.process.pid)
        command = self.loadgen(*clients, "--connections", 32, "--warmup", 0, "--total", handshakes, "--json", out,
                               first=first, last=last)
        done = subprocess.run(["taskset", "-c", self.cores.load, *map(str, command)], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Fault(f"portcullis-loadgen: {done.stdout}{done.stderr}")
        result = json.loads(out.read_text())
        if result["failed"] or result["handshakes"] < handshakes:
            raise Fault(f"of {handshakes} handshakes {result['handshakes']} were done, {result['failed']} failed")
        if kind == "resumed" and result["resumed"] < 0.9 * handshakes:
            raise Fault(f"of {handshakes} handshakes {result['resumed']} were resumptions")
        self.driven.update(range(first, last + 1))
        return {"cpu_us": (cpu_seconds(self.process.pid) - before) * 1e6 / result["handshakes"],
                "per_second": result["per_second"]}

    def stop(self):
        for running in (self._holder, self.process):
            if running is not None:
                process.stop(running, 60)
