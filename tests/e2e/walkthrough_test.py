"""The walkthrough: the mutual-authentication tutorial for ingress-nginx, followed to the letter on one machine.

Its openssl commands run as written (RSA-4096, leafs without SAN or EKU). `kubectl create secret` becomes a folder laid
out as Kubernetes mounts a Secret, and the Ingress object the ConfigMap of deploy/kubernetes, of which only addresses
and the folders of its mounts differ. Behind it runs a real Express application, installed with npm.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import clients
import harness
from clients import poll_until
from harness import WORK, E2ETest
from kubernetes import config_map, mount, replaced
from pki import Cert

HOST = "client.auth.localhost"

COMMANDS = """
mkdir -p ingress/ingress-nginx/mutual/certs
cd ingress/ingress-nginx/mutual/certs
openssl req -x509 -sha256 -newkey rsa:4096 -keyout ca.key -out ca.crt -days 356 -nodes -subj '/CN=My Cert Authority';
openssl req -new -newkey rsa:4096 -keyout server.key -out server.csr -nodes -subj '/CN=client.auth.localhost';
openssl x509 -req -sha256 -days 365 -in server.csr -CA ca.crt -CAkey ca.key -set_serial 01 -out server.crt;
openssl req -new -newkey rsa:4096 -keyout client.key -out client.csr -nodes -subj '/CN=My Client';
openssl x509 -req -sha256 -days 365 -in client.csr -CA ca.crt -CAkey ca.key -set_serial 02 -out client.crt;
"""

PAGE_496 = (b"<html>\r\n"
            b"<head><title>400 No required SSL certificate was sent</title></head>\r\n"
            b"<body>\r\n"
            b"<center><h1>400 Bad Request</h1></center>\r\n"
            b"<center>No required SSL certificate was sent</center>\r\n"
            b"<hr><center>nginx</center>\r\n"
            b"</body>\r\n"
            b"</html>\r\n")

EXPRESS_PAGE = ('<!DOCTYPE html><html><head><title>Express</title><link rel="stylesheet" href="/stylesheets/style.css">'
                '</head><body><h1>Express</h1><p>Welcome to Express</p></body></html>')


def install_express():
    """npm's doing, once a build folder; the lock file pins every package by its hash."""
    source, folder = Path(__file__).parent / "express", WORK / "express"
    lock = (source / "package-lock.json").read_bytes()
    stamp = folder / "installed"
    if not (stamp.exists() and stamp.read_bytes() == lock):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=3", "--fetch-retry-mintimeout=1000",
                   "--fetch-retry-maxtimeout=5000", "--loglevel=error"]
        # A network whose registry shows a certificate that npm does not know serves as well: the lock file has the hash
        # of every package, whoever brings it.
        for options in ([], ["--strict-ssl=false"]):
            done = subprocess.run([*command, *options], cwd=folder, capture_output=True, timeout=240,
                                  env={**os.environ, "npm_config_cache": str(WORK / "npm-cache")})
            if done.returncode == 0:
                break
        else:
            raise RuntimeError(f"npm ci: {(done.stdout + done.stderr).decode(errors='replace')}")
        stamp.write_bytes(lock)
    shutil.copytree(source, folder, dirs_exist_ok=True)
    return folder


