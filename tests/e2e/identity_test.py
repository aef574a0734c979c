"""What a backend learns of a client, and that only the terminator can tell it.

Every value a client sends under an identity header's name carries the word SPOOF; no byte sequence SPOOF may ever
reach a backend, however the header is spelt, repeated, named hop-by-hop or hidden in trailers.
"""

import json
import re
import urllib.parse

import harness
from clients import request_bytes
from harness import E2ETest, http_config
from pki import openssl

NAMES = [
    "ssl-client-verify", "ssl-client-subject-dn", "ssl-client-issuer-dn", "ssl-client-cert", "ssl-client-serial",
    "ssl-client-fingerprint", "x-ssl-client-verify", "x-ssl-client-cert", "x-ssl-client-s-dn", "x-client-cert",
    "x-forwarded-client-cert", "client-cert", "client-cert-chain", "x-amzn-mtls-clientcert",
    "x-amzn-mtls-clientcert-serial-number", "x-amzn-mtls-clientcert-issuer", "x-amzn-mtls-clientcert-subject",
    "x-amzn-mtls-clientcert-validity", "x-amzn-mtls-clientcert-leaf", "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info", "cf-client-cert-der-base64", "cf-client-cert-sha256",
]


def spellings(name):
    """The same header as a client might hope it passes: underscores, mixed, title and upper case."""
    return [name, name.replace("-", "_"), name.replace("-", "_", 1), name.title(), name.upper(),
            name.upper().replace("-", "_")]


