"""What is counted is what was done, exactly; and the exposition is one Prometheus accepts."""

import json
import os
import subprocess
import threading
import time

import harness
from backends import tcp_echo
from clients import Closed, poll_until, request_bytes
from harness import E2ETest, host, http_config, tcp_config

DURATION = "portcullis_handshake_duration_seconds_count"
REJECTIONS = "portcullis_handshake_rejections_total"


class Exactness(E2ETest):

    def setUp(self):
        super().setUp()
        self.app = self.http_backend()
        config = http_config(self.pki, self.app.address)
        config["listeners"].append({"name": "strict", "address": "127.0.0.1:0", "hosts": ["a.localhost"]})
        config["virtual_hosts"].append(host(self.pki, ["a.localhost"], refusal="alert"))
        self.server = self.serve(config)

    def loop(self, count, listener="main", name="app.localhost", **options):
        self.server.port = self.server.ports[listener]
        for _ in range(count):
            yield self.curl(self.server, "/", host=name, **options)

    def expect(self, before, *expected, series):
        """Exactly these (labels, delta) moved in `series`."""
        wanted = {frozenset(labels.items()): delta for labels, delta in expected}

        def moved():
            deltas = self.server.metrics().moved(before)
            return {labels: delta for (name, labels), delta in deltas.items() if name == series}
        poll_until(lambda: moved() == wanted, lambda: f"{series} moved by {wanted}, is {moved()}", 5 * harness.SLOW)

    def test_the_last_rejections_are_told_by_reason(self):
        list(self.loop(2, cert=self.pki.expired))
        list(self.loop(1, "strict", "a.localhost", cert=self.pki.stranger))

        def rejections():
            return json.loads(self.server.admin_get("/rejections")[1])["rejections"]
        poll_until(lambda: sorted((reason, len(lines)) for reason, lines in rejections().items())
                   == [("expired", 2), ("unknown_ca", 1)], "three rejections by reason")
        expired = rejections()["expired"][0]
        self.assertEqual(expired["event"], "refused")
        self.assertIn("CN=", expired["client_subject"])
        self.assertEqual(rejections()["unknown_ca"][0]["listener"], "strict")

    def test_curl_loops_move_handshakes_and_rejections_by_what_was_done(self):
        before = self.server.metrics()
        self.assertEqual({a.status for a in self.loop(7)}, {200})
        self.assertEqual({a.status for a in self.loop(5, cert=None)}, {400})
        self.assertEqual({a.status for a in self.loop(3, cert=self.pki.expired)}, {400})
        self.assertEqual({a.status for a in self.loop(4, "strict", "a.localhost")}, {200})
        self.assertEqual({a.status for a in self.loop(2, "strict", "a.localhost", cert=self.pki.stranger)}, {0})
        tls13 = {"version": "1.3", "resumed": "false"}
        self.expect(before, ({"listener": "main", "result": "ok", **tls13}, 7),
                    ({"listener": "main", "result": "rejected", **tls13}, 8),
                    ({"listener": "strict", "result": "ok", **tls13}, 4),
                    ({"listener": "strict", "result": "rejected", **tls13}, 2), series=DURATION)
        self.expect(before, ({"listener": "main", "reason": "no_cert"}, 5),
                    ({"listener": "main", "reason": "expired"}, 3),
                    ({"listener": "strict", "reason": "unknown_ca"}, 2), series=REJECTIONS)
        self.expect(before, ({"listener": "main", "verdict": "accepted", "reason": "none"}, 7),
                    ({"listener": "main", "verdict": "none", "reason": "none"}, 5),
                    ({"listener": "main", "verdict": "rejected", "reason": "expired"}, 3),
                    ({"listener": "strict", "verdict": "accepted", "reason": "none"}, 4),
                    ({"listener": "strict", "verdict": "rejected", "reason": "unknown_ca"}, 2),
                    series="portcullis_client_chain_verdicts_total")

    def test_requests_are_counted_by_class_and_connections_once(self):
        before = self.server.metrics()
        with self.client(self.server) as client:
            for _ in range(6):
                self.assertEqual(client.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)
        self.assertEqual(self.curl(self.server, cert=None).status, 400)
        self.expect(before, ({"listener": "main", "code": "2xx"}, 6), ({"listener": "main", "code": "4xx"}, 1),
                    series="portcullis_http_requests_total")
        self.expect(before, ({"listener": "main"}, 2), series="portcullis_connections_accepted_total")
        line = self.server.wait_log(event="connection")[0]
        self.assertEqual(line["requests"], 6)

    def test_gauges_rise_and_fall_with_what_is_open(self):
        active, pending = "portcullis_active_connections", "portcullis_handshakes_in_progress"
        silent = [self.client(self.server, handshake=False) for _ in range(3)]
        poll_until(lambda: self.server.metrics().sum(pending) == 3, "three handshakes in progress")
        open_ones = [self.client(self.server) for _ in range(4)]
        poll_until(lambda: self.server.metrics().sum(active, listener="main") == 7, "seven connections")
        self.assertEqual(self.server.metrics().sum(pending), 3)
        for client in silent + open_ones:
            client.close()
        poll_until(lambda: self.server.metrics().sum(active) == 0, "no connection left")
        self.assertEqual(self.server.metrics().sum(pending), 0)

    def test_a_client_that_leaves_in_the_handshake_is_a_failure_with_a_reason(self):
        before = self.server.metrics()
        leaver = self.client(self.server, handshake=False)
        leaver.socket.sendall(b"\x16\x03\x01")
        leaver.close()
        labels = {"listener": "main", "result": "failed", "version": "unknown", "resumed": "false"}
        self.expect(before, (labels, 1), series=DURATION)
        self.expect(before, ({"listener": "main", "reason": "eof"}, 1), series=REJECTIONS)
        self.assertEqual(self.server.wait_log(event="refused")[0]["reason"], "eof")

    def test_a_client_that_distrusts_us_is_counted_as_its_alert(self):
        before = self.server.metrics()
        with self.assertRaises(Closed):
            self.client(self.server, cacert=self.pki.other.crt)
        poll_until(lambda: self.server.metrics().sum(REJECTIONS, reason="client_alert") == 1, "an alert counted")
        moved = self.server.metrics().moved(before)
        self.assertEqual(sum(delta for (name, _), delta in moved.items() if name == DURATION), 1)
        line = self.server.wait_log(event="refused")[0]
        self.assertEqual((line["reason"], line["alert_received"]), ("client_alert", 48))