class Walkthrough(E2ETest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = WORK / "walkthrough"
        shutil.rmtree(cls.root, ignore_errors=True)
        cls.root.mkdir(parents=True)
        subprocess.run(["sh", "-ec", COMMANDS], cwd=cls.root, check=True, capture_output=True, timeout=240)
        cls.certs = cls.root / "ingress/ingress-nginx/mutual/certs"
        cls.visitor = Cert(cls.certs / "client.crt", cls.certs / "client.key")
        cls.express_folder = install_express()

    def setUp(self):
        super().setUp()
        ca = mount(self.dir / "ca", {"ca.crt": self.certs / "ca.crt"})
        self.tls = mount(self.dir / "tls", {"tls.crt": self.certs / "server.crt", "tls.key": self.certs / "server.key"})
        self.express = subprocess.Popen(["node", "app.js"], cwd=self.express_folder, stdout=subprocess.PIPE)
        self.addCleanup(self.stop_express)
        port = int(self.express.stdout.readline())
        self.config = replaced(config_map(), {
            "/etc/portcullis/tls": str(self.tls), "/etc/portcullis/ca": str(ca), "0.0.0.0:8443": "127.0.0.1:0",
            "express:3000": f"127.0.0.1:{port}", "0.0.0.0:9180": "127.0.0.1:0"})
        self.mounted = mount(self.dir / "config", {"portcullis.yaml": self.config})
        self.server = self.serve(self.mounted / "portcullis.yaml")

    def stop_express(self):
        self.express.terminate()
        self.express.wait(20)
        self.express.stdout.close()

    def tearDown(self):
        self.stop_express()  # before the accounts: it holds keep-alive connections
        super().tearDown()

    def visit(self, *args):
        """The tutorial's curl, but for the port. No --resolve: curl knows that *.localhost is this machine."""
        command = ["curl", "-s", "-i", f"https://{HOST}:{self.server.port}", "-k", *map(str, args)]
        done = subprocess.run(command, capture_output=True, timeout=20 * harness.SLOW)
        self.assertEqual(done.returncode, 0, done)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        return clients.http1.parse_head(head + b"\r\n\r\n"), body

    def test_without_a_certificate_the_page_is_nginx_s_byte_for_byte(self):
        head, body = self.visit("--http1.1")
        self.assertEqual(head.start, "HTTP/1.1 400 Bad Request")
        self.assertEqual(body, PAGE_496)
        self.assertEqual([name for name, _ in head.headers],
                         ["Server", "Date", "Content-Type", "Content-Length", "Connection"])
        self.assertEqual(head.get("Server"), "nginx")
        self.assertRegex(head.get("Date"), r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertEqual(head.get("Content-Type"), "text/html")
        self.assertEqual(head.get("Content-Length"), "230")
        self.assertEqual(head.get("Connection"), "close")
        self.assertEqual(self.server.metrics().sum("portcullis_handshake_rejections_total", reason="no_cert"), 1)
        line = self.server.wait_log(event="refused")[0]
        self.assertEqual((line["reason"], line["sni"]), ("no_cert", HOST))

    def test_with_the_certificate_the_express_page_comes(self):
        head, body = self.visit("--cert", self.visitor.crt, "--key", self.visitor.key)
        self.assertEqual(head.start, "HTTP/1.1 200 OK")
        self.assertEqual(head.get("X-Powered-By"), "Express")
        self.assertEqual(body.decode(), EXPRESS_PAGE)
        line = self.server.wait_log(event="connection")[0]
        self.assertEqual(line["client_subject"], "CN=My Client")
        self.assertEqual(line["client_issuer"], "CN=My Cert Authority")
        self.assertEqual(int(line["client_serial"], 16), 2)

    def test_the_style_sheet_and_a_missing_page_pass_through(self):
        style = self.curl(self.server, "/stylesheets/style.css", host=HOST, cacert=None,
                          cert=self.visitor)
        self.assertEqual(style.body, (self.express_folder / "public/stylesheets/style.css").read_bytes())
        missing = self.curl(self.server, "/nowhere", host=HOST, cacert=None, cert=self.visitor)
        self.assertEqual(missing.status, 404)
        self.assertIn(b"Cannot GET /nowhere", missing.body)

    def test_express_sees_who_the_client_is(self):
        answer = self.curl(self.server, "/headers", host=HOST, cacert=None, cert=self.visitor)
        seen = json.loads(answer.body)
        self.assertEqual(seen["ssl-client-verify"], "SUCCESS")
        self.assertEqual(seen["ssl-client-subject-dn"], "CN=My Client")
        self.assertEqual(seen["ssl-client-issuer-dn"], "CN=My Cert Authority")
        self.assertEqual(seen["x-forwarded-proto"], "https")
        self.assertEqual(seen["host"], f"{HOST}:{self.server.port}")

    def test_a_rotated_secret_is_taken_up_by_sighup(self):
        before = self.served_fingerprint()
        mount(self.tls, {"tls.crt": self.pki.server_next.crt, "tls.key": self.pki.server_next.key})
        self.server.send_signal(signal.SIGHUP)
        poll_until(lambda: self.served_fingerprint() != before, "the new certificate served", 10 * harness.SLOW)
        head, _ = self.visit("--cert", self.visitor.crt, "--key", self.visitor.key)
        self.assertEqual(head.status, 200)

    def test_a_changed_config_map_is_taken_up_by_sighup(self):
        self.assertEqual(self.visit()[0].status, 400)
        mount(self.mounted, {"portcullis.yaml": replaced(self.config, {"mode: require": "mode: optional"})})
        self.server.send_signal(signal.SIGHUP)
        poll_until(lambda: self.visit()[0].status == 200, "clients without a certificate let in", 10 * harness.SLOW)

    def served_fingerprint(self):
        with clients.TlsClient(self.server.port, sni=HOST) as client:
            return hashlib.sha256(client.tls.getpeercert(True)).hexdigest()


if __name__ == "__main__":
    harness.main()
