"""The clients of the end-to-end tests: curl, openssl s_client, and a TLS client which sees how a connection ends.

All go to 127.0.0.1; names are given for SNI and Host alone.
"""

import re
import select
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import http1

DEFAULT_TIMEOUT = 20.0


@dataclass
class CurlResult:
    """What one run of curl gave. `status` is 0 when no response came."""

    exit: int
    status: int
    message: http1.Message
    body: bytes
    stderr: str
    interim: list


def _curl_command(url, cert, cacert, args, timeout):
    command = ["curl", "-sS", "--max-time", str(timeout), *args]
    host, port = re.match(r"\w+://([^/:]+):(\d+)", url).groups()
    if host != "127.0.0.1":
        command += ["--resolve", f"{host}:{port}:127.0.0.1"]
    command += ["--cacert", str(cacert)] if cacert else ["-k"]
    if cert:
        command += ["--cert", str(cert.crt), "--key", str(cert.key)]
    return command + [url]


def curl(url, *args, cert=None, cacert=None, timeout=DEFAULT_TIMEOUT, data=None):
    """Runs curl once and returns a CurlResult."""
    with tempfile.TemporaryDirectory() as folder:
        heads, body = Path(folder, "heads"), Path(folder, "body")
        command = _curl_command(url, cert, cacert, [*map(str, args), "-v", "-D", heads, "-o", body], timeout)
        done = subprocess.run(list(map(str, command)), input=data, capture_output=True, timeout=timeout + 30)
        raw = heads.read_bytes() if heads.exists() else b""
        messages = [http1.parse_head(part + b"\r\n\r\n") for part in raw.split(b"\r\n\r\n") if part]
        last = messages[-1] if messages else None
        return CurlResult(done.returncode, last.status if last else 0, last,
                          body.read_bytes() if body.exists() else b"", done.stderr.decode(errors="replace"),
                          messages[:-1])


def curl_process(url, *args, cert=None, cacert=None, timeout=120, **popen):
    """A curl which runs on, for bodies too big to hold; the caller reads its pipes and waits."""
    return subprocess.Popen(_curl_command(url, cert, cacert, list(map(str, args)), timeout), **popen)


@dataclass
class SClientResult:
    """What openssl s_client reported. `alert` is the fatal alert's number from the server, or None."""

    exit: int
    output: str  # stdout and stderr
    alert: int
    reused: bool
    version: str
    cipher: str
    body: str


def s_client(port, *args, sni="app.localhost", cert=None, cacert=None, version=None, request=None,
             timeout=DEFAULT_TIMEOUT):
    """Runs openssl s_client. With `request` (bytes) sends it after the handshake and reads until the server closes;
    without, waits for the server to close: a refusal shows as an alert, an acceptance as a time-out."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof", *map(str, args)]
    command += ["-servername", sni] if sni else ["-noservername"]
    if version:
        command.append({"1.2": "-tls1_2", "1.3": "-tls1_3"}[version])
    if cacert:
        command += ["-CAfile", str(cacert), "-verify_return_error"]
    if cert:
        command += ["-cert", str(cert.leaf), "-key", str(cert.key), "-cert_chain", str(cert.crt)]
    done = subprocess.run(command, input=request or b"", capture_output=True, timeout=timeout)
    output = done.stdout.decode("latin-1") + done.stderr.decode("latin-1")
    alert = re.search(r"SSL alert number (\d+)", output)
    state = re.search(r"^(New|Reused), (\S+), Cipher is (\S+)", output, re.M)
    version_used = state.group(2) if state else ""
    session = re.search(r"Protocol\s*: (TLSv1\.\d)", output)
    if session and version_used != "TLSv1.3":
        version_used = session.group(1)
    return SClientResult(done.returncode, output, int(alert.group(1)) if alert else None,
                         bool(state and state.group(1) == "Reused"), version_used, state.group(3) if state else "",
                         output[output.find("HTTP/1."):] if "HTTP/1." in output else "")


class Closed(Exception):
    """How the server ended a connection: "close_notify", "eof" (TCP end without one), "reset", or "alert: ..."."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how


class TlsClient:
    """A blocking TLS connection over memory BIOs, so that half-closes and every kind of end can be told apart."""

    def __init__(self, port, sni="app.localhost", cert=None, cacert=None, version=None, timeout=DEFAULT_TIMEOUT,
                 handshake=True, receive_buffer=None, session=None, context=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = context or tls_context(cert, cacert, version)
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=sni, session=session)
        self.http = http1.Stream(self._http_recv)
        self.ended = None  # how, once it has
        if handshake:
            self.handshake()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def handshake(self):
        try:
            self._step(self.tls.do_handshake)
        except Exception:
            self.socket.close()
            raise

    def greet(self):
        """Sends the ClientHello and does not wait for the answer."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()

    def flush(self):
        """Sends what has been written to `tls` itself."""
        if pending := self._out.read():
            self.socket.sendall(pending)

    def _fetch(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            self._end("reset")
        if not data:
            self._end("eof")
        self._in.write(data)

    def _end(self, how):
        self.ended = how
        raise Closed(how)

    def _step(self, action, *args):
        while True:
            try:
                result = action(*args)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self._fetch()
            except ssl.SSLZeroReturnError:
                self._end("close_notify")
            except (ConnectionResetError, BrokenPipeError):
                self._end("reset")
            except ssl.SSLError as error:
                try:
                    self.flush()  # what we think of it
                except OSError:
                    pass
                self._end(f"alert: {error.reason}")

    def send(self, data):
        self._step(self.tls.write, data)

    def recv(self, size=262144):
        """The next plaintext; raises Closed at any end."""
        data = self._step(self.tls.read, size)
        if not data:
            self._end("close_notify")
        return data

    def _http_recv(self):
        try:
            return self.recv()
        except Closed:
            return b""

    def recv_exactly(self, count):
        data = bytearray()
        while len(data) < count:
            data += self.recv(min(262144, count - len(data)))
        return bytes(data)

    def recv_all(self):
        """Everything until the end; self.ended says which."""
        data = bytearray()
        try:
            while True:
                data += self.recv()
        except Closed:
            return bytes(data)

    def wait_end(self):
        """Reads to the end and returns how it came."""
        self.recv_all()
        return self.ended

    def send_close_notify(self):
        """Closes our direction of TLS; reading goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            pass
        self.flush()

    def quiet(self, seconds):
        """True if nothing comes from the server for that long."""
        return not select.select([self.socket], [], [], seconds)[0]

    def request(self, head, body=b""):
        """Sends a request given as its lines and returns the response."""
        self.send(request_bytes(head) + body)
        return self.http.response(head.split(" ", 1)[0])

    def abort(self):
        """Resets the TCP connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def request_bytes(head):
    """"GET / HTTP/1.1\\nHost: x" as bytes with CRLFs and the empty line."""
    return head.strip("\n").replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n"


def tls_context(cert=None, cacert=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cacert:
        context.load_verify_locations(str(cacert))
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        context.load_cert_chain(str(cert.crt), str(cert.key))
    if version:
        exact = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.minimum_version = context.maximum_version = exact
    return context


def poll_until(condition, what, timeout=DEFAULT_TIMEOUT, step=0.01):
    """Asks until `condition` gives something true, and returns it. The bound is a failure, never a wait."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {timeout:g} s: {what() if callable(what) else what}")
        time.sleep(step)
    return result
