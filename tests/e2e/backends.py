"""Backends for the end-to-end tests, well-behaved and odd: each connection is a thread running a function.

Everything a backend received is kept, byte for byte, so that a test can say what never reached it.
"""

import hashlib
import json
import socket
import struct
import threading

import http1


class Connection:
    """One accepted connection of a Backend."""

    def __init__(self, sock):
        self.socket = sock
        self.received = bytearray()
        self.http = http1.Stream(self._recv)

    def _recv(self):
        try:
            data = self.socket.recv(262144)
        except OSError:
            return b""
        if len(self.received) < (1 << 20):
            self.received += data
        return data

    def recv(self, size=262144):
        return self.socket.recv(size)

    def send(self, data):
        self.socket.sendall(data)

    def finish(self):
        """Ends our direction; reading goes on."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class Backend:
    """Listens on loopback (or a Unix socket at `path`) and runs serve(connection) for each connection."""

    def __init__(self, serve, path=None, port=0, backlog=1024, receive_buffer=None):
        self._serve = serve
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(str(path) if path else ("127.0.0.1", port))
        self.listener.listen(backlog)
        self.address = f"unix:{path}" if path else "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connections = []
        self.errors = []
        self._closing = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            if sock.family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock)
            self.connections.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self._serve(connection)
        except (OSError, http1.Truncated):
            pass  # the terminator, or the test's end, closed it
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(repr(error))
        finally:
            connection.close()

    def received(self):
        """All bytes of all connections (the first MiB of each)."""
        return b"\n".join(bytes(c.received) for c in list(self.connections))

    def close(self):
        """Closes the listener and every connection."""
        if not self._closing:
            self._closing = True
            try:
                self.listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.listener.close()
            self._thread.join(5)
            for connection in self.connections:
                try:
                    connection.socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                connection.close()


class HttpBackend(Backend):
    """An HTTP/1.1 server. `routes` maps a path to route(connection, request), which answers and may return False to
    end the connection; "*" catches the rest. Requests are kept in `requests` with their bodies unless a route reads
    the body itself (`raw` routes)."""

    def __init__(self, routes=None, raw=None, name="backend", **options):
        self.routes = {"/headers": answer_headers, "/echo": answer_echo, "*": self._answer_name, **(routes or {})}
        self.raw = raw or {}
        self.name = name
        self.requests = []
        super().__init__(self._serve_http, **options)

    def _answer_name(self, connection, request):
        respond(connection, 200, self.name.encode(), headers=[("X-Backend", self.name)])

    def _serve_http(self, connection):
        while (request := connection.http.head()) is not None:
            path = request.target.split("?")[0]
            if path in self.raw:
                self.requests.append(request)
                if self.raw[path](connection, request) is False:
                    return
                continue
            if request.get("expect", "").lower() == "100-continue":
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.body = b"".join(connection.http.body(request))
            self.requests.append(request)
            if self.routes.get(path, self.routes["*"])(connection, request) is False:
                return
            if request.get("connection", "").lower() == "close":
                return


def respond(connection, status, body=b"", headers=(), reason="Any"):
    """Sends a response with Content-Length."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in headers), f"Content-Length: {len(body)}"]
    connection.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def respond_chunked(connection, *pieces, headers=(), trailers=b""):
    lines = ["HTTP/1.1 200 OK", *(f"{k}: {v}" for k, v in headers), "Transfer-Encoding: chunked"]
    connection.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + http1.chunked(*pieces, trailers=trailers))


def answer_headers(connection, request):
    """What arrived, as JSON: the request line, every header in order, the trailers."""
    seen = {"start": request.start, "headers": request.headers, "trailers": request.trailers}
    respond(connection, 200, json.dumps(seen).encode(), headers=[("Content-Type", "application/json")])


def answer_echo(connection, request):
    respond(connection, 200, request.body)


class Pattern:
    """A deterministic body of `size` bytes in which every 64 KiB block differs, and its SHA-256 as it goes."""

    BLOCK = 65536

    def __init__(self, size, seed=1):
        self.size = size
        self._base = hashlib.shake_256(b"portcullis %d" % seed).digest(self.BLOCK - 8)

    def blocks(self):
        for index in range(0, (self.size + self.BLOCK - 1) // self.BLOCK):
            block = struct.pack(">Q", index) + self._base
            yield block if (index + 1) * self.BLOCK <= self.size else block[:self.size - index * self.BLOCK]

    def pieces(self, per_piece=16):
        """Blocks joined into larger writes."""
        held = []
        for block in self.blocks():
            held.append(block)
            if len(held) == per_piece:
                yield b"".join(held)
                held.clear()
        if held:
            yield b"".join(held)

    def sha256(self):
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


def tcp_echo(connection):
    """Echoes until the end of input, then ends the output."""
    while data := connection.recv():
        connection.send(data)
    connection.finish()
