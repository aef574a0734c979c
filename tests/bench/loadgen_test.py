"""The load generator against a real terminator: it counts exactly what the server's own metrics count, and names every
kind of failure."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402

LOADGEN = os.environ["LOADGEN_BIN"]


class Loadgen(harness.E2ETest):
    def load(self, server, *arguments, cert=None, handshakes=50):
        out = self.dir / "result.json"
        command = [LOADGEN, "--target", f"127.0.0.1:{server.port}", "--sni", "app.localhost", "--quiet",
                   "--json", str(out), "--warmup", "0", "--duration", "20", "--connections", "4",
                   "--handshakes", str(handshakes), *arguments]
        if cert:
            command += ["--cert", str(cert.crt), "--key", str(cert.key)]
        subprocess.run(command, capture_output=True, timeout=60)
        return json.loads(out.read_text())

    def test_counts_what_the_server_counts(self):
        server = self.serve(harness.http_config(self.pki, self.http_backend().address))
        for version in ("1.2", "1.3"):
            before = server.metrics()
            result = self.load(server, "--tls", version, "--ca", str(self.pki.ca.crt), cert=self.pki.client)
            self.assertEqual(result["failures"], {})
            self.assertGreaterEqual(result["handshakes"], 50)
            moved = server.metrics().sum("portcullis_handshake_duration_seconds_count", result="ok",
                                         version=version) - before.sum(
                "portcullis_handshake_duration_seconds_count", result="ok", version=version)
            # Those under way when it stopped are the server's alone.
            self.assertGreaterEqual(moved, result["handshakes"])
            self.assertLessEqual(moved, result["handshakes"] + 8)

    def test_a_refusal_by_page_is_a_failure_with_its_status(self):
        server = self.serve(harness.http_config(self.pki, self.http_backend().address))
        result = self.load(server, "--duration", "1", "--warmup", "0")
        self.assertEqual(result["handshakes"], 0)
        self.assertEqual(list(result["failures"]), ["status: 400"])

    def test_a_refusal_by_alert_is_named(self):
        config = harness.http_config(self.pki, self.http_backend().address, refusal="alert")
        server = self.serve(config)
        result = self.load(server, "--duration", "1", cert=self.pki.expired)
        self.assertEqual(result["handshakes"], 0)
        self.assertEqual(list(result["failures"]), ["alert: certificate_expired"])

    def test_nobody_listening_is_named(self):
        server = self.serve(harness.http_config(self.pki, self.http_backend().address))
        server.stop()
        result = self.load(server, "--duration", "0.2")
        self.assertEqual(list(result["failures"]), ["connect: Connection refused"])

    def test_our_side_of_the_handshake_alone(self):
        server = self.serve(harness.tcp_config(self.pki, self.backend(lambda connection: connection.finish()).address))
        result = self.load(server, "--mode", "hs", cert=self.pki.client)
        self.assertGreaterEqual(result["handshakes"], 50)


if __name__ == "__main__":
    harness.main()
