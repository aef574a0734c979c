"""Real clients, each kind of certificate, both TLS versions, both refusal styles: the right alert or page, the right
counters by exactly one, the right log line.

The expected alerts are those OpenSSL's own server gives for the same certificates.
"""

from dataclasses import dataclass

import harness
from clients import curl, poll_until, s_client
from harness import E2ETest, http_config
from walkthrough_test import PAGE_496

PAGE_495 = PAGE_496.replace(b"No required SSL certificate was sent", b"The SSL certificate error")

DURATION = "portcullis_handshake_duration_seconds_count"
REJECTIONS = "portcullis_handshake_rejections_total"


@dataclass
class Case:
    """A certificate (attribute of Pki) and what refusing it looks like."""

    cert: str
    reason: str
    alert: int
    failed: str = ""  # what the log says of it in OpenSSL's words, a part

    def alert_for(self, version):
        return 40 if self.cert == "" and version == "1.2" else self.alert

    def in_curl(self, version):
        """How curl -v shows the alert: names differ by its version, the number (level 2, description) does not."""
        return rf"\(IN\), TLS alert, [\w ]+ \({2 << 8 | self.alert_for(version)}\)"


CASES = [
    Case("", "no_cert", 116),
    Case("stranger", "unknown_ca", 48, "unable to get local issuer certificate"),
    Case("expired", "expired", 45, "certificate has expired"),
    Case("future", "not_yet_valid", 42, "certificate is not yet valid"),
    Case("revoked", "revoked", 44, "certificate revoked"),
    Case("bad_eku", "bad_purpose", 43, "certificate purpose"),
]


