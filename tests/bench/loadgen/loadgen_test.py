"""The load generator against a real terminator: it counts exactly what the server's own metrics count, kind by kind,
and names every kind of failure."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "e2e"))

import harness  # noqa: E402
from backends import respond  # noqa: E402
from clients import poll_until  # noqa: E402

LOADGEN = os.environ["LOADGEN_BIN"]
HANDSHAKES = "portcullis_handshake_duration_seconds_count"
REJECTIONS = "portcullis_handshake_rejections_total"
RELOADS = "portcullis_config_reloads_total"


class Loadgen(harness.E2ETest):
    def command(self, server, *arguments, cert=None):
        command = [LOADGEN, "--target", f"127.0.0.1:{server.port}", "--sni", "app.localhost", "--quiet", "--json",
                   str(self.dir / "result.json"), "--warmup", "0", "--connections", "4", *map(str, arguments)]
        return command + (["--cert", str(cert.crt), "--key", str(cert.key)] if cert else [])

    def load(self, server, *arguments, cert=None, status=0):
        done = subprocess.run(self.command(server, *arguments, cert=cert), capture_output=True, timeout=60, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads((self.dir / "result.json").read_text())

    def http(self, **options):
        backend = self.http_backend(options.pop("routes", None))
        return self.serve(harness.http_config(self.pki, backend.address, **options))

    def moved(self, server, before, name, wanted, **labels):
        """Waits until a counter has moved by `wanted`, and sees that it is no more."""
        def value():
            return server.metrics().sum(name, **labels) - before.sum(name, **labels)
        poll_until(lambda: value() >= wanted, lambda: f"{name} {labels}: {value()}, wanted {wanted}", 10)
        self.assertEqual(value(), wanted, f"{name} {labels}")

    def test_counts_what_the_server_counts(self):
        server = self.http()
        for version in ("1.2", "1.3"):
            before = server.metrics()
            result = self.load(server, "--tls", version, "--ca", self.pki.ca.crt, "--total", 50, "--threads", 2,
                               cert=self.pki.client)
            self.assertEqual((result["failures"], result["done"], result["handshakes"]), ({}, 50, 50))
            self.assertEqual(result["resumed"], 0)
            self.assertEqual(list(result["negotiated"].values()), [50])
            self.assertRegex(list(result["negotiated"])[0], "TLS_.*AES_128_GCM_SHA256 (X25519(MLKEM768)?|P-256)$")
            self.assertEqual(result["latency_us"]["count"], 50)
            self.moved(server, before, HANDSHAKES, 50, result="ok", version=version, resumed="false")
            self.moved(server, before, "portcullis_http_requests_total", 50, code="2xx")

    def test_by_duration_counts_agree_too(self):
        server = self.http()
        before = server.metrics()
        result = self.load(server, "--duration", 0.5, cert=self.pki.client)
        self.assertGreater(result["done"], 0)
        self.moved(server, before, HANDSHAKES, result["done"], result="ok")

    def test_resumption_in_the_share_asked_for(self):
        server = self.http()
        for version in ("1.2", "1.3"):
            before = server.metrics()
            result = self.load(server, "--tls", version, "--resume-share", 75, "--total", 100, "--connections", 1,
                               cert=self.pki.client)
            self.assertEqual((result["failures"], result["done"]), ({}, 100))
            self.assertIn(result["resumed"], (74, 75))  # the first has no ticket to offer
            self.assertEqual(result["tickets_offered"], result["resumed"])
            self.moved(server, before, HANDSHAKES, result["resumed"], resumed="true", version=version, result="ok")
            self.moved(server, before, HANDSHAKES, 100 - result["resumed"], resumed="false", version=version)

    def with_population(self, refusal, *arguments):
        """A server that is made to trust the load's CA while the load waits for that."""
        ca, crl = self.dir / "load-ca.crt", self.dir / "load-ca.crl"
        ca.write_text(self.pki.ca.crt.read_text())
        config = harness.http_config(self.pki, self.http_backend().address, refusal=refusal)
        config["trusts"][0]["ca"] = [str(ca)]
        server = self.serve(config)
        crl.unlink(missing_ok=True)
        load = subprocess.Popen(self.command(server, "--population", 20, "--write-ca", ca, "--write-crl", crl, "--wait",
                                             "--total", 200, *arguments),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        poll_until(crl.exists, "the CRL", 20)
        config["trusts"][0]["crl"] = [str(crl)]
        server.write_config(config)
        server.send_signal(signal.SIGHUP)
        poll_until(lambda: server.metrics().sum(RELOADS, result="success") == 1, "the reload", 20)
        before = server.metrics()
        out, err = load.communicate("\n", timeout=60)
        self.assertEqual(load.returncode, 0, out + err)
        return server, before, json.loads((self.dir / "result.json").read_text())

    def check_bad(self, server, before, result, ways):
        self.assertEqual(result["failures"], {})
        self.assertEqual(result["done"], 160)
        self.assertEqual(result["refused"], {kind: {way: 10} for kind, way in ways.items()})
        for reason in ("no_cert", "expired", "unknown_ca", "revoked"):
            self.moved(server, before, REJECTIONS, 10, reason=reason)
        self.assertEqual(server.metrics().sum(REJECTIONS) - before.sum(REJECTIONS), 40)

    def test_bad_clients_are_refused_by_alert_each_for_its_fault(self):
        for version, none in (("1.3", "certificate_required"), ("1.2", "handshake_failure")):
            result = self.with_population("alert", "--bad", "none=5,expired=5,wrong_ca=5,revoked=5", "--tls", version)
            self.check_bad(*result, {"none": f"alert: {none}", "expired": "alert: certificate_expired",
                                     "wrong_ca": "alert: unknown_ca", "revoked": "alert: certificate_revoked"})

    def test_bad_clients_are_refused_by_page_each_for_its_fault(self):
        result = self.with_population("http", "--bad", "none=5,expired=5,wrong_ca=5,revoked=5", "--threads", 1)
        self.check_bad(*result, {kind: "refused by page: 400" for kind in ("none", "expired", "wrong_ca", "revoked")})

    def test_that_all_bad_clients_are_refused_is_a_success(self):
        result = self.load(self.http(), "--bad", "none=100", "--total", 10)
        self.assertEqual((result["done"], result["refused"]), (0, {"none": {"refused by page: 400": 10}}))

    def test_a_bad_client_that_gets_in_is_a_failure(self):
        server = self.http(auth="optional")
        result = self.load(server, "--bad", "none=50", "--total", 20, cert=self.pki.client, status=3)
        self.assertEqual((result["failures"], result["done"]), ({"accepted: none": 10}, 10))

    def test_an_issuer_is_kept_between_runs(self):
        files = {name: self.dir / f"{name}.pem" for name in ("ca", "crl", "issuer")}
        subprocess.run([LOADGEN, "--write-ca", files["ca"], "--write-crl", files["crl"], "--write-issuer",
                        files["issuer"]], check=True, timeout=20)
        self.assertEqual(files["issuer"].stat().st_mode & 0o777, 0o600)
        config = harness.http_config(self.pki, self.http_backend().address, refusal="alert")
        config["trusts"][0] |= {"ca": [str(files["ca"])], "crl": [str(files["crl"])]}
        server = self.serve(config)
        result = self.load(server, "--issuer", files["issuer"], "--population", 10, "--sign", "start", "--bad",
                           "revoked=20,wrong_ca=20", "--total", 50)
        self.assertEqual((result["failures"], result["done"]), ({}, 30))
        self.assertEqual(result["refused"], {"revoked": {"alert: certificate_revoked": 10},
                                             "wrong_ca": {"alert: unknown_ca": 10}})

    def test_a_folder_of_clients(self):
        server = self.http()
        folder = self.dir / "clients"
        folder.mkdir()
        for name, cert in (("one", self.pki.client), ("two", self.pki.client_second)):
            (folder / f"{name}.crt").write_bytes(cert.crt.read_bytes())
            (folder / f"{name}.key").write_bytes(cert.key.read_bytes())
        result = self.load(server, "--client-folder", folder, "--total", 10)
        self.assertEqual(result["done"], 10)
        subjects = [line["client_sha256"] for line in server.wait_log(10)]
        self.assertEqual(sorted(map(subjects.count, set(subjects))), [5, 5])

    def test_each_connection_asks_for_another_server_name_in_tls_and_in_its_request(self):
        asked = []

        def answer(connection, request):
            asked.append(*(value for name, value in request.headers if name.lower() == "host"))
            respond(connection, 200, b"")
        server = self.http(names=[f"h{i}.localhost" for i in range(7)], routes={"*": answer})
        result = self.load(server, "--sni", "h#.localhost", "--server-names", "2-6", "--total", 10,
                           cert=self.pki.client)
        self.assertEqual((result["failures"], result["done"], result["setup"]["server_names"]), ({}, 10, 5))
        names = sorted(f"h{i}.localhost" for i in range(2, 7)) * 2
        self.assertEqual(sorted(line["sni"] for line in server.wait_log(10)), sorted(names))
        self.assertEqual(sorted(asked), sorted(names))

    def test_a_bad_client_that_is_held_and_dropped_fails_once(self):
        server = self.http(auth="optional", timeouts={"idle": "200ms"})
        result = self.load(server, "--bad", "none=50", "--idle", 4, "--hold", 2, cert=self.pki.client, status=3)
        self.assertEqual((result["held"], result["alive"], result["done"]), (4, 0, 0))
        self.assertEqual(result["failures"], {"accepted: none": 2, "eof while idle": 2})

    def test_open_loop_keeps_its_rate_and_its_steps(self):
        server = self.http()
        result = self.load(server, "--rate", "40:1s,80:1s", "--threads", 2, "--connections", 200, cert=self.pki.client)
        self.assertEqual((result["failures"], result["done"]), ({}, 120))
        done = [step["done"] for step in result["steps"]]
        self.assertEqual(sum(done), result["done"])
        self.assertGreater(done[1], done[0])

    def test_open_loop_starts_what_came_due_at_the_end_however_late(self):
        # So much to do that the window ends amid a turn, and room for all.
        result = self.load(self.http(), "--rate", 2000, "--duration", 0.5, "--connections", 1000, cert=self.pki.client)
        self.assertEqual((result["failures"], result["done"], result["not_started"]), ({}, 1000, 0))
        self.assertFalse(result["latency_is_lower_bound"])

    def test_open_loop_latency_counts_from_the_intended_start(self):
        def slow(connection, _request):
            time.sleep(0.1)  # what a slow server takes
            respond(connection, 200, b"slow")
        server = self.http(routes={"*": slow})
        result = self.load(server, "--rate", "50", "--duration", 1, "--connections", 1, cert=self.pki.client)
        self.assertEqual(result["failures"], {})
        # One at a time of 0.1 s: 10 of 50 can start. The tenth waited for nine others, less what was meant to pass.
        self.assertEqual(result["done"] + result["not_started"], 50)
        self.assertGreater(result["not_started"], 30)
        self.assertEqual((result["latency_us"]["count"], result["latency_is_lower_bound"]), (50, True))
        self.assertGreater(result["latency_us"]["max"], 500_000)
        self.assertLess(result["request_us"]["p50"], 300_000)
        self.assertGreater(result["late"], 0)

    def test_requests_on_a_connection_and_kept_connections(self):
        server = self.http()
        before = server.metrics()
        result = self.load(server, "--requests", 5, "--total", 10, cert=self.pki.client)
        self.assertEqual((result["done"], result["requests"], result["failures"]), (10, 50, {}))
        self.moved(server, before, HANDSHAKES, 10, result="ok")
        self.moved(server, before, "portcullis_http_requests_total", 50)
        for loop in ([], ["--rate", "400"]):
            before = server.metrics()
            result = self.load(server, "--keep-alive", "--total", 100, *loop, cert=self.pki.client)
            self.assertEqual((result["done"], result["requests"], result["failures"]), (100, 100, {}))
            self.assertEqual(result["unit"], "request")
            self.moved(server, before, "portcullis_http_requests_total", 100)
            self.assertEqual(server.metrics().sum(HANDSHAKES) - before.sum(HANDSHAKES), 4)

    def test_bodies_down_and_up(self):
        body = b"x" * 300_000
        server = self.http(routes={"/bytes/300000": lambda connection, _: respond(connection, 200, body),
                                   "/sink": lambda connection, request: respond(
                                       connection, 200, str(len(request.body)).encode())})
        result = self.load(server, "--bulk", 300_000, "--total", 5, cert=self.pki.client)
        self.assertEqual((result["done"], result["received_bytes"]), (5, 1_500_000))
        result = self.load(server, "--upload", 300_000, "--total", 5, cert=self.pki.client)
        self.assertEqual((result["done"], result["sent_bytes"], result["failures"]), (5, 1_500_000, {}))
        result = self.load(server, "--bulk", 300_001, "--path", "/bytes/300000", "--total", 1, cert=self.pki.client,
                           status=1)
        self.assertEqual(result["failures"], {"short body": 1})

    def test_idle_connections_are_held_and_are_alive_at_the_end(self):
        server = self.http()
        result = self.load(server, "--idle", 60, "--hold", 0.3, "--threads", 2, cert=self.pki.client)
        self.assertEqual((result["held"], result["alive"], result["failures"]), (60, 60, {}))
        self.assertAlmostEqual(result["per_second"], 60 / result["seconds"])

    def test_no_more_held_connections_are_asked_at_once_than_are_opened(self):
        more, asked, most = threading.Condition(), [0], [0]

        def answer(connection, _request):
            with more:
                asked[0] += 1
                most[0] = max(most[0], asked[0])
                more.notify_all()
                more.wait_for(lambda: asked[0] > 4, 0.2)  # a fifth has time to come
                asked[0] -= 1
            respond(connection, 200, b"")
        result = self.load(self.http(routes={"*": answer}), "--idle", 9, "--hold", 0.1, cert=self.pki.client)
        self.assertEqual((result["alive"], result["failures"]), (9, {}))
        self.assertLessEqual(most[0], 4)

    def test_fewer_arrivals_than_were_to_be_held_are_held_all_the_same(self):
        result = self.load(self.http(), "--idle", 60, "--rate", "40:0.5s", "--hold", 0.1, "--threads", 2,
                           cert=self.pki.client)
        self.assertEqual((result["done"], result["alive"], result["failures"]), (20, 20, {}))

    def test_idle_connections_that_the_server_drops_are_failures(self):
        server = self.http(timeouts={"idle": "200ms"})
        result = self.load(server, "--idle", 5, "--hold", 2, cert=self.pki.client, status=1)
        self.assertEqual((result["held"], result["alive"], result["done"]), (5, 0, 0))
        self.assertEqual(result["failures"], {"eof while idle": 5})

    def test_failures_are_named(self):
        def cut(connection, _request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            return False
        server = self.http(routes={"/503": lambda connection, _: respond(connection, 503, b""), "/cut": cut})
        result = self.load(server, "--total", 4, status=1)
        self.assertEqual((result["done"], result["failures"]), (0, {"refused by page: 400": 4}))
        result = self.load(server, "--total", 4, "--path", "/503", cert=self.pki.client, status=1)
        self.assertEqual(result["failures"], {"status: 503": 4})
        result = self.load(server, "--total", 2, "--path", "/cut", cert=self.pki.client, status=1)
        self.assertLessEqual(set(result["failures"]), {"short body", "reset in the answer"})
        server.stop()
        result = self.load(server, "--total", 3, status=1)
        self.assertEqual(result["failures"], {"connect: Connection refused": 3})

    def test_another_status_may_be_the_one_expected(self):
        server = self.http(routes={"*": lambda connection, _: respond(connection, 201, b"")})
        result = self.load(server, "--total", 4, "--expect", 201, cert=self.pki.client)
        self.assertEqual((result["done"], result["failures"]), (4, {}))

    def test_connections_come_from_the_sources_in_turn_and_may_end_by_a_reset(self):
        server = self.http()
        result = self.load(server, "--total", 10, "--source", "127.0.0.2,127.0.0.3", "--reset", cert=self.pki.client)
        self.assertEqual((result["done"], result["failures"]), (10, {}))
        peers = [line["peer"].rpartition(":")[0] for line in server.wait_log(10)]
        self.assertEqual([peers.count(f"127.0.0.{i}") for i in (2, 3)], [5, 5])

    def test_too_few_open_files_are_told_at_the_start(self):
        command = self.command(self.http(), "--connections", 100, "--total", 1, cert=self.pki.client)
        done = subprocess.run(["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", *command], capture_output=True, text=True,
                              timeout=60)
        self.assertIn("64 open files are allowed", done.stderr)

    def test_an_empty_server_name_asks_for_none(self):
        server = self.http()
        self.load(server, "--sni", "", "--total", 1, cert=self.pki.client)
        self.assertNotIn("sni", server.wait_log(1)[0])

    def test_a_timeout_is_named(self):
        server = self.http(routes={"*": lambda connection, _: connection.recv()})
        result = self.load(server, "--total", 1, "--timeout", 0.3, cert=self.pki.client, status=1)
        self.assertEqual(result["failures"], {"timeout before the answer": 1})

    def test_a_server_that_hangs_from_the_warm_up_on_shows(self):
        server = self.http(routes={"*": lambda connection, _: connection.recv()})
        result = self.load(server, "--warmup", 0.2, "--duration", 0.2, "--timeout", 1, cert=self.pki.client,
                           status=1)
        self.assertEqual((result["done"], result["failures"]), (0, {"timeout before the answer": 4}))

    def interrupt(self, times, *arguments):
        """What the load has to say that is interrupted so often while a server answers none of its four requests."""
        asked = []

        def hang(connection, _request):
            asked.append(1)
            connection.recv()
        load = subprocess.Popen(self.command(self.http(routes={"*": hang}), "--timeout", 60, *arguments,
                                             cert=self.pki.client), stdout=subprocess.PIPE)
        self.addCleanup(load.kill)
        poll_until(lambda: len(asked) == 4, "four requests", 20)
        for _ in range(times):
            load.send_signal(signal.SIGINT)
        load.communicate(timeout=30)
        return json.loads((self.dir / "result.json").read_text())

    def test_an_interrupt_gives_up_what_does_not_end(self):
        result = self.interrupt(1, "--duration", 60)
        self.assertEqual((result["done"], result["failures"], result["unfinished"]), (0, {}, 4))
        result = self.interrupt(1, "--idle", 4)
        self.assertEqual((result["done"], result["failures"], result["unfinished"]), (0, {}, 4))

    def test_an_interrupt_ends_a_hold_and_each_held_connection_is_asked_all_the_same(self):
        asked, interrupted = [], []

        def answer(connection, _request):
            asked.append(1)
            if interrupted:
                # Longer than what is open at an interrupt has otherwise.
                poll_until(lambda: time.monotonic() > interrupted[0] + 1.5, "a second and a half", 20)
            respond(connection, 200, b"")
        server = self.http(routes={"*": answer})
        command = self.command(server, "--timeout", 60, "--idle", 4, "--hold", 60, cert=self.pki.client)
        command.remove("--quiet")
        load = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(load.kill)
        # Told of a second when the next one has begun: all four are held by then.
        done = 0
        while done < 4:
            done += int(re.search(r" s +(\d+)/s", load.stderr.readline())[1])
        interrupted.append(time.monotonic())
        load.send_signal(signal.SIGINT)
        load.communicate(timeout=30)
        result = json.loads((self.dir / "result.json").read_text())
        self.assertEqual((result["held"], result["alive"], result["failures"], result["interrupted"]), (4, 4, {}, True))

    def test_an_interrupt_while_clients_are_signed_ends_that(self):
        load = subprocess.Popen(self.command(self.http(), "--population", 10_000_000, "--sign", "start", "--write-ca",
                                             self.dir / "signing-ca"), stderr=subprocess.PIPE, text=True)
        self.addCleanup(load.kill)
        poll_until((self.dir / "signing-ca").exists, "the CA", 20)
        # Before its handlers are there an interrupt simply ends it.
        def handled():
            status = Path(f"/proc/{load.pid}/status").read_text()
            return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) & 1 << signal.SIGINT - 1
        poll_until(handled, "its handlers", 20)
        load.send_signal(signal.SIGINT)
        self.assertIn("interrupted before the load began", load.communicate(timeout=30)[1])
        self.assertEqual(load.returncode, 130)

    def test_our_side_of_the_handshake_alone(self):
        server = self.serve(harness.tcp_config(self.pki, self.backend(lambda connection: connection.finish()).address))
        result = self.load(server, "--mode", "hs", "--total", 50, cert=self.pki.client)
        self.assertEqual((result["done"], result["failures"]), (50, {}))

    def test_help_and_version_are_told(self):
        for arguments, part in ((["--help"], "--target ADDR"), (["-h"], "--target ADDR"),
                                (["--version"], "portcullis-loadgen "), (["report", "--help"], "report A.json"),
                                (["report", "-h"], "report A.json")):
            done = subprocess.run([LOADGEN, *arguments], capture_output=True, timeout=20, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(part, done.stdout)

    def test_outputs_that_cannot_be_written_are_told_before_the_load(self):
        server = self.http()
        before = server.metrics()
        page = self.dir / "kept.html"
        page.write_text("kept")
        done = subprocess.run([*self.command(server, "--total", 1, cert=self.pki.client), "--json", self.dir / "no/x",
                               "--write-ca", self.dir, "--html", page], capture_output=True, timeout=20, text=True)
        self.assertEqual(done.returncode, 1)
        for path in (self.dir / "no/x", self.dir):
            self.assertIn(f"cannot write {path}: ", done.stderr)
        self.assertEqual(page.read_text(), "kept")
        self.assertEqual(server.metrics().sum(HANDSHAKES), before.sum(HANDSHAKES))

    def test_a_file_that_fails_at_the_end_costs_the_others_nothing(self):
        server, full, page = self.http(), self.dir / "full", self.dir / "page.html"
        full.symlink_to("/dev/full")
        command = [*self.command(server, "--total", 1, cert=self.pki.client), "--json", full, "--html", page]
        done = subprocess.run(command, capture_output=True, timeout=20, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot write {full}: No space left", done.stderr)
        self.assertIn("</html>", page.read_text())

    def test_standard_output_can_be_the_result(self):
        command = [*self.command(self.http(), "--total", 3, cert=self.pki.client), "--json", "-"]
        done = subprocess.run(command, capture_output=True, timeout=20, text=True, check=True)
        self.assertEqual(json.loads(done.stdout)["done"], 3)
        self.assertIn("3 connections in", done.stderr)

    def test_reports_compare_results(self):
        server = self.http()
        names = []
        for name in ("one", "two"):
            self.load(server, "--total", 20, "--html", self.dir / f"{name}.html", cert=self.pki.client)
            names.append(self.dir / f"{name}.json")
            (self.dir / "result.json").rename(names[-1])
        subprocess.run([LOADGEN, "report", *names, "--html", self.dir / "both.html"], check=True, timeout=20)
        page = (self.dir / "both.html").read_text()
        for part in ("Comparison", "Latency by percentile", ">one<", ">two<", "<svg"):
            self.assertIn(part, page)
        self.assertIsNone(re.search(r"(src|href)=|https?://", page))
        self.assertIn("Latency by percentile", (self.dir / "one.html").read_text())
        refused = subprocess.run([LOADGEN, "report", server.config_path, "--html", self.dir / "x.html"],
                                 capture_output=True, timeout=20)
        self.assertEqual(refused.returncode, 2)
        folder = subprocess.run([LOADGEN, "report", self.dir, "--html", self.dir / "x.html"], capture_output=True,
                                timeout=20, text=True)
        self.assertEqual((folder.returncode, folder.stderr),
                         (2, f"portcullis-loadgen report: cannot read {self.dir}: Is a directory\n"))


if __name__ == "__main__":
    harness.main()
