"""What every end-to-end test stands on: a terminator started from a generated configuration, and its accounts.

E2ETest starts servers on ports of the system's choice, waits for their ready file, and when a test is over checks that
each one is back where it started (descriptors, memory, slots, blocks), exits with 0 on SIGTERM and left nothing a
sanitizer says.
A failing test prints what its servers logged.

Environment: PORTCULLIS_BIN (the binary), PORTCULLIS_E2E_DIR (scratch, in the build folder), PORTCULLIS_SANITIZER
(asan, tsan or empty), PROMTOOL.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from backends import Backend, HttpBackend
from clients import TlsClient, curl, poll_until
from exposition import Metrics
from pki import Pki

SANITIZER = os.environ.get("PORTCULLIS_SANITIZER", "")
SLOW = 5 if SANITIZER else 1  # a factor on times which depend on the server's speed
WORK = Path(os.environ.get("PORTCULLIS_E2E_DIR") or tempfile.mkdtemp(prefix="portcullis-e2e-"))
BINARY = os.environ.get("PORTCULLIS_BIN", "build/release/portcullis")
MIB = 1 << 20
# What a test's traffic may leave behind in allocator caches and first-touched buffers. Leaks are found by soak_test.py
# with a far tighter bound, and by LeakSanitizer.
RSS_SLACK = 96 * MIB
# Gauges that are 0 when nobody is connected.
HELD = ("portcullis_worker_connection_slots_in_use", "portcullis_worker_output_blocks_in_use")
STALE = "portcullis_ring_stale_completions_total"
_SANITIZER_SAYS = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:|LeakSanitizer|CHECK failed|SUMMARY: ")


def http_config(pki, *targets, names=("app.localhost",), refusal="http", auth="require", **top):
    """One HTTP listener "main" with one host; what `top` gives replaces whole sections."""
    return {"workers": 2, "admin": {"address": "127.0.0.1:0"},
            "listeners": [{"name": "main", "address": "127.0.0.1:0", "mode": "http", "hosts": [names[0]]}],
            "virtual_hosts": [host(pki, names, refusal=refusal, auth=auth)],
            "trusts": [{"name": "clients", "ca": [str(pki.ca.crt)]}],
            "backends": [{"name": "app", "targets": list(targets)}], **top}


def tcp_config(pki, *targets, **top):
    """One TCP listener "main"; refusals are alerts."""
    config = http_config(pki, *targets, refusal="alert", **top)
    config["listeners"][0]["mode"] = "tcp"
    return config


def host(pki, names, server=None, refusal="http", auth="require", trust="clients", backend="app", **more):
    client_auth = {"mode": auth}
    if auth != "off":
        client_auth |= {"trust": trust, "refusal": refusal}
    certificate = server or pki.server
    return {"server_names": list(names), "backend": backend, "client_auth": client_auth,
            "certificates": [{"certificate": str(certificate.crt), "key": str(certificate.key)}], **more}


class Server:
    """A running `portcullis serve`, of a configuration written for it or of the file at a Path."""

    def __init__(self, config, folder, wrapper=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if isinstance(config, Path):
            self.config_path = config
        else:
            self.config_path = self.folder / "portcullis.yaml"
            self.write_config(config)
        self.ready_path = self.folder / "ready.json"
        self.stdout_path, self.stderr_path = self.folder / "stdout", self.folder / "stderr"
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = subprocess.Popen(
                [*wrapper, BINARY, "serve", "--config", str(self.config_path), "--ready-file", str(self.ready_path)],
                stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.stopped = False

    def write_config(self, config):
        """Writes the configuration (JSON is YAML too) as a whole, for the start or a reload."""
        fresh = self.config_path.with_suffix(".new")
        fresh.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
        fresh.rename(self.config_path)

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"portcullis exited with {self.process.returncode} at start:\n{self.stderr()}")
            return self.ready_path.exists()
        poll_until(ready, "portcullis ready", 30 * SLOW)
        started = json.loads(self.ready_path.read_text())
        self.pid, self.admin, self.ports = started["pid"], started["admin"], started["listeners"]
        self.port = self.ports.get("main") or next(iter(self.ports.values()))
        self.fds_at_start, self.rss_at_start = self.fds(), self.rss()
        return self

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def fd_targets(self):
        names = []
        for entry in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                names.append(f"{entry}={os.readlink(f'/proc/{self.pid}/fd/{entry}')}")
            except OSError:
                pass
        return names

    def rss(self):
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def admin_get(self, path):
        """(status, body) of a page of the admin server."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", headers={"Connection": "close"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10 * SLOW) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        return Metrics(self.admin_get("/metrics")[1])

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def log(self, **wanted):
        """The connection log's lines so far whose fields equal `wanted`."""
        lines = []
        for text in self.stdout_path.read_text(errors="replace").splitlines(keepends=True):
            if text.startswith("{") and text.endswith("\n"):
                line = json.loads(text)
                if all(line.get(key) == value for key, value in wanted.items()):
                    lines.append(line)
        return lines

    def wait_log(self, count=1, **wanted):
        """The lines, once there are `count` of them."""
        poll_until(lambda: len(self.log(**wanted)) >= count, lambda: f"{count} log lines with {wanted}: {self.log()}",
                   10 * SLOW)
        return self.log(**wanted)

    def send_signal(self, number):
        os.kill(self.pid, number)

    def stop(self, timeout=30):
        """SIGTERM; returns the exit code."""
        self.stopped = True
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        try:
            return self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
            return "no exit after SIGTERM"

    def report(self):
        """What it said, for a failing test."""
        out = self.stdout_path.read_text(errors="replace")
        return f"--- {self.folder.name} stderr\n{self.stderr()[-8000:]}\n--- connection log\n{out[-8000:]}"


