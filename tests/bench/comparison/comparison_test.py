"""What bench/compare makes of figures: what it reads from the kernel, its statistics, tables and plots, and that it
ends what it has started. No server is measured here."""

import argparse
import contextlib
import gzip
import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench"))

import local  # noqa: E402
from comparison import bars, checks, main, markdown, nginx, page, peers, process  # noqa: E402
from comparison import load, results, schedule, summary, terminator, variants  # noqa: E402
from comparison.server import Server, Setting  # noqa: E402

FACTS = {"command": "bench/compare", "date": "1 May 2026", "cpu": "Some CPU", "cores": 2, "kernel": "6.1",
         "commit": "abc", "versions": {"nginx": "1.22.1"}, "openssl": "3.0", "server_core": 0, "load_core": 1,
         "spinners": True, "preferred": True, "rounds": 2, "seconds": 3.0, "connections": 32, "idle": 5000,
         "tickets": "on", "seed": 1}
KINDS = {"portcullis-http": "http", "portcullis-tcp": "tcp", "nginx-http": "http", "hitch": "tcp"}


def variant(name):
    return next(one for one in variants.ALL if one.name == name)


def sample(server, round_number, value, floor, **more):
    return {"variant": "p256", "server": server, "round": round_number, "value": value, "floor_us": floor, "failed": 0,
            "per_second": 1000.0, "p50": 1.0, "p99": 2.0, "busy": 1.0, **more}


# The machine is half as fast in the second round.
SAMPLES = [sample("portcullis-http", 0, 200, 250), sample("nginx-http", 0, 1200, 250),
           sample("portcullis-http", 1, 400, 500), sample("nginx-http", 1, 2800, 500, failed=3),
           sample("portcullis-tcp", 0, 100, 250), sample("hitch", 0, 500, 250)]


class Kernel(unittest.TestCase):
    def test_a_process_may_have_any_name(self):
        fields = local.stat_fields("12 (a b) 7 (c) S 1 12 12 0 -1 4194304 1 2 3 4 250 150 0 0 20 0 1 0 99 7 8")
        self.assertEqual((fields[0], fields[11], fields[12], fields[19]), ("S", "250", "150", "99"))

    def test_memory_is_summed_from_the_rollup(self):
        text = "5-6 ---p 0 00:00 0 [rollup]\nRss:    812 kB\nPss:    301 kB\nPss_Anon:   9 kB\n"
        self.assertEqual(process.smaps_kib(text, "Pss"), 301)
        with self.assertRaises(ValueError):
            process.smaps_kib(text, "Swap")

    def test_only_established_connections_of_the_port_count(self):
        text = ("  sl  local_address rem_address   st\n"
                "   0: 0100007F:1F90 00000000:0000 0A 0\n"
                "   1: 0100007F:1F90 0100007F:C001 01 0\n"
                "   2: 0100007F:C001 0100007F:1F90 01 0\n"
                "   3: 0100007F:1F90 0100007F:C002 06 0\n")
        self.assertEqual(process.count_established(text, 8080), 1)

    def test_stop_ends_the_whole_tree_even_what_ignores_the_request(self):
        deaf = "sh -c 'trap \"\" TERM; echo up; exec tail -f /dev/null' & wait"
        shell = subprocess.Popen(["sh", "-c", deaf], stdout=subprocess.PIPE)
        self.assertEqual(shell.stdout.readline(), b"up\n")
        tree = process.ProcessTree(shell.pid)
        pids = tree.pids()
        self.assertEqual(len(pids), 2)
        self.assertGreaterEqual(tree.cpu_seconds(), 0)
        process.stop(shell, patience=0.2)
        shell.stdout.close()
        self.assertIsNotNone(shell.returncode)
        for pid in pids:
            self.assertTrue(process._start_time(pid) is None, pid)

    def test_a_thread_that_ends_meanwhile_is_no_fault(self):
        gone = Path("/proc/self/task/0/children")
        with unittest.mock.patch.object(Path, "glob", return_value=[gone]):
            self.assertEqual(process.ProcessTree(7).pids(), [7])


