"""Every reason of the taxonomy (tls/rejection.h), from a real handshake: the alert that openssl s_client sees under
both TLS versions, the page it gets where the host answers with pages, the one counter that moves, and the log line with
the certificate at fault, of which the client is told nothing.

CASES is the table; LEFT_OUT says why a reason is not in it. A reason in neither fails the suite.
"""

import contextlib
import re
import signal
import socket
import ssl
import struct
import threading
from dataclasses import dataclass
from pathlib import Path

import harness
from clients import poll_until, s_client
from harness import SLOW, WORK, E2ETest, host, http_config
from pki import Misfits

ROOT = Path(__file__).resolve().parents[2]
REJECTIONS = "portcullis_handshake_rejections_total"
HANDSHAKES = "portcullis_handshake_duration_seconds_count"
VERSIONS = ("1.2", "1.3")

# As OpenSSL prints them. Its prefix (sslv3, tlsv1, tlsv13) is of the version which brought the alert.
ALERTS = {40: "handshake failure", 42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked",
          45: "certificate expired", 46: "certificate unknown", 47: "illegal parameter", 48: "unknown ca",
          49: "access denied", 51: "decrypt error", 70: "protocol version", 80: "internal error",
          112: "unrecognized name", 116: "certificate required"}
ILLEGAL_PARAMETER, INTERNAL_ERROR = 47, 80
NOBODY = 1  # a port where nobody listens

LEFT_OUT = {
    "internal": "our own failure (no memory, a key that does not sign): no client can bring it about",
}


@dataclass
class Case:
    """How s_client provokes a reason, and what follows. `alert` is TLS 1.2's and 1.3's number; `page` the status under
    refusal by page, None where there is an alert in either style."""

    reason: str
    alert: tuple
    page: int | None
    cert: str = ""  # attribute of Misfits or Pki
    sni: str = "app.localhost"
    host: str = ""  # of the request, where it is not the SNI
    args: dict | None = None  # by version: what else s_client is given
    # What the log tells of the certificate at fault.
    subject: str = ""  # the attribute whose subject it is; without one, the leaf's
    depth: int = 0
    x509: str = ""
    detail: str = ""

    def name(self):
        return f"{self.reason}:{self.cert or self.sni}"


def both(number):
    return (number, number)


def wild(name):
    return f"{name}.wild.localhost"


SECLEVEL0 = {"1.2": ["-cipher", "DEFAULT:@SECLEVEL=0"], "1.3": ["-cipher", "DEFAULT:@SECLEVEL=0"]}

CASES = [
    # The client's certificate.
    Case("no_cert", (40, 116), 496),
    Case("expired", both(45), 495, "expired", x509="certificate has expired"),
    Case("expired", both(45), 495, "below_expired", subject="expired_mid", depth=1, x509="certificate has expired"),
    Case("not_yet_valid", both(42), 495, "future", x509="certificate is not yet valid"),
    Case("unknown_ca", both(48), 495, "stranger", x509="unable to get local issuer certificate"),
    Case("revoked", both(44), 495, "revoked", x509="certificate revoked"),
    Case("revoked", both(44), 495, "below_revoked", subject="revoked_mid", depth=1, x509="certificate revoked"),
    Case("crl_stale", both(46), 495, "client", wild("stale"), x509="CRL has expired"),
    Case("crl_missing", both(46), 495, "client", wild("demanding"), x509="unable to get certificate CRL"),
    Case("ocsp_unavailable", both(46), 495, "client", wild("asking"), x509="application verification failure",
         detail="the responder takes no connection"),
    Case("bad_signature", both(42), 495, "forged", x509="certificate signature failure"),
    Case("bad_purpose", both(43), 495, "bad_eku", x509="unsupported certificate purpose"),
    Case("weak_key", both(42), 495, "weak_rsa", args=SECLEVEL0, x509="certificate rejected", detail="key"),
    Case("chain_too_long", both(48), 495, "chained", wild("shallow"), subject="mid", depth=1,
         x509="certificate chain too long"),
    # s_client sends the leaf twice; the fault is where the bytes were too many.
    Case("chain_too_big", both(42), 495, "big", depth=1, x509="certificate chain too long"),
    Case("bad_certificate", both(42), 495, "unknown_critical", x509="unhandled critical extension"),
    Case("bad_certificate", both(42), 495, "outside_names", x509="permitted subtree violation"),
    Case("policy_denied", both(49), 403, "client", wild("choosy"), x509="application verification failure",
         detail="not-you"),
    # The handshake.
    Case("sni_unknown", both(112), None, "client", "nowhere.localhost"),
    Case("protocol_version", (70, None), None, "client", wild("only13")),
    Case("protocol_version", (None, 70), None, "client", wild("only12")),
    Case("no_shared_parameters", both(40), None, "client",
         args={"1.2": ["-cipher", "AES128-GCM-SHA256"], "1.3": ["-groups", "X448"]}),
    Case("bad_proof", both(51), None, "impostor"),
]
# After it: the request names a host which asks for other clients.
MISDIRECTED = Case("sni_host_mismatch", both(None), 421, "client", host=wild("choosy"))
# Not to be had from s_client alone, each with a test of its own below; none has a page but plain_http.
OTHERS = {"client_alert", "plain_http", "bad_message", "eof", "reset", "timeout", "overload", "shutdown"}


