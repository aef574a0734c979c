"""A gibibyte each way, through HTTP and through TCP, arriving whole: the SHA-256 matches. (The other framing of
each HTTP direction carries an eighth of it.)"""

import hashlib
import subprocess
import threading

import harness
from backends import Pattern
from clients import curl_process
from harness import MIB, SANITIZER, E2ETest, http_config, tcp_config

SIZE = (64 if SANITIZER else 1024) * MIB
SMALLER = SIZE // 8
TIMEOUT = 170


def hash_of(pieces):
    digest = hashlib.sha256()
    count = 0
    for piece in pieces:
        digest.update(piece)
        count += len(piece)
    return count, digest.hexdigest()


def pipe_pieces(pipe):
    while piece := pipe.read1(MIB):
        yield piece


def feed(pattern, pipe):
    for piece in pattern.pieces():
        pipe.write(piece)
    pipe.close()


class Bulk(E2ETest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patterns = {size: Pattern(size) for size in (SIZE, SMALLER)}
        cls.expected = {size: (size, pattern.sha256()) for size, pattern in cls.patterns.items()}

    def start_http(self):
        self.uploads = []
        self.app = self.http_backend(raw={"/length": self.by_length, "/chunked": self.by_chunks, "/sink": self.sink})
        self.server = self.serve(http_config(self.pki, self.app.address))

    def by_length(self, connection, _request):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for piece in self.patterns[SIZE].pieces():
            connection.send(piece)

    def by_chunks(self, connection, _request):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in self.patterns[SMALLER].pieces(per_piece=3):
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")

    def sink(self, connection, request):
        self.uploads.append(hash_of(connection.http.body(request)))
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def download(self, path, size):
        url = f"https://app.localhost:{self.server.port}{path}"
        with curl_process(url, "--http1.1", cert=self.pki.client, cacert=self.pki.ca.crt, timeout=TIMEOUT,
                          stdout=subprocess.PIPE) as process:
            got = hash_of(pipe_pieces(process.stdout))
        self.assertEqual((process.returncode, got), (0, self.expected[size]))

    def upload(self, size, *args):
        url = f"https://app.localhost:{self.server.port}/sink"
        with curl_process(url, "--http1.1", "-T", "-", *args, cert=self.pki.client, cacert=self.pki.ca.crt,
                          timeout=TIMEOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            feed(self.patterns[size], process.stdin)
            self.assertEqual(process.stdout.read(), b"ok")
        self.assertEqual((process.returncode, self.uploads), (0, [self.expected[size]]))

    def test_http_download_by_length(self):
        self.start_http()
        self.download("/length", SIZE)

    def test_http_download_in_chunks(self):
        self.start_http()
        self.download("/chunked", SMALLER)

    def test_http_upload_in_chunks(self):
        self.start_http()
        self.upload(SIZE)

    def test_http_upload_by_length(self):
        self.start_http()
        self.upload(SMALLER, "-H", f"Content-Length: {SMALLER}", "-H", "Transfer-Encoding:")

    def test_tcp_both_ways_at_once(self):
        """The backend sends its gibibyte while it hashes the client's; so does the client."""
        received = []

        def exchange(connection):
            reader = threading.Thread(target=lambda: received.append(hash_of(connection.http.exactly(SIZE))))
            reader.start()
            for piece in self.patterns[SIZE].pieces():
                connection.send(piece)
            reader.join(TIMEOUT)  # only then our end: it makes s_client leave, whatever it still has to send
        app = self.backend(exchange)
        self.server = self.serve(tcp_config(self.pki, app.address))
        command = ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{self.server.port}", "-servername",
                   "app.localhost", "-cert", str(self.pki.client.crt), "-key", str(self.pki.client.key)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            writer = threading.Thread(target=feed, args=(self.patterns[SIZE], process.stdin))
            writer.start()
            count, digest = hash_of(pipe_pieces(process.stdout))
            writer.join(TIMEOUT)
        self.assertEqual([(count, digest)] + received, [self.expected[SIZE]] * 2)


if __name__ == "__main__":
    harness.main()