class Bytes(E2ETest):

    def test_bytes_of_a_tcp_connection_are_counted_on_both_sides(self):
        echo = self.backend(tcp_echo)
        server = self.serve(tcp_config(self.pki, echo.address))
        before = server.metrics()
        with self.client(server) as client:
            client.send(b"x" * 100_000)
            self.assertEqual(len(client.recv_exactly(100_000)), 100_000)
            client.send_close_notify()
            self.assertEqual(client.wait_end(), "close_notify")
        poll_until(lambda: server.log(event="connection"), "the connection logged")
        moved = {labels: delta for (name, labels), delta in server.metrics().moved(before).items()
                 if name == "portcullis_transferred_bytes_total"}
        self.assertEqual(moved, {frozenset({("listener", "main"), ("side", side), ("direction", direction)}): 100_000.0
                                 for side in ("client", "backend") for direction in ("rx", "tx")})
        line = server.log(event="connection")[0]
        for field in ("client_rx_bytes", "client_tx_bytes", "backend_rx_bytes", "backend_tx_bytes"):
            self.assertEqual(line[field], 100_000, line)


    def expect_moved(self, server, before, counts):
        """The bytes that moved since, by (side, direction), are soon these, while everything stays open."""
        def moved():
            return {(dict(labels)["side"], dict(labels)["direction"]): delta
                    for (name, labels), delta in server.metrics().moved(before).items()
                    if name == "portcullis_transferred_bytes_total"}
        poll_until(lambda: moved() == counts, lambda: f"{counts} moved, is {moved()}", 3 * harness.SLOW)
        self.assertEqual(server.log(event="connection"), [])

    def test_bytes_of_a_stream_are_counted_while_it_is_open(self):
        echo = self.backend(tcp_echo)
        server = self.serve(tcp_config(self.pki, echo.address))
        before = server.metrics()
        with self.client(server) as client:
            for total in (100_000, 200_000):
                client.send(b"x" * 100_000)
                self.assertEqual(len(client.recv_exactly(100_000)), 100_000)
                self.expect_moved(server, before, {(side, direction): total for side in ("client", "backend")
                                                   for direction in ("rx", "tx")})

    def test_bytes_of_an_answer_under_way_are_counted_before_its_end(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"

        def half(connection, _request):
            connection.send(head + b"x" * 100_000)
            go_on.wait(60)
            connection.send(b"x" * 100_000)
        app = self.http_backend({"/half": half})
        server = self.serve(http_config(self.pki, app.address))
        before = server.metrics()
        with self.client(server) as client:
            client.send(request_bytes("GET /half HTTP/1.1\nHost: app.localhost"))
            poll_until(lambda: app.requests, "the request")
            sent, received = len(request_bytes("GET /half HTTP/1.1\nHost: app.localhost")), len(head) + 100_000
            asked = len(app.connections[0].received)
            self.expect_moved(server, before, {("client", "rx"): sent, ("client", "tx"): received,
                                               ("backend", "tx"): asked, ("backend", "rx"): received})
            go_on.set()
            self.assertEqual(len(client.http.response().body), 200_000)
            received += 100_000
            self.expect_moved(server, before, {("client", "rx"): sent, ("client", "tx"): received,
                                               ("backend", "tx"): asked, ("backend", "rx"): received})


class Exposition(E2ETest):

    def start(self):
        app = self.http_backend()
        config = http_config(self.pki, app.address)
        config["trusts"][0]["crl"] = [str(self.pki.ca_crl)]
        return self.serve(config)

    def test_promtool_finds_nothing_to_say(self):
        server = self.start()
        self.curl(server)
        self.curl(server, cert=None)
        tool = os.environ.get("PROMTOOL", "promtool")
        text = server.metrics().text
        done = subprocess.run([tool, "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_every_reason_and_result_is_there_before_it_happens(self):
        metrics = self.start().metrics()
        reasons = {dict(labels)["reason"] for labels in metrics.select(REJECTIONS, listener="main")}
        for reason in ("no_cert", "expired", "not_yet_valid", "unknown_ca", "revoked", "bad_purpose", "sni_unknown",
                       "timeout", "eof", "plain_http", "client_alert"):
            self.assertIn(reason, reasons)
        self.assertNotIn("none", reasons)
        self.assertEqual(metrics.sum(REJECTIONS), 0)
        self.assertEqual({dict(labels)["result"] for labels in metrics.select(DURATION)}, {"ok", "rejected", "failed"})

    def test_facts_of_the_build_and_of_every_certificate_are_shown(self):
        server = self.start()
        metrics = server.metrics()
        self.assertEqual(metrics.sum("portcullis_build_info"), 1)
        expiries = metrics.select("portcullis_certificate_not_after_timestamp_seconds")
        self.assertEqual({dict(labels)["kind"] for labels in expiries}, {"server", "ca"})
        self.assertIn(self.pki.ca.cert().serial().upper(),
                      {dict(labels)["serial"] for labels in expiries if dict(labels)["kind"] == "ca"})
        for value in expiries.values():
            self.assertAlmostEqual(value, time.time() + 30 * 86400, delta=86400)
        crl = metrics.sum("portcullis_crl_next_update_timestamp_seconds", trust="clients")
        self.assertAlmostEqual(crl, time.time() + 7 * 86400, delta=86400)
        self.assertGreater(metrics.sum("process_open_fds"), 0)

    def test_probes_tell_alive_and_ready(self):
        server = self.start()
        self.assertEqual(server.admin_get("/healthz")[0], 200)
        self.assertEqual(server.admin_get("/readyz")[0], 200)
        self.assertEqual(server.admin_get("/nowhere")[0], 404)
        status = json.loads(server.admin_get("/status")[1])
        self.assertIn("version", status)


if __name__ == "__main__":
    harness.main()