class E2ETest(unittest.TestCase):
    """A test with servers, backends and clients which are put away and accounted for at its end."""

    maxDiff = 4000
    drain = "3s"  # timeouts.drain where the test does not say

    @classmethod
    def setUpClass(cls):
        cls.pki = Pki.shared(WORK)

    def setUp(self):
        self.dir = WORK / "run" / f"{Path(sys.argv[0]).stem}.{self._testMethodName}"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.servers, self.backends, self.clients = [], [], []

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for server in getattr(self, "servers", []):
                print(f"\n{self.id()}\n{server.report()}", file=sys.stderr)

    def backend(self, serve, **options):
        self.backends.append(Backend(serve, **options))
        return self.backends[-1]

    def http_backend(self, routes=None, **options):
        self.backends.append(HttpBackend(routes, **options))
        return self.backends[-1]

    def serve(self, config, wrapper=()):
        if isinstance(config, dict):
            config.setdefault("timeouts", {}).setdefault("drain", self.drain)
        server = Server(config, self.dir / f"server{len(self.servers)}", wrapper)
        self.servers.append(server)
        return server.wait_ready()

    def client(self, server, **options):
        options.setdefault("cert", self.pki.client)
        options.setdefault("cacert", self.pki.ca.crt)
        options.setdefault("timeout", 20 * SLOW)
        self.clients.append(TlsClient(server.port, **options))
        return self.clients[-1]

    def curl(self, server, path="/", *args, host="app.localhost", **options):
        options.setdefault("cert", self.pki.client)
        options.setdefault("cacert", self.pki.ca.crt)
        return curl(f"https://{host}:{server.port}{path}", *args, timeout=20 * SLOW, **options)

    def tearDown(self):
        for client in self.clients:
            client.close()
        for backend in self.backends:
            backend.close()
        try:
            for server in self.servers:
                if not server.stopped:
                    self.check_quiet(server)
        finally:
            codes = [server.stop() if not server.stopped else 0 for server in self.servers]
        self.assertEqual(codes, [0] * len(codes), "exit codes after SIGTERM")
        for server in self.servers:
            self.assertNotRegex(server.stderr(), _SANITIZER_SAYS)
        for backend in self.backends:
            self.assertEqual(backend.errors, [])

    def check_quiet(self, server):
        """Descriptors and memory are back where they were when the server became ready, no connection slot or output
        block is in use, and no completion ever came for a slot that had been given back."""
        poll_until(lambda: server.fds() <= server.fds_at_start,
                   lambda: f"descriptors back to {server.fds_at_start}: {server.fd_targets()}", 15 * SLOW)
        if not SANITIZER:
            grown = server.rss() - server.rss_at_start
            self.assertLess(grown, RSS_SLACK, f"resident memory grew from {server.rss_at_start}")
        poll_until(lambda: self.held(server) == dict.fromkeys(HELD, 0), lambda: f"all given back: {self.held(server)}",
                   15 * SLOW)
        stale = server.metrics().select(STALE)
        self.assertEqual(set(stale.values()), {0}, stale)

    def held(self, server):
        """What the workers hold, all together; None for a gauge that there is not."""
        metrics = server.metrics()
        return {name: sum(metrics.select(name).values()) if metrics.select(name) else None for name in HELD}


def raise_descriptor_limit():
    """To the hard limit, for this process and what it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    """Runs the calling file's tests."""
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "*"
    unittest.main(verbosity=2)
