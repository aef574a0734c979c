"""The packaged peers but nginx, and the list of all."""

import re
import subprocess

from comparison.load import is_root
from comparison.nginx import NginxHttp, NginxStream
from comparison.server import Server

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
SUITES = "TLS_AES_128_GCM_SHA256"  # OpenSSL servers may prefer others than the client; BoringSSL chooses this one


def server_pem(setting):
    """Chain and key in one file, as these servers want it."""
    path = setting.folder / "server.pem"
    path.write_text((setting.pki / "tls/tls.crt").read_text() + (setting.pki / "tls/tls.key").read_text())
    path.chmod(0o600)
    return path


HAPROXY = """global
    nbthread 1
    maxconn {connections}
    ulimit-n {descriptors}
    tune.ssl.cachesize 0
    ssl-default-bind-options ssl-min-ver TLSv1.2 {tickets}
    ssl-default-bind-ciphers {ciphers}
    ssl-default-bind-ciphersuites {suites}
    ssl-default-bind-curves X25519:P-256

defaults
    mode {kind}
    timeout connect 10s
    timeout client 120s
    timeout server 120s
    timeout http-keep-alive 120s

frontend main
    bind 127.0.0.1:{port} backlog 4096 ssl crt {pem} ca-file {pki}/ca/ca.crt verify required
    {headers}
    default_backend app

backend app
    {reuse}
    server app unix@{backend}
"""
HEADERS = """http-request set-header ssl-client-verify %[ssl_c_verify]
    http-request set-header ssl-client-subject-dn %[ssl_c_s_dn]
    http-request set-header ssl-client-issuer-dn %[ssl_c_i_dn]"""


class HaproxyHttp(Server):
    name = "haproxy-http"
    kind = "http"
    package = "haproxy"

    def command(self, setting):
        http = self.kind == "http"
        path = setting.folder / "haproxy.cfg"
        path.write_text(HAPROXY.format(
            connections=setting.descriptors // 2 - 100, descriptors=setting.descriptors,
            tickets="" if setting.tickets else "no-tls-tickets", ciphers=CIPHERS, suites=SUITES, kind=self.kind,
            port=self.port, pem=server_pem(setting), pki=setting.pki, headers=HEADERS if http else "",
            reuse="http-reuse always" if http else "", backend=setting.backend))
        return [self.executable(), "-db", "-q", "-f", path]


class HaproxyTcp(HaproxyHttp):
    name = "haproxy-tcp"
    kind = "tcp"


HITCH = """frontend = "[127.0.0.1]:{port}"
backend = "{backend}"
pem-file = "{pem}"
client-verify = required
client-verify-ca = "{pki}/ca/ca.crt"
tls-protos = TLSv1.2 TLSv1.3
ciphers = "{ciphers}"
ciphersuites = "{suites}"
ecdh-curve = "X25519:prime256v1"
workers = 1
backlog = 4096
daemon = off
log-level = 1
syslog = off
ocsp-dir = ""
{user}
"""


class Hitch(Server):
    """Has no switch for tickets: OpenSSL's file has (server.py)."""

    name = "hitch"
    kind = "tcp"
    package = "hitch"
    version_arguments = ("--version",)

    def command(self, setting):
        path = setting.folder / "hitch.conf"
        path.write_text(HITCH.format(port=self.port, backend=setting.backend, pem=server_pem(setting), pki=setting.pki,
                                     ciphers=CIPHERS, suites=SUITES, user='user = "nobody"' if is_root() else ""))
        return [self.executable(), f"--config={path}"]


STUNNEL = """foreground = yes
pid =
debug = 3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1

[main]
accept = 127.0.0.1:{port}
connect = {backend}
cert = {pem}
CAfile = {pki}/ca/ca.crt
verifyChain = yes
requireCert = yes
sslVersionMin = TLSv1.2
ciphers = {ciphers}
ciphersuites = {suites}
curves = X25519:P-256
sessionCacheSize = 1
{tickets}
"""


class Stunnel(Server):
    """Its cache of sessions is the least there is: 0 would be unlimited, and without resumption it sends no tickets."""

    name = "stunnel"
    kind = "tcp"
    package = "stunnel4"

    @classmethod
    def version(cls):
        done = subprocess.run([cls.executable(), "-version"], capture_output=True, text=True, check=False)
        found = re.search(r"stunnel (\S+)", done.stdout + done.stderr)
        return found[1] if found else "unknown"

    def command(self, setting):
        path = setting.folder / "stunnel.conf"
        path.write_text(STUNNEL.format(port=self.port, backend=setting.backend, pem=server_pem(setting),
                                       pki=setting.pki, ciphers=CIPHERS, suites=SUITES,
                                       tickets="" if setting.tickets else "sessionResume = no\noptions = NO_TICKET"))
        return [self.executable(), path]


PACKAGED = [NginxHttp, NginxStream, HaproxyHttp, HaproxyTcp, Hitch, Stunnel]
