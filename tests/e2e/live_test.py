"""Live connections are held to what is configured now: after a reload, and when a certificate runs out, exactly those
whose clients would no longer be let in end, with a reason; the others notice nothing."""

import copy
import datetime
import shutil
import signal
import threading
import time

import harness
from backends import respond, tcp_echo
from clients import poll_until, tls_context
from harness import SLOW, E2ETest, host, http_config, tcp_config
from pki import Cert

RELOADS = "portcullis_config_reloads_total"
LAPSED = "portcullis_connections_lapsed_total"
GET = "GET / HTTP/1.1\nHost: app.localhost"
PROMPT = 1.0 * SLOW  # seconds from the reload to the last close


class Live(E2ETest):
    lapse = "20s"  # timeouts.lapse

    def timeouts(self):
        return {"drain": self.drain, "lapse": self.lapse}

    def start(self, config, target, **auth):
        """Trust and CRL are copies which the test may change in place."""
        self.files = self.dir / "files"
        self.files.mkdir()
        shutil.copy(self.pki.ca.crt, self.files / "ca.crt")
        self.pki.ca.crl(self.files / "ca.crl")
        self.config = config(self.pki, target.address)
        self.config["trusts"] = [{"name": "clients", "folder": str(self.files)}]
        self.config["virtual_hosts"][0]["client_auth"].update(auth)
        self.server = self.serve({**copy.deepcopy(self.config), "timeouts": self.timeouts()})

    def reload(self):
        before = self.server.metrics().sum(RELOADS, result="success")
        self.server.send_signal(signal.SIGHUP)
        poll_until(lambda: self.server.metrics().sum(RELOADS, result="success") == before + 1, "a reload", 10 * SLOW)
        self.reloaded = time.monotonic()

    def revoke(self, *certs):
        self.pki.ca.crl(self.files / "ca.crl", certs)
        self.reload()

    def reload_as(self, change, revoked=()):
        """Reloads with what `change` makes of a copy of the configuration, and with so many revoked."""
        config = copy.deepcopy(self.config)
        change(config)
        self.server.write_config({**config, "timeouts": self.timeouts()})
        self.revoke(*revoked)

    def expect_end(self, client, how="close_notify"):
        self.assertEqual(client.wait_end(), how)
        self.assertLess(time.monotonic() - self.reloaded, PROMPT)

    def expect_lapsed(self, **reasons):
        """The metric and the connection log agree."""
        metrics = self.server.metrics()
        for reason, count in reasons.items():
            self.assertEqual(metrics.sum(LAPSED, reason=reason), count, reason)
        self.assertEqual(metrics.sum(LAPSED), sum(reasons.values()))
        for reason, count in reasons.items():
            self.assertEqual(len(self.server.wait_log(count, close=reason)), count)

    def echo(self, client, text=b"ping"):
        client.send(text)
        self.assertEqual(client.recv_exactly(len(text)), text)

    def test_tcp_the_revoked_ends_and_a_stream_beside_it_goes_on(self):
        self.start(tcp_config, self.backend(tcp_echo))
        revoked = [self.client(self.server, version=version) for version in ("1.2", "1.3")]
        other = self.client(self.server, cert=self.pki.client_second)
        for client in (*revoked, other):
            self.echo(client)
        stop, failures, echoed = threading.Event(), [], []

        def stream():
            try:
                while not stop.is_set():
                    self.echo(other, bytes(range(256)) * 64)
                    echoed.append(1)
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)
        streaming = threading.Thread(target=stream)
        streaming.start()
        self.revoke(self.pki.client)
        for client in revoked:
            self.expect_end(client)
        sent = len(echoed)
        poll_until(lambda: len(echoed) > sent or failures, "the stream goes on")
        stop.set()
        streaming.join()
        self.assertEqual(failures, [])
        self.expect_lapsed(revoked=2)
        other.close()

    def test_tcp_the_backend_is_not_told_a_clean_end(self):
        ends = []

        def note_end(connection):
            try:
                while connection.recv():
                    pass
                ends.append("eof")
            except ConnectionResetError:
                ends.append("reset")
        self.start(tcp_config, self.backend(note_end))
        client = self.client(self.server)
        client.send(b"half of what I have to s")
        poll_until(lambda: self.backends[0].connections, "the backend's connection")
        self.revoke(self.pki.client)
        self.expect_end(client)
        poll_until(lambda: ends, "the backend's end")
        self.assertEqual(ends, ["reset"])

    def test_http_idle_connections_end_at_once_and_others_stay(self):
        self.start(http_config, self.http_backend())
        revoked, other = self.client(self.server), self.client(self.server, cert=self.pki.client_second)
        fresh = self.client(self.server)  # has not asked for anything yet
        for client in (revoked, other):
            self.assertEqual(client.request(GET).status, 200)
        self.revoke(self.pki.client)
        self.expect_end(revoked)
        self.expect_end(fresh)
        self.assertEqual(other.request(GET).status, 200)
        self.assertEqual(other.request(GET).get("connection"), None)
        self.expect_lapsed(revoked=2)

    def test_http_an_exchange_under_way_is_finished_and_is_the_last(self):
        go = threading.Event()

        def slow(connection, _request):
            go.wait(20 * SLOW)
            respond(connection, 200, b"done")
        self.start(http_config, self.http_backend({"/slow": slow}))
        client = self.client(self.server)
        client.send(b"GET /slow HTTP/1.1\r\nHost: app.localhost\r\n\r\nGET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
        poll_until(lambda: self.backends[0].requests, "the request at the backend")
        self.revoke(self.pki.client)
        poll_until(lambda: self.server.metrics().sum(LAPSED) == 1, "the connection has lapsed")
        go.set()
        answer = client.http.response()
        self.assertEqual((answer.status, answer.body, answer.get("connection")), (200, b"done", "close"))
        self.assertEqual(client.wait_end(), "close_notify")
        self.assertEqual(len(self.backends[0].requests), 1, "what was asked for behind it is not served")
        self.expect_lapsed(revoked=1)

    def test_http_an_exchange_without_end_is_cut(self):
        def endless(connection, _request):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                while True:
                    connection.send(b"1\r\nx\r\n")
                    time.sleep(0.02)
            except OSError:
                return False
        self.drain, self.lapse = "60s", "400ms"
        self.start(http_config, self.http_backend({"/endless": endless}))
        client = self.client(self.server)
        client.send(b"GET /endless HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
        client.recv()
        self.revoke(self.pki.client)
        client.recv_all()
        self.assertEqual(client.ended, "reset")
        self.assertLess(time.monotonic() - self.reloaded, 0.4 + PROMPT)
        self.expect_lapsed(revoked=1)

    def test_http_what_an_upgraded_connection_carries_is_cut_at_once(self):
        def upgrade(connection, _request):
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            tcp_echo(connection)
            return False
        self.start(http_config, self.http_backend({"/ws": upgrade}))
        revoked, other = self.client(self.server), self.client(self.server, cert=self.pki.client_second)
        for client in (revoked, other):
            head = "GET /ws HTTP/1.1\nHost: app.localhost\nConnection: Upgrade\nUpgrade: echo"
            self.assertEqual(client.request(head).status, 101)
            self.echo(client)
        self.revoke(self.pki.client)
        self.expect_end(revoked)
        self.echo(other)
        self.expect_lapsed(revoked=1)

    def test_resumed_connections_too(self):
        self.start(http_config, self.http_backend())
        for version in ("1.2", "1.3"):
            context = tls_context(self.pki.client, self.pki.ca.crt, version)
            with self.client(self.server, context=context) as client:
                self.assertEqual(client.request(GET).status, 200)
                session = client.tls.session
            resumed = self.client(self.server, context=context, session=session)
            self.assertEqual(resumed.request(GET).status, 200)
            self.assertTrue(resumed.tls.session_reused)
        self.revoke(self.pki.client)
        for client in self.clients[1::2]:
            self.expect_end(client)
        self.expect_lapsed(revoked=2)

    def test_an_intermediate_that_is_withdrawn_ends_those_it_was_lent_to(self):
        """They sent their leaf alone; full handshakes and resumed sessions alike. Who sends it stays."""
        alone = Cert(self.pki.chained.leaf, self.pki.chained.key)
        self.start(http_config, self.http_backend())

        def lend(*certs):
            self.reload_as(lambda config: config["trusts"][0].update(
                intermediates=[str(cert.crt) for cert in certs]))
        lend(self.pki.mid)
        own, goes, sessions = self.client(self.server, cert=self.pki.chained), [], []
        for version in ("1.2", "1.3"):
            context = tls_context(alone, self.pki.ca.crt, version)
            goes.append(self.client(self.server, context=context))
            self.assertEqual(goes[-1].request(GET).status, 200)
            sessions.append((context, goes[-1].tls.session))
            goes.append(self.client(self.server, context=context, session=goes[-1].tls.session))
            self.assertEqual(goes[-1].request(GET).status, 200)
            self.assertTrue(goes[-1].tls.session_reused)
        lend(self.pki.mid, self.pki.other)
        for client in (own, *goes):
            self.assertEqual(client.request(GET).status, 200)
        lend(self.pki.other)
        for client in goes:
            self.expect_end(client)
        self.assertEqual(own.request(GET).status, 200)
        self.expect_lapsed(unknown_ca=len(goes))
        for context, session in sessions:
            again = self.client(self.server, context=context, session=session)
            self.assertEqual(again.request(GET).status, 400)
            self.assertFalse(again.tls.session_reused)

    def test_another_trust_ends_whom_it_does_not_know(self):
        self.start(tcp_config, self.backend(tcp_echo))
        both = self.files / "ca.crt"
        both.write_bytes(self.pki.ca.crt.read_bytes() + self.pki.other.crt.read_bytes())
        self.reload()
        stays, goes = self.client(self.server, cert=self.pki.stranger), self.client(self.server)
        chained = self.client(self.server, cert=self.pki.chained)
        for client in (stays, goes, chained):
            self.echo(client)
        shutil.copy(self.pki.other.crt, both)
        (self.files / "ca.crl").unlink()
        self.reload()
        self.expect_end(goes)
        self.expect_end(chained)
        self.echo(stays)
        self.expect_lapsed(unknown_ca=2)

    def test_a_host_that_comes_to_require_certificates_ends_the_anonymous(self):
        self.start(http_config, self.http_backend(), mode="optional")
        anonymous, known = self.client(self.server, cert=None), self.client(self.server)
        for client in (anonymous, known):
            self.assertEqual(client.request(GET).status, 200)
        config = copy.deepcopy(self.config)
        config["virtual_hosts"][0]["client_auth"]["mode"] = "require"
        self.server.write_config({**config, "timeouts": self.timeouts()})
        self.reload()
        self.expect_end(anonymous)
        self.assertEqual(known.request(GET).status, 200)
        self.expect_lapsed(no_cert=1)

    def test_a_reload_that_changes_nothing_ends_nothing(self):
        self.start(tcp_config, self.backend(tcp_echo))
        clients = [self.client(self.server) for _ in range(20)]
        for _ in range(3):
            self.reload()
            for client in clients:
                self.echo(client)
        self.expect_lapsed()

    def test_a_certificate_that_runs_out_ends_its_connection(self):
        self.start(tcp_config, self.backend(tcp_echo))
        seconds = 3 * SLOW
        brief = self.pki.ca.client("brief-live", days=(-1, seconds / 86400), folder=self.files)
        ends = datetime.datetime.strptime(brief.field("-enddate"), "%b %d %H:%M:%S %Y %Z").timestamp()
        ends -= time.timezone if time.daylight == 0 else time.altzone
        client, other = self.client(self.server, cert=brief), self.client(self.server)
        self.echo(client)
        self.assertEqual(client.wait_end(), "close_notify")
        late = time.time() - ends
        self.assertGreater(late, -0.05)
        self.assertLess(late, 1 + PROMPT)
        self.echo(other)
        self.expect_lapsed(expired=1)

    def test_a_host_that_goes_by_another_name_now_is_found_by_its_server_name(self):
        self.start(tcp_config, self.backend(tcp_echo))
        revoked, other = self.client(self.server), self.client(self.server, cert=self.pki.client_second)

        def rename(config):
            config["virtual_hosts"][0]["name"] = "renamed"
            config["listeners"][0]["hosts"] = ["renamed"]
        self.reload_as(rename, revoked=[self.pki.client])
        self.expect_end(revoked)
        self.echo(other)
        self.expect_lapsed(revoked=1)

    def test_a_host_whose_server_names_are_reordered_has_another_default_name(self):
        names = ["app.localhost", "b.localhost"]
        self.start(lambda pki, target: http_config(pki, target, names=names), self.http_backend())
        revoked = [self.client(self.server, sni=name) for name in names]
        other = self.client(self.server, cert=self.pki.client_second)

        def reorder(config):
            config["virtual_hosts"][0]["server_names"] = names[::-1]
            config["listeners"][0]["hosts"] = names[1:]
        self.reload_as(reorder, revoked=[self.pki.client])
        for client in revoked:
            self.expect_end(client)
        self.assertEqual(other.request(GET).status, 200)
        self.expect_lapsed(revoked=2)

    def split(self, config):
        """Takes one of the names out to a host of its own, which lets in the second client alone."""
        config["virtual_hosts"][0]["server_names"].remove("b.localhost")
        stricter = host(self.pki, ["b.localhost"])
        stricter["client_auth"]["policy"] = {"allow": [{"common_name": "client-second"}]}
        config["virtual_hosts"].append(stricter)
        config["listeners"][0]["hosts"].append("b.localhost")

    def test_a_stricter_host_split_out_judges_who_came_by_its_name(self):
        names = ["app.localhost", "b.localhost"]
        self.start(lambda pki, target: http_config(pki, target, names=names), self.http_backend())
        stays, goes = self.client(self.server, sni=names[0]), self.client(self.server, sni=names[1])
        allowed = self.client(self.server, sni=names[1], cert=self.pki.client_second)
        self.reload_as(self.split)
        self.expect_end(goes)
        for client, name, other in ((stays, names[0], names[1]), (allowed, names[1], names[0])):
            self.assertEqual(client.request(f"GET / HTTP/1.1\nHost: {name}").status, 200)
            self.assertEqual(client.request(f"GET / HTTP/1.1\nHost: {other}").status, 421)
        self.expect_lapsed(policy_denied=1)

    def test_an_open_host_in_its_place_does_not_speak_for_one_that_is_gone(self):
        self.start(tcp_config, self.backend(tcp_echo))
        revoked, other = self.client(self.server), self.client(self.server, cert=self.pki.client_second)

        def replace(config):
            config["virtual_hosts"] = [host(self.pki, ["open.localhost"], auth="off")]
            config["listeners"][0]["hosts"] = ["open.localhost"]
        self.reload_as(replace, revoked=[self.pki.client])
        self.expect_end(revoked)
        self.echo(other)
        self.expect_lapsed(revoked=1)

    def test_a_listener_that_is_taken_away_cuts_the_revoked_and_leaves_the_others(self):
        self.start(tcp_config, self.backend(tcp_echo))
        revoked, other = self.client(self.server), self.client(self.server, cert=self.pki.client_second)

        def move(config):
            config["virtual_hosts"] = [host(self.pki, ["open.localhost"], auth="off")]
            config["listeners"] = [{"name": "side", "address": "127.0.0.1:0", "mode": "tcp"}]
        self.reload_as(move, revoked=[self.pki.client])
        self.expect_end(revoked)
        self.echo(other)
        self.expect_lapsed(revoked=1)

    def test_a_listener_and_its_trust_taken_away_leave_nobody_who_vouches(self):
        self.start(tcp_config, self.backend(tcp_echo))
        client = self.client(self.server)
        self.echo(client)

        def remove(config):
            config["virtual_hosts"] = [host(self.pki, ["open.localhost"], auth="off")]
            config["listeners"] = [{"name": "side", "address": "127.0.0.1:0", "mode": "tcp"}]
            del config["trusts"]
        self.reload_as(remove)
        self.expect_end(client)
        self.expect_lapsed(unknown_ca=1)

    def test_a_host_may_leave_its_connections_alone(self):
        self.start(tcp_config, self.backend(tcp_echo), close_on_change=False)
        client = self.client(self.server)
        self.echo(client)
        self.revoke(self.pki.client)
        self.echo(client)
        self.expect_lapsed()

    def two_hosts(self, pki, target):
        """The second lets in the same clients as the first, but for what a test makes of that."""
        config = http_config(pki, target)
        config["virtual_hosts"].append(host(pki, ["b.localhost"]))
        config["listeners"][0]["hosts"].append("b.localhost")
        return config

    def ask(self, client, name):
        return client.request(f"GET / HTTP/1.1\nHost: {name}").status

    def test_a_host_that_leaves_connections_alone_opens_no_other_to_them(self):
        self.start(self.two_hosts, self.http_backend(), close_on_change=False)
        revoked, other = self.client(self.server), self.client(self.server, cert=self.pki.client_second)
        for client in (revoked, other):
            self.assertEqual([self.ask(client, name) for name in ("app.localhost", "b.localhost")], [200, 200])
        self.revoke(self.pki.client)
        self.assertEqual([self.ask(other, name) for name in ("app.localhost", "b.localhost")], [200, 200])
        self.assertEqual([self.ask(revoked, name) for name in ("app.localhost", "b.localhost")], [200, 421])
        self.expect_lapsed()

    def test_nor_does_one_that_comes_to_ask_for_certificates_take_in_the_anonymous(self):
        self.start(lambda pki, target: http_config(pki, target, auth="off"), self.http_backend())
        client = self.client(self.server, cert=None)
        self.assertEqual(client.request(GET).status, 200)
        others = self.http_backend(name="others")

        def require(config):
            config["virtual_hosts"][0]["client_auth"] = {"mode": "require", "trust": "clients",
                                                         "close_on_change": False}
            config["backends"][0]["targets"] = [others.address]
        self.reload_as(require)
        answer = client.request(GET)
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"others", answer.body)
        self.expect_lapsed()


if __name__ == "__main__":
    harness.main()