class Clients(E2ETest):

    def start(self, refusal, **listener):
        self.app = self.http_backend()
        config = http_config(self.pki, self.app.address, refusal=refusal)
        config["trusts"][0]["crl"] = [str(self.pki.ca_crl)]
        config["listeners"][0].update(listener)
        self.server = self.serve(config)
        return self.server

    def cert_of(self, case):
        return getattr(self.pki, case.cert) if case.cert else None

    def by_curl(self, cert, version, host="app.localhost"):
        return curl(f"https://{host}:{self.server.port}/", "--tlsv" + version, "--tls-max", version, "--http1.1",
                    cert=cert, cacert=self.pki.ca.crt, timeout=20 * harness.SLOW)

    def by_s_client(self, cert, version, sni="app.localhost"):
        return s_client(self.server.port, sni=sni, cert=cert, cacert=self.pki.ca.crt, version=version,
                        request=b"GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n",
                        timeout=20 * harness.SLOW)

    def expect_one(self, before, result, version, reason=None):
        """Exactly one handshake more, with that result; and one rejection more, with that reason, or none."""
        poll_until(lambda: self.server.metrics().sum(DURATION) > before.sum(DURATION), "a handshake counted")
        moved = self.server.metrics().moved(before)
        handshakes = {key[1]: delta for key, delta in moved.items() if key[0] == DURATION}
        labels = frozenset({("listener", "main"), ("result", result), ("version", version), ("resumed", "false")})
        self.assertEqual(handshakes, {labels: 1})
        rejections = {key[1]: delta for key, delta in moved.items() if key[0] == REJECTIONS}
        expected = {frozenset({("listener", "main"), ("reason", reason)}): 1} if reason else {}
        self.assertEqual(rejections, expected)

    def expect_log(self, count, event, version, **fields):
        line = self.server.wait_log(count, event=event)[-1]
        self.assertEqual(line["version"], "TLSv" + version, line)
        self.assertEqual(line["listener"], "main", line)
        self.assertRegex(line["peer"], r"^127\.0\.0\.1:\d+$")
        for name, value in fields.items():
            self.assertEqual(line.get(name), value, (name, line))
        self.assertGreater(line["handshake_ms"], 0, line)
        return line

    def test_good_clients_are_served(self):
        self.start("http")
        served = 0
        for name in ("client", "client_rsa", "chained"):
            for version in ("1.2", "1.3"):
                for by in (self.by_curl, self.by_s_client):
                    with self.subTest(cert=name, version=version, by=by.__name__):
                        cert = getattr(self.pki, name)
                        before = self.server.metrics()
                        answer = by(cert, version)
                        self.assertEqual(answer.exit, 0, answer)
                        self.assertIn("backend", answer.body if by == self.by_s_client else answer.body.decode())
                        self.expect_one(before, "ok", version)
                        served += 1
                        line = self.expect_log(served, "connection", version, sni="app.localhost",
                                               client_subject=cert.subject(), client_issuer=cert.issuer(),
                                               client_sha256=cert.sha256(), requests=1, resumed=False)
                        self.assertEqual(int(line["client_serial"], 16), int(cert.serial(), 16))
                        self.assertNotIn("reason", line)
                        self.assertGreater(line["duration_ms"], 0)
        self.assertEqual(len(self.app.requests), served)

    def test_refusal_by_alert(self):
        self.start("alert")
        refused = 0
        for case in CASES:
            for version in ("1.2", "1.3"):
                for by in ("curl", "s_client"):
                    with self.subTest(case=case.reason, version=version, by=by):
                        refused += 1
                        before = self.server.metrics()
                        if by == "curl":
                            answer = self.by_curl(self.cert_of(case), version)
                            self.assertRegex(answer.stderr, case.in_curl(version))
                            self.assertNotEqual(answer.exit, 0)
                            self.assertEqual(answer.status, 0)
                        else:
                            answer = self.by_s_client(self.cert_of(case), version)
                            self.assertEqual(answer.alert, case.alert_for(version), answer.output[-1500:])
                            self.assertEqual(answer.body, "")
                        self.expect_one(before, "rejected", version, case.reason)
                        line = self.expect_log(refused, "refused", version, reason=case.reason,
                                               alert_sent=case.alert_for(version))
                        self.expect_identity(line, case)
        self.assertEqual(self.app.requests, [])
        self.assertEqual(self.app.connections, [])

    def expect_identity(self, line, case):
        """The log names the refused leaf, and what OpenSSL calls the error."""
        if case.cert:
            cert = self.cert_of(case)
            self.assertEqual(line["client_subject"], cert.subject(), line)
            self.assertEqual(line["client_sha256"], cert.sha256(), line)
            self.assertIn(case.failed, line.get("x509_error", ""), line)
        else:
            self.assertNotIn("client_subject", line)

    def test_refusal_by_page(self):
        self.start("http")
        refused = 0
        for case in CASES:
            for version in ("1.2", "1.3"):
                for by in ("curl", "s_client"):
                    with self.subTest(case=case.reason, version=version, by=by):
                        refused += 1
                        before = self.server.metrics()
                        page = PAGE_495 if case.cert else PAGE_496
                        if by == "curl":
                            answer = self.by_curl(self.cert_of(case), version)
                            self.assertEqual((answer.exit, answer.status), (0, 400), answer)
                            self.assertEqual(answer.body, page)
                            self.assertEqual(answer.message.get("connection"), "close")
                        else:
                            answer = self.by_s_client(self.cert_of(case), version)
                            self.assertIsNone(answer.alert)
                            self.assertTrue(answer.body.startswith("HTTP/1.1 400 Bad Request"), answer.output[-1500:])
                            self.assertIn(page.split(b"\r\n")[1].decode(), answer.body)
                        self.expect_one(before, "rejected", version, case.reason)
                        self.expect_identity(self.expect_log(refused, "refused", version, reason=case.reason), case)
        self.assertEqual(self.app.requests, [])
        self.assertEqual(self.app.connections, [])

    def test_unknown_sni_is_refused_by_alert_in_either_style(self):
        for refusal in ("http", "alert"):
            self.start(refusal, unknown_sni="refuse")
            refused = 0
            for version in ("1.2", "1.3"):
                for by in ("curl", "s_client"):
                    with self.subTest(refusal=refusal, version=version, by=by):
                        refused += 1
                        before = self.server.metrics()
                        if by == "curl":
                            answer = self.by_curl(self.pki.client, version, host="other.localhost")
                            self.assertEqual((answer.exit, answer.status), (35, 0))  # SSL connect error
                            self.assertIn("TLS alert, unrecognized name (624)", answer.stderr)
                        else:
                            answer = self.by_s_client(self.pki.client, version, sni="other.localhost")
                            self.assertEqual(answer.alert, 112, answer.output[-1500:])
                        moved = self.moved_once(before)
                        self.assertEqual(moved, {"result": "rejected", "reason": "sni_unknown"})
                        line = self.server.wait_log(refused, event="refused")[-1]
                        self.assertEqual((line["reason"], line["sni"], line["alert_sent"]),
                                         ("sni_unknown", "other.localhost", 112))
            good = self.by_curl(self.pki.client, "1.3")
            self.assertEqual(good.status, 200)

    def moved_once(self, before):
        """The result and reason of the one handshake since `before`, whatever version it got as far as."""
        poll_until(lambda: self.server.metrics().sum(DURATION) > before.sum(DURATION), "a handshake counted")
        found = {}
        for (name, labels), delta in self.server.metrics().moved(before).items():
            if name in (DURATION, REJECTIONS):
                self.assertEqual(delta, 1)
                label = "result" if name == DURATION else "reason"
                self.assertNotIn(label, found)
                found[label] = dict(labels)[label]
        return found

    def test_a_client_without_sni_gets_the_default_host(self):
        self.start("http")
        answer = s_client(self.server.port, sni=None, cert=self.pki.client, version="1.3",
                          request=b"GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n")
        self.assertIn("200", answer.body.split("\r\n")[0])

    def test_optional_hosts_serve_without_but_refuse_bad_certificates(self):
        for refusal in ("http", "alert"):
            app = self.http_backend()
            self.server = self.serve(http_config(self.pki, app.address, refusal=refusal, auth="optional"))
            for version in ("1.2", "1.3"):
                with self.subTest(refusal=refusal, version=version):
                    self.assertEqual(self.by_curl(None, version).status, 200)
                    self.assertEqual(self.by_curl(self.pki.client, version).status, 200)
                    bad = self.by_curl(self.pki.expired, version)
                    if refusal == "http":
                        self.assertEqual((bad.status, bad.body), (400, PAGE_495))
                    else:
                        self.assertIn("TLS alert, certificate expired (557)", bad.stderr)

    def test_hosts_without_client_authentication_ask_for_none(self):
        app = self.http_backend()
        self.server = self.serve(http_config(self.pki, app.address, auth="off"))
        answer = self.by_s_client(self.pki.expired, "1.3")
        self.assertIn("200", answer.body.split("\r\n")[0])
        self.assertNotIn("Acceptable client certificate CA names", answer.output)

    def test_versions_and_ciphers_outside_the_configured_are_refused(self):
        app = self.http_backend()
        config = http_config(self.pki, app.address, tls={"min_version": "1.3"})
        self.server = self.serve(config)
        before = self.server.metrics()
        answer = self.by_s_client(self.pki.client, "1.2")
        self.assertEqual(answer.alert, 70, answer.output[-1500:])  # protocol_version
        self.assertEqual(self.moved_once(before)["reason"], "protocol_version")
        self.assertEqual(self.by_curl(self.pki.client, "1.3").status, 200)

    def test_old_key_exchanges_and_block_ciphers_find_nothing_in_common(self):
        self.start("alert")
        for cipher in ("ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"):
            with self.subTest(cipher=cipher):
                before = self.server.metrics()
                answer = s_client(self.server.port, "-cipher", cipher, cert=self.pki.client, version="1.2")
                self.assertEqual(answer.alert, 40, answer.output[-1500:])
                self.assertEqual(self.moved_once(before), {"result": "rejected", "reason": "no_shared_parameters"})


if __name__ == "__main__":
    harness.main()
