"""A small HTTP/1 reader for both ends of the tests: it keeps every byte as it came.

Strict where a test depends on it (a body which ends early raises Truncated), indifferent otherwise. It shares no code
with what it tests.
"""

from dataclasses import dataclass, field


class Truncated(Exception):
    """The stream ended inside a message; `got` is the body up to there."""

    def __init__(self, what, got=b"", cause=None):
        super().__init__(f"{what} after {len(got)} bytes ({cause})")
        self.got = got
        self.cause = cause


@dataclass
class Message:
    """A request or a response. `raw` is its head, exactly."""

    start: str
    headers: list  # of (name, value), in order
    raw: bytes
    body: bytes = b""
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)  # 1xx Messages which came before

    @property
    def status(self):
        return int(self.start.split(" ", 2)[1])

    @property
    def method(self):
        return self.start.split(" ", 1)[0]

    @property
    def target(self):
        return self.start.split(" ", 2)[1]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default


def parse_head(raw):
    lines = raw.decode("latin-1").split("\r\n")
    headers = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            headers.append((name, value.strip(" \t")))
    return Message(lines[0], headers, raw)


class Stream:
    """Buffered reading over `recv`: a function which gives the next bytes, or b"" at the end of the stream."""

    def __init__(self, recv):
        self._recv = recv
        self.buffer = bytearray()

    def fill(self):
        data = self._recv()
        self.buffer += data
        return bool(data)

    def until(self, mark, what="a line"):
        """Everything up to and with `mark`; None if the stream ends before the first byte."""
        while (at := self.buffer.find(mark)) < 0:
            if not self.fill():
                if not self.buffer:
                    return None
                raise Truncated(f"{what} cut short", bytes(self.buffer))
        taken = bytes(self.buffer[:at + len(mark)])
        del self.buffer[:at + len(mark)]
        return taken

    def some(self):
        """Whatever is there next, b"" at the end."""
        if not self.buffer and not self.fill():
            return b""
        taken = bytes(self.buffer)
        self.buffer.clear()
        return taken

    def exactly(self, count):
        """Yields `count` bytes in pieces as they come."""
        while count > 0:
            if not self.buffer and not self.fill():
                raise Truncated(f"{count} bytes short")
            piece = bytes(self.buffer[:count])
            del self.buffer[:len(piece)]
            count -= len(piece)
            yield piece

    def head(self):
        raw = self.until(b"\r\n\r\n", "a head")
        return None if raw is None else parse_head(raw)

    def chunks(self, message):
        """Yields the data of a chunked body; fills message.trailers."""
        while True:
            line = self.until(b"\r\n", "a chunk size")
            if line is None:
                raise Truncated("no last chunk")
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            yield from self.exactly(size)
            if b"".join(self.exactly(2)) != b"\r\n":
                raise ValueError("no CRLF after a chunk")
        while (line := self.until(b"\r\n", "trailers")) != b"\r\n":
            if line is None:
                raise Truncated("no end of trailers")
            name, _, value = line.decode("latin-1").partition(":")
            message.trailers.append((name, value.strip()))

    def body(self, message, request_method=None):
        """Yields the pieces of a message's body. `request_method` is given for responses."""
        if message.get("transfer-encoding", "").lower() == "chunked":
            yield from self.chunks(message)
        elif message.get("content-length") is not None:
            yield from self.exactly(int(message.get("content-length")))
        elif request_method is not None:
            while piece := self.some():
                yield piece

    def response(self, request_method="GET"):
        """A whole response with its interim ones; raises Truncated with what came of the body."""
        interim = []
        while True:
            message = self.head()
            if message is None:
                raise Truncated("no response")
            if message.status >= 200 or message.status == 101:
                break
            interim.append(message)
        message.interim = interim
        if request_method == "HEAD" or message.status in (101, 204, 304):
            return message
        body = bytearray()
        try:
            for piece in self.body(message, request_method):
                body += piece
        except Truncated as cut:
            raise Truncated(f"{message.start}: body", bytes(body), cut.cause or cut) from None
        message.body = bytes(body)
        return message


def chunked(*pieces, trailers=b""):
    """The pieces as a chunked body with its end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces if p) + b"0\r\n" + trailers + b"\r\n"