def page(number):
    """nginx's pages, bytes for bytes."""
    title, detail = {403: ("403 Forbidden", ""), 421: ("421 Misdirected Request", ""),
                     495: ("400 Bad Request", "The SSL certificate error"),
                     496: ("400 Bad Request", "No required SSL certificate was sent"),
                     497: ("400 Bad Request", "The plain HTTP request was sent to HTTPS port")}[number]
    lines = [f"<html>\r\n<head><title>{f'400 {detail}' if detail else title}</title></head>\r\n<body>\r\n"
             f"<center><h1>{title}</h1></center>\r\n"]
    if detail:
        lines.append(f"<center>{detail}</center>\r\n")
    return title, "".join([*lines, "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"])


class FirstFlightOnly:
    """Between a client and the server: of the client only the first record passes (its ClientHello), of the server
    everything. `port` is for the client."""

    def __init__(self, port):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20 * SLOW)
        self.port, self._to = self._listener.getsockname()[1], port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with self._listener, self._listener.accept()[0] as client, \
                socket.create_connection(("127.0.0.1", self._to), 20 * SLOW) as server:
            client.settimeout(20 * SLOW)
            record = client.recv(5, socket.MSG_WAITALL)
            size = struct.unpack(">H", record[3:])[0]
            server.sendall(record + client.recv(size, socket.MSG_WAITALL))
            with contextlib.suppress(OSError):
                while data := server.recv(65536):
                    client.sendall(data)

    def join(self):
        self._thread.join(30 * SLOW)


