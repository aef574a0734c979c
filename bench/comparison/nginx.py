"""nginx as a peer: the http and the stream module, as packaged or of the user's own build."""

import re
import subprocess
from pathlib import Path

from local import Fault

from comparison.load import is_root
from comparison.server import Server

TLS = """
    ssl_certificate {pki}/tls/tls.crt;
    ssl_certificate_key {pki}/tls/tls.key;
    ssl_client_certificate {pki}/ca/ca.crt;
    ssl_verify_client on;
    ssl_verify_depth 3;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;
    ssl_ecdh_curve X25519:prime256v1;
    ssl_session_cache off;
    ssl_session_tickets {tickets};
    ssl_session_timeout 1h;
"""

MAIN = """{modules}
worker_processes 1;
daemon off;
{user}
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections {descriptors}; }}
"""

# What a client is goes to the backend, as from Portcullis. Bodies are passed on, not kept in files.
HTTP = """http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    upstream app {{
        server unix:{backend};
        keepalive 64;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        {tls}
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_max_temp_file_size 0;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header ssl-client-verify $ssl_client_verify;
            proxy_set_header ssl-client-subject-dn $ssl_client_s_dn;
            proxy_set_header ssl-client-issuer-dn $ssl_client_i_dn;
        }}
    }}
}}
"""

STREAM = """stream {{
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        {tls}
        proxy_pass unix:{backend};
    }}
}}
"""


class Nginx(Server):
    template = HTTP
    package = "nginx"

    @classmethod
    def built_with(cls):
        done = subprocess.run([cls.executable(), "-V"], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    @classmethod
    def version(cls):
        said = cls.built_with()
        library = re.search(r"running with (\w+( [\w.]+)?)", said) or re.search(r"built with (\w+( [\w.]+)?)", said)
        return super().version() + (f" ({library[1]})" if library else "")

    @classmethod
    def module(cls):
        """Path of what must be loaded beyond the binary, or None."""
        return None

    def command(self, setting):
        common = {"folder": setting.folder, "descriptors": setting.descriptors, "port": self.port, "pki": setting.pki,
                  "backend": setting.backend, "tickets": "on" if setting.tickets else "off",
                  "user": "user root;" if is_root() else "", "modules": ""}
        if module := self.module():
            common["modules"] = f"load_module {module};"
        text = MAIN.format(**common) + self.template.format(tls=TLS.format(**common), **common)
        path = setting.folder / "nginx.conf"
        path.write_text(text)
        return [self.executable(), "-p", setting.folder, "-c", path, "-e", setting.folder / "error.log"]

    def is_up(self):
        errors = self._log.parent / "error.log"
        if self.process.poll() is not None and errors.exists():
            raise Fault(f"{self.name}: {errors.read_text().strip()[-2000:]}")
        return super().is_up()


class NginxHttp(Nginx):
    name = "nginx-http"
    kind = "http"


class NginxStream(Nginx):
    name = "nginx-stream"
    kind = "tcp"
    template = STREAM
    package = "libnginx-mod-stream"

    @classmethod
    def module(cls):
        built_with = cls.built_with()
        folder = re.search(r"--modules-path=(\S+)", built_with)
        dynamic = "--with-stream=dynamic" in built_with
        return Path(folder[1], "ngx_stream_module.so") if dynamic and folder else None

    @classmethod
    def missing(cls):
        if not cls.executable():
            return f"{NginxHttp.package} {cls.package}"
        module = cls.module()
        return cls.package if module is not None and not module.exists() else ""


def of_binary(path):
    """The two servers of another nginx, `path`: one that its user has built on BoringSSL."""
    class Own:
        package = f"{path}: no such binary"
        tickets_can_be_one = False  # its ssl_conf_command is OpenSSL's, and BoringSSL reads no file

        @classmethod
        def executable(cls):
            return str(path) if Path(path).exists() else None

    class OwnHttp(Own, NginxHttp):
        name = "nginx-boringssl-http"

    class OwnStream(Own, NginxStream):
        name = "nginx-boringssl-stream"

    return [OwnHttp, OwnStream]