class Identity(E2ETest):

    def start(self, **host_fields):
        self.app = self.http_backend()
        auth = host_fields.pop("auth", "require")
        config = http_config(self.pki, self.app.address, auth=auth)
        config["virtual_hosts"][0]["client_auth"].update(host_fields.pop("client_auth", {}))
        config["virtual_hosts"][0].update(host_fields)
        self.server = self.serve(config)

    def ask(self, *lines, cert="default", body=b""):
        """Sends GET /headers with `lines`; returns the headers the backend saw, as {lower name: [values]}."""
        client = self.client(self.server, **({} if cert == "default" else {"cert": cert}))
        head = "\n".join(["GET /headers HTTP/1.1", "Host: app.localhost", *lines])
        client.send(request_bytes(head) + body)
        answer = client.http.response()
        self.assertEqual(answer.status, 200)
        seen = {}
        for name, value in json.loads(answer.body)["headers"]:
            seen.setdefault(name.lower(), []).append(value)
        return seen

    def expect_no_spoof(self):
        self.assertNotIn(b"SPOOF", self.app.received())

    def test_the_client_s_names_reach_the_backend(self):
        self.start()
        seen = self.ask()
        self.assertEqual(seen["ssl-client-verify"], ["SUCCESS"])
        self.assertEqual(seen["ssl-client-subject-dn"], [self.pki.client.subject()])
        self.assertEqual(seen["ssl-client-issuer-dn"], [self.pki.client.issuer()])
        self.assertNotIn("ssl-client-cert", seen)

    def test_the_certificate_itself_is_passed_when_asked_for(self):
        self.start(client_auth={"pass_certificate": True})
        for cert in (self.pki.client, self.pki.client_rsa, self.pki.chained):
            (value,) = self.ask(cert=cert)["ssl-client-cert"]
            self.assertRegex(value, r"^-----BEGIN%20CERTIFICATE-----%0A[A-Za-z0-9%._~-]+"
                                    r"%0A-----END%20CERTIFICATE-----%0A$")
            pem = urllib.parse.unquote(value)
            self.assertEqual(openssl("x509", "-outform", "DER", data=pem.encode()), cert.der())
            self.assertEqual(pem.encode(), openssl("x509", "-in", cert.leaf), "PEM as OpenSSL writes it")

    def test_without_a_certificate_the_verdict_is_none(self):
        self.start(auth="optional")
        seen = self.ask(cert=None)
        self.assertEqual(seen["ssl-client-verify"], ["NONE"])
        self.assertNotIn("ssl-client-subject-dn", {k for k, v in seen.items() if v != [""]})

    def test_no_spelling_of_any_profile_s_headers_passes(self):
        for auth, cert in (("require", self.pki.client), ("optional", None), ("off", None)):
            with self.subTest(auth=auth):
                self.start(auth=auth)
                for name in NAMES:
                    seen = self.ask(*(f"{spelling}: SPOOF" for spelling in spellings(name)), cert=cert)
                    expected = {"require": ["SUCCESS"], "optional": ["NONE"]}.get(auth)
                    if expected:
                        self.assertEqual(seen["ssl-client-verify"], expected)
                self.expect_no_spoof()

    def test_hosts_with_no_identity_profile_strip_all_the_same(self):
        self.start(identity="none")
        seen = self.ask(*(f"{spelling}: SPOOF" for name in NAMES[:12] for spelling in spellings(name)))
        self.expect_no_spoof()
        self.assertNotIn("ssl-client-verify", seen)

    def test_spoofs_in_trailers_are_stripped(self):
        self.start()
        trailers = b"".join(f"{s}: SPOOF\r\n".encode() for n in NAMES[:10] for s in spellings(n)[:3])
        self.ask("Transfer-Encoding: chunked", body=b"1\r\nx\r\n0\r\n" + trailers + b"X-Fine: yes\r\n\r\n")
        self.expect_no_spoof()
        self.assertEqual(self.app.requests[0].body, b"x")

    def test_identity_headers_cannot_be_named_away(self):
        self.start()
        for line in ("Connection: ssl-client-verify, ssl-client-subject-dn", "Connection: close, SSL-Client-Verify",
                     "Connection: x-forwarded-for, x-forwarded-proto", "Connection: host, content-length"):
            seen = self.ask(line)
            self.assertEqual(seen["ssl-client-verify"], ["SUCCESS"], line)
            self.assertEqual(seen["ssl-client-subject-dn"], [self.pki.client.subject()], line)
            self.assertEqual(seen["x-forwarded-proto"], ["https"], line)
            self.assertEqual(seen["host"], ["app.localhost"], line)

    def test_a_subject_full_of_tricks_stays_one_header(self):
        self.start()
        for number, name in enumerate(["a, b=c", "quote\"back\\slash", "line\nssl-client-verify: SPOOF", "\x01\x7f\t",
                                       "Jörg Ünïcode ✓", "+#;<>= =,", "x" * 60]):
            with self.subTest(name=name):
                cert = self.pki.ca.issue(f"trick{number}", "/CN=" + name.replace("\\", "\\\\").replace("+", "\\+"),
                                         "extendedKeyUsage=clientAuth", folder=self.dir)
                seen = self.ask(cert=cert)
                self.assertEqual(seen["ssl-client-verify"], ["SUCCESS"])
                (subject,) = seen["ssl-client-subject-dn"]
                self.assertRegex(subject, r"^CN=[\x20-\x7e\x80-\xff]*$")
                self.clients.pop().close()
                line = self.server.wait_log(number + 1, event="connection")[-1]
                self.assertRegex(line["client_subject"], r"^CN=[^\x00-\x1f\x7f]*$")

    def test_forwarding_headers_say_what_the_terminator_knows(self):
        self.start()
        seen = self.ask("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: evil.example",
                        "X-Real-IP: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Forwarded-Port: 1")
        self.assertEqual(seen["x-forwarded-for"], ["127.0.0.1"])
        self.assertEqual(seen["x-forwarded-proto"], ["https"])
        self.assertEqual(seen["x-forwarded-host"], ["app.localhost"])
        self.assertEqual(seen.get("x-real-ip", ["127.0.0.1"]), ["127.0.0.1"])
        self.assertNotIn(b"203.0.113.9", self.app.received())
        self.assertNotIn(b"evil.example", self.app.received())

    def test_forwarded_of_rfc_7239_on_request(self):
        for choice, x_forwarded in (("forwarded", False), ("both", True)):
            self.start(forwarding=choice)
            seen = self.ask("Forwarded: for=203.0.113.9")
            (value,) = seen["forwarded"]
            pairs = dict(pair.strip().lower().split("=", 1) for pair in re.split(";", value))
            self.assertEqual(pairs["for"].strip('"').split(":")[0], "127.0.0.1")
            self.assertEqual((pairs["proto"], pairs["host"].strip('"')), ("https", "app.localhost"))
            self.assertEqual("x-forwarded-for" in seen, x_forwarded)

    def test_forwarding_off_adds_nothing_and_trusts_nothing(self):
        self.start(forwarding="off")
        seen = self.ask()
        self.assertEqual([name for name in seen if "forwarded" in name], [])

    def test_hop_by_hop_headers_end_here(self):
        self.start()
        seen = self.ask("Connection: keep-alive, X-Secret-Hop", "X-Secret-Hop: 1", "Keep-Alive: timeout=5",
                        "Proxy-Connection: keep-alive", "TE: trailers", "Proxy-Authorization: Basic x", "X-End: yes")
        for name in ("x-secret-hop", "keep-alive", "proxy-connection"):
            self.assertNotIn(name, seen)
        self.assertEqual(seen["x-end"], ["yes"])


if __name__ == "__main__":
    harness.main()
