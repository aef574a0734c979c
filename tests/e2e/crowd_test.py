"""A reload under more than two thousand live connections: those of revoked and de-trusted clients end, and such clients
neither connect nor resume from then on; everybody else notices nothing. Prints how long it took; what is asserted is a
bound that a busy machine keeps."""

import select
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import harness
from clients import TlsClient, poll_until, tls_context
from harness import SANITIZER, SLOW, E2ETest, http_config

GET = "GET / HTTP/1.1\nHost: app.localhost"
RELOADS = "portcullis_config_reloads_total"
LAPSED = "portcullis_connections_lapsed_total"
REJECTIONS = "portcullis_handshake_rejections_total"
TURN = "portcullis_worker_turn_duration_seconds_bucket"
# Connections of each client; most are of those who stay.
STAYING, REVOKED, DISTRUSTED = (120, 20, 20) if SANITIZER else (1900, 150, 150)
BOUND = 10 * SLOW  # seconds from the signal to the last end


class Crowd(E2ETest):

    def start(self):
        self.files = self.dir / "files"
        self.files.mkdir()
        self.bundle = self.files / "ca.crt"
        self.bundle.write_bytes(self.pki.ca.crt.read_bytes() + self.pki.other.crt.read_bytes())
        self.pki.ca.crl(self.files / "ca.crl")
        config = http_config(self.pki, self.http_backend().address, timeouts={"idle": "10m"})
        config["trusts"] = [{"name": "clients", "folder": str(self.files)}]
        self.server = self.serve(config)

    def ask(self, client):
        answer = client.request(GET)
        self.assertEqual((answer.status, answer.get("connection")), (200, None))

    def gather(self, cert, count):
        """Connections that have had an answer and wait for whatever comes."""
        context = tls_context(cert, self.pki.ca.crt)

        def connect(_):
            client = self.client(self.server, context=context)
            self.ask(client)
            return client
        return context, self.at_once(connect, range(count))

    @staticmethod
    def at_once(act, items):
        """Several at once: on a busy machine it is waiting for one another that takes the time."""
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(act, items))

    def reload(self):
        """Revokes one client, drops the CA of another; returns when the signal was sent."""
        shutil.copy(self.pki.ca.crt, self.bundle)
        self.pki.ca.crl(self.files / "ca.crl", [self.pki.client])
        self.before = self.server.metrics()
        sent = time.monotonic()
        self.server.send_signal(signal.SIGHUP)
        return sent

    def expect_ends(self, doomed, others, sent):
        """Waits for the ends of `doomed`, of which `others` hear nothing; returns when the last came."""
        by_descriptor = {client.socket.fileno(): client for client in doomed}
        with select.epoll() as poll:
            for client in (*doomed, *others):
                poll.register(client.socket.fileno(), select.EPOLLIN)
            while by_descriptor:
                for descriptor, _ in poll.poll(1):
                    self.assertIn(descriptor, by_descriptor, "somebody else heard something")
                    self.assertEqual(by_descriptor.pop(descriptor).wait_end(), "close_notify")
                    poll.unregister(descriptor)
                self.assertLess(time.monotonic() - sent, BOUND, f"{len(by_descriptor)} are still there")
            last = time.monotonic()
            self.assertEqual(poll.poll(0), [])
        return last - sent

    def longest_turn(self):
        """The bound, in seconds, of the bucket that the longest turn of a worker since the reload is in."""
        buckets = sorted((float(dict(labels)["le"]), delta) for (name, labels), delta
                         in self.server.metrics().moved(self.before).items() if name == TURN)
        return next(bound for bound, delta in buckets if delta == buckets[-1][1])

    def expect_no_way_back(self, cert, context, session, reason):
        """Neither afresh nor with a ticket from before."""
        before = self.server.metrics().sum(REJECTIONS, reason=reason)
        for number, offered in enumerate((None, session)):
            with TlsClient(self.server.port, context=context, session=offered, timeout=20 * SLOW) as client:
                self.assertEqual(client.request(GET).status, 400, cert.subject())
                self.assertFalse(client.tls.session_reused)
            poll_until(lambda: self.server.metrics().sum(REJECTIONS, reason=reason) == before + number + 1, reason)

    def test_a_reload_ends_whom_it_must_and_nobody_else(self):
        harness.raise_descriptor_limit()
        self.start()
        _, staying = self.gather(self.pki.client_second, STAYING)
        of_revoked, revoked = self.gather(self.pki.client, REVOKED)
        of_stranger, distrusted = self.gather(self.pki.stranger, DISTRUSTED)
        sessions = [clients[0].tls.session for clients in (revoked, distrusted)]

        took = self.expect_ends([*revoked, *distrusted], staying, self.reload())
        print(f"\n{len(revoked) + len(distrusted)} of {len(self.clients)} connections ended, the last "
              f"{1000 * took:.0f} ms after SIGHUP; longest turn of a worker at most {1000 * self.longest_turn():g} ms")

        metrics = self.server.metrics()
        self.assertEqual(metrics.sum(RELOADS, result="success"), self.before.sum(RELOADS, result="success") + 1)
        self.assertEqual(metrics.sum(LAPSED, reason="revoked"), REVOKED)
        self.assertEqual(metrics.sum(LAPSED, reason="unknown_ca"), DISTRUSTED)
        self.assertEqual(metrics.sum(LAPSED), REVOKED + DISTRUSTED)
        for reason, count in (("revoked", REVOKED), ("unknown_ca", DISTRUSTED)):
            self.assertEqual(len(self.server.wait_log(count, close=reason)), count)

        self.expect_no_way_back(self.pki.client, of_revoked, sessions[0], "revoked")
        self.expect_no_way_back(self.pki.stranger, of_stranger, sessions[1], "unknown_ca")
        self.at_once(self.ask, staying)


if __name__ == "__main__":
    harness.main()