class Preference(unittest.TestCase):
    def test_a_session_is_preferred_and_put_back(self):
        with tempfile.TemporaryDirectory() as folder:
            group = Path(folder) / "autogroup"
            group.write_text("/autogroup-7 nice 3\n")
            undo = load.prefer_session(group)
            self.assertEqual(group.read_text(), "-20")
            undo()
            self.assertEqual(group.read_text(), "3")

    def test_without_groups_nothing_is_done(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(load.prefer_session(Path(folder) / "autogroup"))


class Statistics(unittest.TestCase):
    def test_spread_is_median_and_range(self):
        self.assertEqual(summary.spread([3, None, 1, 8]), {"median": 3, "low": 1, "high": 8, "n": 3})
        self.assertIsNone(summary.spread([None]))

    def test_each_round_is_compared_with_the_same_round_of_ours(self):
        rows = {row["server"]: row for row in summary.summarise(SAMPLES, variant("p256"), KINDS)}
        times = rows["nginx-http"]["times"]
        self.assertEqual([round(times[key], 6) for key in ("median", "low", "high")], [6.5, 6, 7])
        self.assertEqual(rows["portcullis-http"]["floor"]["high"], 0.8)
        self.assertEqual(rows["hitch"]["times"]["median"], 5)  # beside tcp, not http
        self.assertEqual(rows["nginx-http"]["failed"], 3)

    def test_what_was_not_measured_is_told_and_leaves_the_rest_alone(self):
        lost = {"variant": "p256", "server": "nginx-http", "round": 2, "error": "nginx-http: none alive"}
        rows = {row["server"]: row for row in summary.summarise([*SAMPLES, lost], variant("p256"), KINDS)}
        self.assertEqual(rows["nginx-http"]["value"]["n"], 2)
        text = markdown.document(FACTS, results.sections_of([*SAMPLES, lost], variants.ALL, KINDS))
        self.assertIn("\nnginx-http, not measured in round 3: nginx-http: none alive\n", text)
        alone = results.sections_of([lost], variants.ALL, KINDS)
        self.assertIn("| nginx-http |  |", markdown.document(FACTS, alone))
        self.assertIn("<svg", bars.figure(alone))
        self.assertIn("<p>nginx-http, not measured in round 3: nginx-http: none alive", page.document(FACTS, alone))

    def test_each_lost_sample_is_told_and_that_there_are_none_at_all(self):
        lost = [{"variant": "p256", "server": server, "round": number, "error": f"fault {number}"}
                for server, number in (("hitch", 0), ("hitch", 1), ("nginx-http", None))]
        text = markdown.document(FACTS, results.sections_of(lost, variants.ALL, KINDS))
        for line in ("hitch, not measured in round 1: fault 0", "hitch, not measured in round 2: fault 1",
                     "nginx-http, not measured at all: fault None"):
            self.assertIn(f"\n{line}\n", text)

    def test_the_rate_of_an_open_loop_is_of_the_cpu_it_takes_at_a_rate_and_of_what_the_load_can_do(self):
        rates = []

        class Load:
            def run(self, port, *arguments):
                rates.extend(arguments[place + 1] for place, name in enumerate(arguments) if name == "--rate")
                return {"handshakes": 1000, "per_second": 2000.0, "failures": {}}

        def server_taking(closed_s, steady_s):
            class Tree:
                spent = [0.0, closed_s, closed_s, closed_s + steady_s]

                def cpu_seconds(self):
                    return self.spent.pop(0)
            one, tree = Absent(), Tree()
            one.tree = lambda: tree
            return one

        options = argparse.Namespace(connections=32, seconds=1)
        folder = Path("pki")
        self.assertEqual(variants.open_loop(server_taking(0.5, 0.625), Load(), folder, options, 0.5), (800, 1600.0))
        self.assertEqual(variants.open_loop(server_taking(0.25, 0.25), Load(), folder, options, 0.7), (1800, 4000.0))
        self.assertEqual(rates, [1000, 1800])
        with self.assertRaisesRegex(SystemExit, "3 connections were due"):
            variants.timely(Absent(), {"not_started": 3})

    def test_a_floor_that_moves_within_a_round_is_taken_out_but_of_latency_and_memory(self):
        pair = [sample("portcullis-http", 0, 100, 100), sample("nginx-http", 0, 400, 200)]
        rows = {name: summary.summarise(pair, variant(name), KINDS)[1] for name in ("p256", "keepalive", "idle")}
        self.assertEqual([rows[name]["times"]["median"] for name in rows], [2, 2, 4])
        self.assertIsNone(rows["idle"]["floor"])

    def test_a_server_of_no_kind_of_ours_is_compared_with_what_there_is(self):
        self.assertEqual(summary.reference("tcp", ["portcullis-http", "hitch"]), "portcullis-http")
        self.assertIsNone(summary.reference("tcp", ["hitch"]))


class Memory(unittest.TestCase):
    """Of idle connections, 100 bytes each and 5,000 once for all, of a server that is none."""

    def sample(self, alive):
        """A sample of ten connections, and what the generators were told. `alive`: at the end, of each generator's."""
        there, told = [0], []

        class Holder:
            returncode = None

            def poll(self):
                return self.returncode

            def terminate(self):
                self.returncode = 0

            def wait(self, _seconds):
                if self.returncode is None:
                    raise subprocess.TimeoutExpired("held on", 0)

        class Load:
            def run(self, port, *arguments):
                return {}

            def second(self):
                return Load()

            def start(self, port, *arguments):
                told.append(list(map(str, arguments)))
                there[0] += int(told[-1][told[-1].index("--idle") + 1])
                return Holder()

            def result(self):
                return {"alive": alive.pop(0), "failed": 1, "failures": {"gone": 1}}

        class Tree:
            def memory(self):
                size = 70_000 + (5_000 if there[0] else 0) + 100 * there[0]
                return {"Pss": size, "Rss": 2 * size, "AnonHugePages": 0}

        server = Absent()
        server.tree = Tree
        options = argparse.Namespace(idle=10, connections=1)
        with unittest.mock.patch.object(variants.Idle, "SETTLE_S", 0), \
                unittest.mock.patch.object(process, "established", lambda _port: there[0]), \
                unittest.mock.patch.object(process, "stop"):
            return variant("idle").sample(server, Load(), Path("pki"), options), told

    def test_what_a_server_takes_once_is_in_the_average_and_not_in_the_marginal(self):
        sample, told = self.sample(alive=[2, 8])
        self.assertEqual(sample, {"value": 600, "marginal": 100, "rss": 1200, "huge": 0, "failed": 2,
                                  "failures": {"gone": 2}})
        self.assertEqual([[one[one.index(name) + 1] for name in ("--population", "--idle")] for one in told],
                         [["2", "2"], ["8", "8"]])

    def test_connections_that_a_server_gave_up_are_no_sample(self):
        with self.assertRaisesRegex(local.Fault, "9 of 10 idle connections were alive at the end: {'gone': 2}"):
            self.sample(alive=[1, 8])


class Shown(unittest.TestCase):
    def setUp(self):
        self.sections = results.sections_of(SAMPLES, variants.ALL, KINDS)

    def test_the_table_has_ranges_and_says_what_failed(self):
        text = markdown.document(FACTS, self.sections)
        self.assertIn("| nginx-http * | 2,000 (1,200–2,800) | 5.20 (4.80–5.60) | 6.50 (6.00–7.00) | 1,000 |", text)
        self.assertIn("| hitch | 500 | 2.00 | 5.00 |", text)
        self.assertIn("failed: nginx-http 3", text)
        self.assertIn("Floor beside it (`Full/p256_tls13`): 250 (250–500) us.", text)
        self.assertEqual(text.count("###"), 1)

    def test_the_plots_are_well_formed_and_need_nothing_from_elsewhere(self):
        self.sections[0][1][0]["server"] = "<&>"
        svg = bars.figure(self.sections)
        root = xml.etree.ElementTree.fromstring(svg)
        self.assertEqual(len(root.findall("{http://www.w3.org/2000/svg}rect")), 4)
        html = page.document(FACTS, self.sections)
        self.assertNotIn("<&>", html)
        self.assertNotIn("src=", html)
        self.assertNotIn("href=", html)

    def test_one_sample_that_went_wrong_does_not_make_slivers_of_the_bars(self):
        rows = [(name, {"median": median, "low": 2, "high": high, "n": 5}, False)
                for name, median, high in (("ours", 2.75, 3), ("other", 4.95, 608.2), ("third", 3, 7))]
        root = xml.etree.ElementTree.fromstring("<svg>" + "".join(bars.panel("p99", "ms", rows, 0)[0]) + "</svg>")
        widths = [float(rect.get("width")) for rect in root.findall("rect")]
        self.assertEqual([round(width / bars.BAR * 8, 2) for width in widths], [2.75, 4.95, 3])
        whiskers = [path.get("d") for path in root.findall("path[@class='w']")]
        self.assertEqual([float(path.split("H")[1].split("M")[0]) <= bars.LABEL + bars.BAR for path in whiskers],
                         [True] * 3)
        self.assertEqual([path.count("v8") for path in whiskers], [2, 1, 2])  # one has no end
        said = [text.text for text in root.findall("text")]
        self.assertIn("4.95, up to 608", said)
        self.assertIn("3.00", said)

    def test_every_panel_has_an_axis_with_its_unit(self):
        root = xml.etree.ElementTree.fromstring("<svg>" + "".join(bars.axis([0, 2.5, 5], "ms", 10, 90)) + "</svg>")
        self.assertEqual([(text.text, text.get("x")) for text in root.findall("text")][:3],
                         [("0", "190.0"), ("2.5", "500.0"), ("5", "810.0")])
        self.assertEqual(root.findall("text")[3].text, "ms")
        self.assertEqual(root.findall("path")[1].get("d"), "M500.0 10V90")
        self.assertIn(">CPU over floor</text>", bars.figure(self.sections))

    def test_every_title_fits_its_plot(self):
        for one in variants.ALL:
            self.assertLess(8.1 * len(one.title), bars.WIDTH, one.title)  # of 14 px, semibold

    def test_results_md_keeps_what_is_around_the_marks(self):
        once = results.replace_section("# Results\n\nOurs.\n", "first\n")
        self.assertTrue(once.startswith("# Results\n\nOurs.\n\n"))
        twice = results.replace_section(once + "\nMore.\n", "second\n")
        self.assertNotIn("first", twice)
        self.assertIn("second", twice)
        self.assertTrue(twice.endswith("\nMore.\n"))

    def test_everything_is_saved_and_published(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            text = results.save(folder, FACTS, SAMPLES, variants.ALL, KINDS)
            raw = local.json.loads((folder / "results.json").read_text())
            self.assertEqual((len(raw["samples"]), raw["samples"][3]["failed"], len(raw["summary"])), (6, 3, 4))
            (folder / "RESULTS.md").write_text("# Results\n")
            results.publish(folder, text, folder / "RESULTS.md")
            self.assertIn(text, (folder / "RESULTS.md").read_text())
            self.assertTrue((folder / "results/compare.html").exists())
            packed = gzip.decompress((folder / "results/compare.json.gz").read_bytes())
            self.assertEqual(local.json.loads(packed), raw)


class Absent(Server):
    name = "no.such.server"
    package = "nosuch"


class Peers(unittest.TestCase):
    def test_a_peer_that_is_missing_names_its_package(self):
        self.assertEqual(Absent.missing(), "nosuch")
        self.assertIn("/no/nginx", nginx.of_binary("/no/nginx")[0].missing())

    def test_each_configuration_has_the_same_settings(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "tls").mkdir()
            for file in ("tls.crt", "tls.key"):
                (folder / "tls" / file).write_text(f"{file}\n")
            for peer_class in peers.PACKAGED:
                peer = peer_class()
                peer.port = 12345
                peer.executable = peer.built_with = peer.module = lambda: ""
                peer.command(Setting(folder, folder, f"{folder}/backend.sock", 0, True, 20000))
                path = max(folder.glob("*.c*f*g*"), key=lambda file: file.stat().st_mtime_ns, default=None)
                path = path or max(folder.glob("*.conf"), key=lambda file: file.stat().st_mtime_ns)
                text = path.read_text()
                for wanted in ("12345", "backend.sock", "ca/ca.crt", "X25519", "AES128-GCM"):
                    self.assertIn(wanted, text, peer.name)
                if peer.name != "hitch":  # has none unless told to
                    self.assertRegex(text, "ssl_session_cache off|tune.ssl.cachesize 0|sessionCacheSize = 1", peer.name)
                self.assertRegex(text, "verify_client on|verify required|client-verify = required|requireCert = yes")
                path.unlink()

    def test_a_server_that_lets_strangers_in_is_not_measured(self):
        class Load:
            """A server that accepts everyone, as the load generator tells it."""

            def run(self, port, *arguments):
                bad = "--bad" in arguments
                return {"done": 0 if bad else checks.CONNECTIONS, "failed": 16 if bad else 0, "refused": {},
                        "failures": {"accepted: wrong_ca": 16} if bad else {}}

        with self.assertRaisesRegex(SystemExit, "must refuse a client .wrong_ca."):
            checks.check(Absent(), Load(), Path("pki"))

    def test_a_server_that_agrees_on_something_else_is_not_measured(self):
        agreed = checks.Agreement()
        agreed.join(Absent(), ["TLS_AES_128_GCM_SHA256 X25519"])
        agreed.join(Absent(), ["TLS_AES_128_GCM_SHA256 X25519"])
        with self.assertRaisesRegex(local.Fault, "agree on TLS_AES_256_GCM_SHA384 X25519, no.such.server on TLS_AES_1"):
            agreed.join(Absent(), ["TLS_AES_256_GCM_SHA384 X25519"])


class Responder(Server):
    """OpenSSL's own server, which answers any request with a page."""

    name = "s_server"

    def command(self, setting):
        return ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-www", "-quiet", "-cert",
                setting.pki / "tls/tls.crt", "-key", setting.pki / "tls/tls.key", "-Verify", 3,
                "-verify_return_error", "-CAfile", setting.pki / "ca/ca.crt"]


class Tickets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = Path(cls.scratch.name)
        local.make_pki(cls.folder)

    @contextlib.contextmanager
    def responder(self, tickets=True, one_ticket=False):
        server = Responder()
        server.start(Setting(self.folder / "server", self.folder, "", min(os.sched_getaffinity(0)), tickets, 100,
                             one_ticket=one_ticket))
        try:
            yield server
        finally:
            server.stop()

    def test_they_are_counted_as_they_come_and_openssl_can_be_told_how_many(self):
        def sent(server, *more):
            return checks.tickets_sent(server, self.folder, self.folder, more)

        for one_ticket, most in ((False, 2), (True, 1)):
            with self.responder(one_ticket=one_ticket) as server:
                self.assertEqual([sent(server), sent(server, "--resume-share", "100"), sent(server, "--tls", "1.2")],
                                 [most, 1, 1])
        with self.responder(tickets=False) as server:
            self.assertEqual([sent(server), sent(server, "--tls", "1.2")], [0, 0])
            with self.assertRaisesRegex(local.Fault, "cannot resume"):
                sent(server, "--resume-share", "100")

    def test_without_a_handshake_there_is_no_count(self):
        with self.responder() as server:
            (self.folder / "stranger").mkdir()
            local.make_pki(self.folder / "stranger")
            with self.assertRaisesRegex(local.Fault, "s_server does not answer openssl s_client"):
                checks.tickets_sent(server, self.folder / "stranger", self.folder)

    def test_a_server_that_sends_more_than_one_has_no_part_where_all_send_one(self):
        own = nginx.of_binary("/no/nginx")
        servers = [terminator.PortcullisHttp, peers.Hitch, *own]
        self.assertEqual(main.takes_part(variant("oneticket"), servers), servers[:2])
        self.assertEqual(main.takes_part(variant("p256"), servers), servers)

    def test_a_server_that_sends_others_than_it_should_is_not_measured(self):
        for tickets, wanted, one in ((2, True, False), (1, True, True), (0, False, False)):
            checks.as_wanted(Absent(), tickets, wanted, one)
        for tickets, wanted, one, says in ((2, True, True, "1"), (2, False, False, "none"), (0, True, False, "some")):
            with self.assertRaisesRegex(local.Fault, f"no.such.server sends {tickets} tickets, where {says} should"):
                checks.as_wanted(Absent(), tickets, wanted, one)

    def test_the_table_says_how_many_were_sent(self):
        counted = [{**one, "tickets": 1 if one["server"].startswith("portcullis") else 2} for one in SAMPLES]
        text = markdown.document(FACTS, results.sections_of(counted, variants.ALL, KINDS))
        self.assertRegex(text, r"generator's CPU us \| tickets \|")
        self.assertRegex(text, r"\| portcullis-http .*\| 1 \|\n")
        self.assertRegex(text, r"\| hitch .*\| 2 \|\n")


class Turns(unittest.TestCase):
    """Of a run whose servers are none."""

    def run_of(self, samples):
        """A Comparison without anything started, whose servers' samples, or faults, are `samples` in turn."""
        class Started:
            stops = 0

            def stop(self):
                Started.stops += 1

        class Run(main.Comparison):
            started = 0

            def __init__(self):
                pass

            def start(self, server_class, variant):
                self.started += 1
                return Started()

            def sample(self, variant, server):
                result = samples.pop(0)
                if isinstance(result, BaseException):
                    raise result
                return result

        return Run(), Started

    def test_a_fault_ends_one_sample_and_the_next_is_of_a_server_started_anew(self):
        # The lost one is stopped at once and all at the end; "idle" starts one anew for each sample anyway.
        for name, starts, stops in (("p256", 2, 3), ("idle", 3, 5)):
            with self.subTest(name):
                run, started = self.run_of([{"value": 1}, local.Fault("it is gone"), {"value": 2}])
                servers = {}
                with contextlib.ExitStack() as stack:
                    turns = [run.turn(variant(name), Absent, servers, stack) for _ in range(3)]
                self.assertEqual(turns, [{"value": 1}, {"error": "it is gone"}, {"value": 2}])
                self.assertEqual((run.started, started.stops), (starts, stops))

    def test_a_process_that_went_is_a_fault_but_being_told_to_end_is_not(self):
        run, _ = self.run_of([FileNotFoundError("/proc/1/stat"), SystemExit(143)])
        with contextlib.ExitStack() as stack:
            self.assertIn("/proc/1/stat", run.turn(variant("p256"), Absent, {}, stack)["error"])
            with self.assertRaises(SystemExit):
                run.turn(variant("p256"), Absent, {}, stack)

    def test_no_more_connections_are_idle_than_descriptors_allow(self):
        self.assertGreaterEqual(main.most_idle(20000), 5000)
        self.assertLess(main.most_idle(4096), 2000)


class OwnServers(unittest.TestCase):
    def test_a_second_listener_has_another_key_and_the_same_clients(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            server = terminator.PortcullisHttp()
            server.port = 12345
            server.command(Setting(folder, folder / "fast", "backend.sock", 0, True, 20000, folder / "slow"))
            config = json.loads((folder / "portcullis.yaml").read_text())
        fast, slow = config["listeners"]
        self.assertEqual((fast["address"], fast["hosts"]), ("127.0.0.1:12345", ["main"]))
        self.assertEqual((slow["address"], slow["hosts"]), (f"127.0.0.1:{server.slow_port}", ["beside"]))
        self.assertEqual([host["certificates"] for host in config["virtual_hosts"]],
                         [[{"folder": str(folder / pki / "tls")}] for pki in ("fast", "slow")])
        self.assertEqual(len({json.dumps(host["client_auth"]) for host in config["virtual_hosts"]}), 1)


class Time(unittest.TestCase):
    def test_a_run_of_all_is_expected_to_take_less_than_an_hour(self):
        options = main.parse([])[1]
        servers = [terminator.PortcullisHttp, terminator.PortcullisTcp, *peers.PACKAGED, *nginx.of_binary("/no/nginx")]
        plan = schedule.Schedule.of(variants.ALL, lambda one: main.takes_part(one, servers), options)
        self.assertTrue(1200 < plan.total() < 3600, plan.total())

    def test_what_is_left_follows_the_pace_so_far(self):
        times = [100, 120, 160]
        plan = schedule.Schedule([10, 10, 20], lambda: times.pop(0))
        self.assertEqual([plan.total(), plan.step(), plan.step()], [40, 60, 60])
        self.assertEqual([schedule.words(60), schedule.words(2940)], ["60 s", "49 min"])

    def test_a_floor_serves_the_sample_before_and_the_one_after_if_that_follows_at_once(self):
        class Run(main.Comparison):
            def __init__(self):
                self.options = argparse.Namespace(build=None, server_core=0)
                self.last_floors = {}

        measured = []

        def floor_us(_build, _core, case, _seconds):
            measured.append(case)
            return float(len(measured))

        with unittest.mock.patch("comparison.main.floor_us", floor_us):
            run = Run()
            self.assertEqual([run.floor("a"), run.floor_now("a"), run.floor_now("b"), run.floor_now("b")], [1, 1, 2, 2])
            value, when = run.last_floors["b"]
            run.last_floors["b"] = (value, when - 2 * main.FLOOR_HOLDS_S)
            self.assertEqual(run.floor_now("b"), 3)

    def test_every_floor_is_the_mean_of_one_before_and_one_after(self):
        class Run(main.Comparison):
            load = options = None

            def __init__(self):
                self.floors = {"Resumed/p256_tls13": [10, 30], "Resumed/p256_tls13_buffers": [5, 15]}

            def pki(self, key):
                return key

            def floor(self, case):
                return self.floors[case].pop(0)

            floor_now = floor

        resumed = variant("resumed")
        with unittest.mock.patch.object(resumed, "sample", lambda *_: {"value": 100}, create=True):
            self.assertEqual(Run().sample(resumed, None), {"value": 100, "over_second": 10, "floor_us": 20})

    def test_where_things_lie_on_this_machine_is_not_told(self):
        self.assertEqual(main.command_line(["--rounds", "5", "--out", "/a/b c", "--build=x/y", "--peers", "a,b"]),
                         "bench/compare --rounds 5 --out PATH --build=PATH --peers a,b")


class Command(unittest.TestCase):
    def run_with(self, *arguments):
        return subprocess.run([sys.executable, str(ROOT / "bench/compare"), *arguments], capture_output=True, text=True,
                              check=False)

    def test_mistakes_end_with_2(self):
        self.assertEqual(self.run_with("--help").returncode, 0)
        unknown = self.run_with("--variants", "p257")
        self.assertEqual((unknown.returncode, "unknown variant: p257" in unknown.stderr), (2, True))
        few = self.run_with("--idle", "4", "--build", "/nowhere")
        self.assertEqual((few.returncode, "--idle: 5 at least" in few.stderr), (2, True))
        for part in (["--variants", "p256"], ["--peers", "none"]):
            refused = self.run_with(*part, "--write-results")
            self.assertEqual((refused.returncode, "goes with all variants" in refused.stderr), (2, True))

    def test_each_script_says_in_one_line_what_is_not_built_and_what_builds_it(self):
        scripts = {"compare": ["--peers", "none"], "run-local": [], "reload": [], "scale": [],
                   "scale --workers": ["--workers"], "scale --axes": ["--axes"]}
        with tempfile.TemporaryDirectory() as build:
            (Path(build) / "portcullis").touch()  # as after deploy/quickstart
            for script, arguments in scripts.items():
                command = [sys.executable, str(ROOT / "bench" / script.split()[0]), "--build", build, *arguments]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                floor = "" if script in ("reload", "scale", "scale --axes") else f", {build}/bench/floor_bench"
                self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", (
                    f"{build}/portcullis-loadgen{floor} missing; build first: {local.BUILD}\n")), script)


if __name__ == "__main__":
    unittest.main()