class Taxonomy(E2ETest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.misfits = Misfits(cls.pki, WORK / "run" / "taxonomy_test.misfits")

    def start(self, refusal, listener=None, explain=False, **top):
        """A server with a host for each rule that refuses."""
        pki, misfits = self.pki, self.misfits
        self.app = self.http_backend()

        def of(name, trust="clients", **auth):
            made = host(pki, [name], refusal=refusal, trust=trust, **{k: v for k, v in auth.items() if k == "tls"})
            made["client_auth"].update({k: v for k, v in auth.items() if k != "tls"})
            if explain:
                made["client_auth"]["explain_refusals"] = True
            return made
        ca = [str(pki.ca.crt)]
        config = http_config(pki, self.app.address, **top)
        config["virtual_hosts"] = [
            of("app.localhost"), of(wild("stale"), "stale"), of(wild("demanding"), "demanding"),
            of(wild("asking"), "asking"), of(wild("shallow"), max_depth=0),
            of(wild("only13"), tls={"min_version": "1.3"}), of(wild("only12"), tls={"max_version": "1.2"}),
            of(wild("choosy"), policy={"deny": [{"name": "not-you", "common_name": "client"}]})]
        config["trusts"] = [{"name": "clients", "ca": ca, "crl": [str(misfits.crl)]},
                            {"name": "stale", "ca": ca, "crl": [str(misfits.stale_crl)]},
                            {"name": "demanding", "ca": [*ca, str(pki.other.crt)], "crl": [str(misfits.other_crl)],
                             "revocation": {"mode": "require"}},
                            {"name": "asking", "ca": ca,
                             "ocsp": {"mode": "require", "responder": f"http://127.0.0.1:{NOBODY}/"}}]
        config.setdefault("limits", {}).setdefault("max_chain_bytes", "8KiB")
        config["listeners"][0].update({"unknown_sni": "refuse", **(listener or {})})
        del config["listeners"][0]["hosts"]
        self.server = self.serve(config)
        self.refused = 0
        return self.server

    def cert(self, name):
        return (getattr(self.misfits, name, None) or getattr(self.pki, name)) if name else None

    def ask(self, case, version, port=None, **options):
        request = f"GET / HTTP/1.1\r\nHost: {case.host or case.sni}\r\nConnection: close\r\n\r\n".encode()
        options.setdefault("cacert", self.pki.ca.crt)
        return s_client(port or self.server.port, *(case.args or {}).get(version, []), sni=case.sni, version=version,
                        cert=self.cert(case.cert), request=request, timeout=20 * SLOW, **options)

    def counted(self, before, reason, count=1):
        """Of all reasons exactly this one moved, and by `count`."""
        poll_until(lambda: self.server.metrics().sum(REJECTIONS) >= before.sum(REJECTIONS) + count,
                   f"{count} of {reason} counted")
        moved = {dict(key[1])["reason"]: delta for key, delta in self.server.metrics().moved(before).items()
                 if key[0] == REJECTIONS}
        self.assertEqual(moved, {reason: count})

    def logged(self, reason, **fields):
        self.refused += 1
        line = self.server.wait_log(self.refused, event="refused")[-1]
        self.assertEqual(line["reason"], reason, line)
        for name, value in fields.items():
            self.assertEqual(line.get(name), value, (name, line))
        return line

    def expect_culprit(self, case, line):
        """The log names the certificate at fault, its depth, and X.509's word for the fault."""
        if not case.x509:
            self.assertNotIn("x509_error", line)
            return []
        culprit = self.cert(case.subject or case.cert)
        self.assertEqual(line.get("failed_subject"), culprit.subject(), line)
        self.assertEqual(line.get("failed_depth"), case.depth, line)
        self.assertEqual(line.get("x509_error"), case.x509, line)
        if case.detail:
            self.assertEqual(line.get("detail"), case.detail, line)
        return [line["failed_subject"], line["client_subject"], line["x509_error"]]

    def expect_alert(self, answer, number):
        self.assertEqual(answer.alert, number, answer.output[-1500:])
        said = re.search(r":(?:sslv3|tlsv1|tlsv13|ssl/tls)(?: alert)? ([\w ]+):", answer.output)
        self.assertEqual(said and said.group(1), ALERTS[number], answer.output[-1500:])
        self.assertEqual(answer.body, "")

    def expect_page(self, answer, number, secrets, note=None):
        """The page and nothing more: no word of what the log says, unless in the header that explains refusals."""
        self.assertIsNone(answer.alert, answer.output[-1500:])
        head, _, body = answer.body.partition("\r\n\r\n")
        title, text = page(number)
        self.assertEqual(head.split("\r\n")[0], f"HTTP/1.1 {title}")
        names = {line.split(":")[0].lower() for line in head.split("\r\n")[1:]}
        notes = re.findall(r"(?i)\r\nportcullis-refusal: ([^\r\n]*)", head)
        self.assertEqual(notes, [] if note is None else [note])
        self.assertEqual(names - {"portcullis-refusal"},
                         {"server", "date", "content-type", "content-length", "connection"})
        self.assertTrue(body.startswith(text), body)
        self.assertEqual(int(re.search(r"(?i)content-length: (\d+)", head).group(1)), len(text))
        for secret in secrets:
            self.assertNotIn(secret, head + text)

    def run_case(self, case, version, refusal):
        alert = case.alert[VERSIONS.index(version)]
        if alert is None and case.page is None:
            return  # the other version's case
        before = self.server.metrics()
        answer = self.ask(case, version)
        self.counted(before, case.reason)
        by_page = refusal == "http" and case.page is not None
        line = self.logged(case.reason, alert_sent=None if by_page else alert)
        secrets = self.expect_culprit(case, line)
        if by_page:
            self.expect_page(answer, case.page, secrets)
        else:
            self.expect_alert(answer, alert)
            for secret in secrets[:2]:  # the alert's own name may be X.509's
                self.assertNotIn(secret, answer.output)

    def run_table(self, refusal):
        self.start(refusal)
        for case in CASES:
            for version in VERSIONS:
                with self.subTest(case=case.name(), version=version):
                    self.run_case(case, version, refusal)
        self.assertEqual(self.app.requests, [])
        self.assertEqual(self.app.connections, [])

    def test_a_page_says_why_where_that_is_asked_for(self):
        self.start("http", explain=True)
        for case in [case for case in CASES if case.page] + [MISDIRECTED]:
            with self.subTest(case=case.name()):
                note = f'{case.reason}; depth={case.depth}; x509="{case.x509}"' if case.x509 else case.reason
                answer = self.ask(case, "1.3")
                self.expect_page(answer, case.page, self.names_of(case), note)
        with self.client(self.server) as client:
            served = client.request("GET / HTTP/1.1\nHost: app.localhost")
        self.assertEqual(served.status, 200)
        self.assertNotIn("portcullis-refusal", str(served.headers).lower())

    def names_of(self, case):
        """What certificates say of whom they are, which nobody is told."""
        certs = [self.cert(name) for name in (case.cert, case.subject) if name]
        return [name for cert in certs for name in (cert.subject(), self.pki.ca.subject())]

    def test_the_table_has_every_reason(self):
        enum = re.search(r"enum class Rejection : uint8_t \{(.*?)\n\};", (ROOT / "tls/rejection.h").read_text(), re.S)
        members = re.findall(r"^\s+(k\w+),", enum.group(1), re.M)
        rows = re.findall(r'\{Rejection::(k\w+), "(\w+)", ', (ROOT / "tls/rejection.cc").read_text())
        self.assertEqual([member for member, _ in rows], members)
        self.assertGreater(len(members), 20)
        tried = {case.reason for case in CASES} | {MISDIRECTED.reason} | OTHERS
        self.assertEqual(tried & set(LEFT_OUT), set())
        self.assertEqual(tried | set(LEFT_OUT) | {"none"}, {name for _, name in rows})

    def test_the_good_pass_every_host_that_refuses_others(self):
        self.start("http")
        for case in (Case("", (), None, "client"), Case("", (), None, "client_second", wild("choosy")),
                     Case("", (), None, "client", wild("shallow")), Case("", (), None, "client_rsa", args=SECLEVEL0)):
            for version in VERSIONS:
                with self.subTest(case=case.name(), version=version):
                    answer = self.ask(case, version)
                    self.assertTrue(answer.body.startswith("HTTP/1.1 200"), answer.output[-1500:])
        self.assertEqual(self.server.metrics().sum(REJECTIONS), 0)

    def test_refused_by_alert(self):
        self.run_table("alert")

    def test_refused_by_page(self):
        self.run_table("http")

    def test_a_chain_beyond_what_is_read_at_all_gets_an_alert_in_either_style(self):
        """The library gives up at the message's length, before there is a chain to judge or a handshake to answer a
        page in; the alert is its own choice. Up to that length it is CASES's chain_too_big."""
        for refusal in ("alert", "http"):
            self.start(refusal, limits={"max_chain_bytes": "1KiB"})
            for version in VERSIONS:
                with self.subTest(refusal=refusal, version=version):
                    before = self.server.metrics()
                    answer = self.ask(Case("", (), None, "huge"), version)
                    self.counted(before, "chain_too_big")
                    self.expect_alert(answer, ILLEGAL_PARAMETER)
                    self.logged("chain_too_big", alert_sent=ILLEGAL_PARAMETER,
                                x509_error="certificate chain too long")

    def test_a_request_for_a_host_with_other_clients_is_misdirected(self):
        self.start("alert")
        for version in VERSIONS:
            with self.subTest(version=version):
                before = self.server.metrics()
                answer = self.ask(MISDIRECTED, version)
                self.counted(before, MISDIRECTED.reason)
                self.logged(MISDIRECTED.reason, alert_sent=None, sni="app.localhost",
                            client_subject=self.pki.client.subject())
                self.expect_page(answer, MISDIRECTED.page, [])

    def test_a_client_which_distrusts_us_says_so(self):
        self.start("http")
        for version in VERSIONS:
            with self.subTest(version=version):
                before = self.server.metrics()
                answer = self.ask(Case("", (), None, "client"), version, cacert=self.pki.other.crt)
                self.counted(before, "client_alert")
                self.assertIsNone(answer.alert)
                self.assertIn("certificate verify failed", answer.output)
                self.logged("client_alert", alert_received=48, alert_sent=None)

    def raw(self, sent):
        """What the server answers to these bytes, to its end of the connection."""
        with socket.create_connection(("127.0.0.1", self.server.port), 20 * SLOW) as client:
            client.sendall(sent)
            got = b""
            while data := client.recv(65536):
                got += data
            return got

    def test_plain_http_gets_a_page_in_plain_or_nothing(self):
        for mode, style in (("http", "http"), ("http", "alert"), ("tcp", "alert")):
            with self.subTest(mode=mode, refusal=style):
                self.start(style, {"mode": mode})
                before = self.server.metrics()
                got = self.raw(b"GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n").decode()
                self.counted(before, "plain_http")
                self.logged("plain_http", alert_sent=None)
                if mode == "tcp":
                    self.assertEqual(got, "")
                else:
                    self.assertTrue(got.startswith("HTTP/1.1 400 Bad Request\r\n"), got)
                    self.assertEqual(got.partition("\r\n\r\n")[2], page(497)[1])

    def test_bytes_that_are_not_tls_are_answered_by_an_alert_in_plain(self):
        self.start("http")
        for what, sent, alert in (
                ("a ClientHello of one byte", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", 50),
                ("a message which opens no handshake", b"\x16\x03\x01\x00\x04\x14\x00\x00\x00", 10),
                ("application data first", b"\x17\x03\x03\x00\x01x", 10)):
            with self.subTest(what):
                before = self.server.metrics()
                got = self.raw(sent)
                self.counted(before, "bad_message")
                self.assertRegex(got.hex(), f"^15030[1-3]000202{alert:02x}$")
                self.logged("bad_message", alert_sent=alert)

    def started(self, version):
        """A client of that version whose ClientHello has been answered."""
        client = self.client(self.server, version=version, handshake=False)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.tls.do_handshake()
        client.flush()
        client.socket.recv(65536)
        return client

    def test_clients_that_leave_half_way(self):
        self.start("http")
        for version in VERSIONS:
            for reason, leave in (("eof", lambda client: client.socket.shutdown(socket.SHUT_WR)),
                                  ("reset", lambda client: client.abort())):
                with self.subTest(reason=reason, version=version):
                    before = self.server.metrics()
                    leave(self.started(version))
                    self.counted(before, reason)
                    self.logged(reason, alert_sent=None, version=f"TLSv{version}")

    def test_a_client_that_falls_silent_is_told_at_the_deadline(self):
        self.start("http", timeouts={"handshake": f"{int(1000 * SLOW)}ms"})
        for version in VERSIONS:
            with self.subTest(version=version):
                before = self.server.metrics()
                between = FirstFlightOnly(self.server.port)
                answer = self.ask(Case("", (), None, "client"), version, between.port)
                between.join()
                self.counted(before, "timeout")
                self.expect_alert(answer, INTERNAL_ERROR)
                self.logged("timeout", alert_sent=INTERNAL_ERROR, version=f"TLSv{version}")

    def stands_still(self):
        tasks = Path(f"/proc/{self.server.pid}/task").iterdir()
        return {(task / "stat").read_text().rsplit(") ", 1)[1][0] for task in tasks} == {"T"}

    def queued(self):
        """Connections established to the server's port, whether it has taken them or not."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(f":{self.server.port:04X}") and row[3] == "01" for row in rows)

    def test_what_comes_at_once_beyond_the_limit_is_overload(self):
        """Accepting pauses near the limit and the kernel's queue waits, so only what is taken from it in one turn can
        be too much: the server is stopped while the clients connect. Of many at once the log has one line."""
        self.start("http", limits={"max_connections": 2}, workers=1)
        before = self.server.metrics()
        self.server.send_signal(signal.SIGSTOP)
        poll_until(self.stands_still, "every thread stopped")
        answers, asking = [], []
        try:
            clients = [socket.create_connection(("127.0.0.1", self.server.port), 20 * SLOW) for _ in range(2)]
            for i, version in enumerate((*VERSIONS, *VERSIONS)):
                asking.append(threading.Thread(target=lambda version=version: answers.append(
                    self.ask(Case("", (), None, "client"), version))))
                asking[-1].start()
                poll_until(lambda: self.queued() >= 3 + i, "connected", 20 * SLOW)
        finally:
            self.server.send_signal(signal.SIGCONT)
        for thread in asking:
            thread.join()
        self.counted(before, "overload", 4)
        for answer in answers:
            self.expect_alert(answer, INTERNAL_ERROR)
        for client in clients:
            client.close()
        lines = self.server.wait_log(3, event="refused")
        self.assertEqual(sorted(line["reason"] for line in lines), ["eof", "eof", "overload"])
        (line,) = [line for line in lines if line["reason"] == "overload"]
        self.assertEqual((line["alert_sent"], line["listener"], line["close"]), (INTERNAL_ERROR, "main", "refused"))
        self.assertTrue(line["peer"].startswith("127.0.0.1:"), line)
        poll_until(lambda: self.ask(Case("", (), None, "client"), "1.3").body.startswith("HTTP/1.1 200"), "room again")

    def test_a_drain_tells_those_it_cuts_in_their_handshake(self):
        """One client besides holds its connection open after it has been told, so that metrics can be asked for until
        its second is over."""
        self.start("http", timeouts={"drain": "200ms", "handshake": "60s"})
        before, answers, asking = self.server.metrics(), [], []
        holds_on = self.started("1.3")
        for version in VERSIONS:
            between = FirstFlightOnly(self.server.port)
            asking.append(threading.Thread(target=lambda version=version, port=between.port: answers.append(
                self.ask(Case("", (), None, "client"), version, port))))
            asking[-1].start()
        poll_until(lambda: self.server.metrics().sum("portcullis_handshakes_in_progress") == 3, "in their handshake")
        self.server.stopped = True
        self.server.send_signal(signal.SIGTERM)
        self.counted(before, "shutdown", 3)
        for thread in asking:
            thread.join()
        for answer in answers:
            self.expect_alert(answer, INTERNAL_ERROR)
        self.assertEqual(self.server.process.wait(20 * SLOW), 0)
        lines = self.server.log()
        self.assertEqual([(line["event"], line["reason"], line["alert_sent"], line["close"]) for line in lines],
                         3 * [("refused", "shutdown", INTERNAL_ERROR, "refused")])
        self.assertEqual(sorted(line["version"] for line in lines), ["TLSv1.2", "TLSv1.3", "TLSv1.3"])
        holds_on.close()


if __name__ == "__main__":
    harness.main()
