"""Clients whose certificates the issuer's OCSP responder is asked about: good, revoked, nobody at home, slow; and our
own certificate's response, stapled."""

import http.server
import re
import socket
import subprocess
import threading
import time

import harness
from clients import curl, poll_until, s_client
from harness import SLOW, E2ETest, http_config
from pki import openssl

FETCHES = "portcullis_ocsp_fetch_duration_seconds_count"
SLOTS = "portcullis_worker_connection_slots_in_use"
LAPSED = "portcullis_connections_lapsed_total"
OF_THE_CERTIFICATE = "the one that the certificate names"
GET = "GET / HTTP/1.1\nHost: app.localhost"


class Responder:
    """An OCSP responder for one Ca, on a port of the system's choice; openssl makes the answers."""

    def __init__(self, ca, folder):
        self.ca, self.folder = ca, folder
        folder.mkdir()
        self.revoked, self.asked, self.proceed = set(), [], threading.Event()
        self.proceed.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                answer = outer.answer(request)
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/ocsp-response")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass  # who asked has given up

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ocsp"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def answer(self, request):
        number = len(self.asked)
        self.asked.append(request)
        self.proceed.wait(60)
        paths = [self.folder / f"{number}.{kind}" for kind in ("index", "request", "response")]
        rows = [("R\t401231235959Z\t260101000000Z,keyCompromise" if cert in self.revoked else "V\t401231235959Z\t")
                + f"\t{cert.serial().upper()}\tunknown\t/CN={cert.serial()}\n" for cert in self.known]
        paths[0].write_text("".join(rows))
        paths[1].write_bytes(request)
        openssl("ocsp", "-index", paths[0], "-CA", self.ca.crt, "-rsigner", self.ca.crt, "-rkey", self.ca.key,
                "-reqin", paths[1], "-respout", paths[2], "-ndays", "1")
        return paths[2].read_bytes()

    known = ()

    def close(self):
        self.proceed.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Ocsp(E2ETest):

    def setUp(self):
        super().setUp()
        self.responder = Responder(self.pki.ca, self.dir / "responder")
        self.responder.known = (self.pki.client, self.pki.client_second, self.pki.revoked)
        self.responder.revoked = {self.pki.revoked}
        self.addCleanup(self.responder.close)

    def start(self, mode, refusal="alert", url=None, timeout="8s", workers=1):
        config = http_config(self.pki, self.http_backend().address, refusal=refusal)
        config["workers"] = workers
        config["trusts"][0]["ocsp"] = {"mode": mode, "responder": url or self.responder.url, "timeout": timeout}
        if url == OF_THE_CERTIFICATE:
            del config["trusts"][0]["ocsp"]["responder"]
        self.server = self.serve(config)

    def expect_counts(self, hits=0, **answers):
        metrics = self.server.metrics()
        counts = {result: metrics.sum(FETCHES, result=result) for result in ("good", "revoked", "unavailable")}
        self.assertEqual(counts, {"good": 0, "revoked": 0, "unavailable": 0} | answers)
        self.assertEqual(metrics.sum("portcullis_ocsp_cache_hits_total"), hits)

    def visit(self, cert, version="1.3", *more):
        request = b"GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n"
        return s_client(self.server.port, *more, version=version, cert=cert, request=request, timeout=30 * SLOW)

    def expect_served(self, visit):
        self.assertIn("200", visit.body.split("\r\n")[0], visit.output[-2000:])

    def free_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def test_good_ones_pass_and_are_asked_about_once(self):
        self.start("require")
        for version in ("1.2", "1.3"):
            for _ in range(3):
                self.expect_served(self.visit(self.pki.client, version))
        self.assertEqual(len(self.responder.asked), 1, "the answer is remembered")
        self.expect_served(self.visit(self.pki.client_second))
        self.assertEqual(len(self.responder.asked), 2)
        self.expect_counts(good=2, hits=5)

    def test_the_certificate_names_its_responder(self):
        def client(name, url):
            return self.pki.ca.issue(name, f"/CN={name}", "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n"
                                     f"authorityInfoAccess=OCSP;URI:{url}", folder=self.dir / name)
        names = client("names", self.responder.url)
        self.responder.known += (names,)
        self.start("require", url=OF_THE_CERTIFICATE)
        self.expect_served(self.visit(names))
        self.assertEqual(len(self.responder.asked), 1)
        for count, (other, why) in enumerate((
                (self.pki.client, "no responder is named"),
                (client("secret", "https://127.0.0.1/"), "no responder is named"),
                (client("odd", self.responder.url.replace("//", "//user@")), "URL is of no use")), 1):
            self.assertEqual(self.visit(other).alert, 46)
            self.assertIn(why, self.server.wait_log(count, reason="ocsp_unavailable")[-1]["detail"])
        self.assertEqual(len(self.responder.asked), 1)

    def test_whom_the_responder_comes_to_call_revoked_is_not_served_any_longer(self):
        real, self.responder.answer = self.responder.answer, lambda request: b"try later"
        self.start("soft")
        first, other = (self.client(self.server, cert=cert) for cert in (self.pki.revoked, self.pki.client))
        for live in (first, other):
            self.assertEqual(live.request(GET).status, 200)
        self.responder.answer = real
        poll_until(lambda: self.visit(self.pki.revoked).alert == 44, "a new question")
        self.assertEqual(first.wait_end(), "close_notify")
        self.assertEqual(other.request(GET).status, 200)
        poll_until(lambda: self.server.metrics().sum(LAPSED, reason="revoked") == 1, "lapse")
        self.assertEqual(self.server.metrics().sum(LAPSED), 1)

    def test_what_one_worker_hears_of_a_revocation_counts_at_the_other(self):
        """One worker has been told good and keeps that for an hour, the other is told nothing until it is told revoked.
        """
        session = self.dir / "session"
        self.responder.revoked = set()
        self.start("soft", workers=2)
        self.expect_served(self.visit(self.pki.revoked, "1.3", "-sess_out", session))
        real, self.responder.answer = self.responder.answer, lambda request: b"try later"

        def workers_with_connections():
            return sum(count > 0 for count in self.server.metrics().select(SLOTS).values())
        poll_until(lambda: workers_with_connections() == 0, "the end of that one")
        live = []
        while len(live) < 2 or workers_with_connections() < 2:
            live.append(self.client(self.server, cert=self.pki.revoked))
            self.assertEqual(live[-1].request(GET).status, 200)
        other = self.client(self.server)
        self.assertEqual(other.request(GET).status, 200)
        self.responder.revoked, self.responder.answer = {self.pki.revoked}, real
        poll_until(lambda: self.visit(self.pki.revoked).alert == 44, "a new question")
        for client in live:
            self.assertEqual(client.wait_end(), "close_notify")
        self.assertEqual(other.request(GET).status, 200)
        ended = self.server.wait_log(len(live), close="revoked")
        self.assertEqual({line["worker"] for line in ended}, {0, 1})
        self.assertEqual(self.server.metrics().sum(FETCHES, result="revoked"), 1, "counted where it was asked")

        refused = 1
        while {line["worker"] for line in self.server.wait_log(refused, reason="revoked")} != {0, 1}:
            visit = self.visit(self.pki.revoked, "1.3", "-sess_in", session)
            self.assertEqual((visit.reused, visit.alert), (False, 44), visit.output[-2000:])
            refused += 1
        self.assertEqual(self.server.metrics().sum(FETCHES, result="revoked"), 1, "nobody has to ask again")
        self.assertEqual(self.server.metrics().sum(LAPSED), len(live))

    def test_the_revoked_are_refused(self):
        for refusal in ("alert", "http"):
            for mode in ("soft", "require"):
                with self.subTest(mode=mode, refusal=refusal):
                    self.start(mode, refusal)
                    for version in ("1.2", "1.3"):
                        visit = self.visit(self.pki.revoked, version)
                        if refusal == "alert":
                            self.assertEqual((visit.alert, visit.body), (44, ""), visit.output[-2000:])
                        else:
                            self.assertIn("400", visit.body.split("\r\n")[0], visit.output[-2000:])
                    self.assertEqual(len(self.server.wait_log(2, reason="revoked")), 2)
                    self.server.stop()

    def test_without_a_responder_soft_passes_and_require_refuses(self):
        nobody = f"http://127.0.0.1:{self.free_port()}/"
        self.start("soft", url=nobody)
        for version in ("1.2", "1.3"):
            self.expect_served(self.visit(self.pki.client, version))
        self.server.stop()
        self.start("require", url=nobody)
        for version in ("1.2", "1.3"):
            visit = self.visit(self.pki.client, version)
            self.assertEqual((visit.alert, visit.body), (46, ""), visit.output[-2000:])
        lines = self.server.wait_log(2, reason="ocsp_unavailable")
        self.assertIn("takes no connection", lines[0]["detail"])
        metrics = self.server.metrics()
        self.assertEqual(metrics.sum("portcullis_handshake_rejections_total", reason="ocsp_unavailable"), 2)
        self.expect_counts(unavailable=1, hits=1)

    def test_names_are_resolved_and_unknown_ones_are_nobody(self):
        self.start("require", url=self.responder.url.replace("127.0.0.1", "localhost"))
        self.expect_served(self.visit(self.pki.client))
        self.server.stop()
        self.start("require", url="http://responder.invalid/")
        self.assertEqual(self.visit(self.pki.client).alert, 46)

    def test_an_answer_about_another_certificate_is_none(self):
        self.start("require")
        real, first = self.responder.answer, []

        def replay(request):
            first.append(real(request))
            return first[0]
        self.responder.answer = replay
        self.expect_served(self.visit(self.pki.client))
        self.assertEqual(self.visit(self.pki.client_second).alert, 46)
        self.assertIn("another certificate", self.server.wait_log(1, reason="ocsp_unavailable")[0]["detail"])

    def test_a_slow_responder_delays_nobody_else(self):
        self.start("require", timeout="30s")
        self.expect_served(self.visit(self.pki.client_second))
        served = self.client(self.server, cert=self.pki.client_second)
        self.assertEqual(served.request(GET).status, 200)
        self.responder.proceed.clear()
        waiting = [subprocess.Popen(["curl", "-sS", "--noproxy", "*", "--http1.1", "--cacert", self.pki.ca.crt,
                                     "--cert", self.pki.client.crt, "--key", self.pki.client.key, "--resolve",
                                     f"app.localhost:{self.server.port}:127.0.0.1", "-o", "/dev/null", "-w",
                                     "%{http_code}", f"https://app.localhost:{self.server.port}/"],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(5)]
        poll_until(lambda: len(self.responder.asked) == 2, "the question")
        began = time.monotonic()
        for _ in range(5):
            self.assertEqual(served.request(GET).status, 200)
            self.expect_served(self.visit(self.pki.client_second))
        self.assertLess(time.monotonic() - began, 10 * SLOW)
        self.assertEqual([process.poll() for process in waiting], [None] * 5)
        self.assertEqual(len(self.responder.asked), 2, "five connections of one certificate ask once")
        self.responder.proceed.set()
        self.assertEqual([process.communicate()[0] for process in waiting], [b"200"] * 5)
        self.assertEqual(len(self.responder.asked), 2)

    def test_a_hanging_responder_is_given_up(self):
        self.responder.proceed.clear()
        self.start("soft", timeout="300ms")
        self.expect_served(self.visit(self.pki.client))
        self.server.stop()
        self.start("require", timeout="300ms")
        self.assertEqual(self.visit(self.pki.client).alert, 46)
        self.assertIn("in time", self.server.wait_log(1, reason="ocsp_unavailable")[0]["detail"])

    def test_clients_who_leave_while_waiting_are_let_go(self):
        self.responder.proceed.clear()
        self.start("require", timeout="30s")

        def asked_about(cert):
            count = len(self.responder.asked)
            client = self.client(self.server, cert=cert)  # done, as a TLS 1.3 client sees it
            poll_until(lambda: len(self.responder.asked) == count + 1, "the question")
            return client
        asked_about(self.pki.client).abort()
        self.assertEqual(self.server.wait_log(1)[0]["reason"], "reset")
        ends = asked_about(self.pki.client_second)
        ends.socket.shutdown(socket.SHUT_WR)  # It may want to read still.
        self.responder.proceed.set()
        ends.wait_end()
        self.server.wait_log(2)
        self.expect_served(self.visit(self.pki.client))

    def test_what_a_client_sends_meanwhile_is_kept(self):
        self.responder.proceed.clear()
        self.start("require", timeout="30s")
        client = self.client(self.server)
        poll_until(lambda: self.responder.asked, "the question")
        body = b"x" * 1_000_000
        client.send(b"POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: %d\r\n\r\n" % len(body))
        client.send(body[:300_000])
        sender = threading.Thread(target=client.send, args=(body[300_000:],))
        sender.start()
        self.responder.proceed.set()
        sender.join()
        self.assertEqual(client.http.response("POST").status, 200)

    def test_a_ticket_lasts_no_longer_than_what_the_responder_said(self):
        path = self.dir / "session"
        self.start("soft", url=f"http://127.0.0.1:{self.free_port()}/")
        visit = self.visit(self.pki.client, "1.3", "-sess_out", path)
        self.expect_served(visit)
        lifetime = re.search(r"lifetime hint: (\d+)", visit.output)
        self.assertIsNotNone(lifetime, visit.output[-2000:])
        self.assertLessEqual(int(lifetime[1]), 5)

    def test_our_own_response_is_stapled(self):
        self.responder.known += (self.pki.server,)
        request = self.dir / "request.der"
        openssl("ocsp", "-issuer", self.pki.ca.crt, "-cert", self.pki.server.leaf, "-no_nonce", "-reqout", request)
        staple = self.dir / "server.ocsp"
        staple.write_bytes(self.responder.answer(request.read_bytes()))
        chain = self.dir / "chain.crt"
        chain.write_bytes(self.pki.server.crt.read_bytes() + self.pki.ca.crt.read_bytes())
        config = http_config(self.pki, self.http_backend().address)
        config["virtual_hosts"][0]["certificates"] = [
            {"certificate": str(chain), "key": str(self.pki.server.key), "ocsp_response": str(staple)}]
        self.server = self.serve(config)
        for version in ("1.2", "1.3"):
            visit = self.visit(self.pki.client, version, "-status")
            self.assertIn("OCSP Response Status: successful", visit.output)
            self.assertIn("Cert Status: good", visit.output)
            self.expect_served(visit)
        answer = curl(f"https://app.localhost:{self.server.port}/", "--cert-status", cert=self.pki.client,
                      cacert=self.pki.ca.crt)
        self.assertEqual(answer.exit, 0, answer.stderr)


if __name__ == "__main__":
    harness.main()
