"""What bench/scale makes of figures, and the material it loads terminators with. No terminator is measured here."""

import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench"))

import local  # noqa: E402
from comparison import bars  # noqa: E402
from scaling import axes, hosts, material, plot, subject, workers  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
AXIS = axes.Axis("cas", "CAs", (1, 10_000))
STATES = {1: (0.02, 12.0, 1), 10_000: (3.5, 108.4, 10_000)}
# The machine is half as fast in the second round.
SAMPLES = {"seen": [{1: 200, 10_000: 220}, {1: 400, 10_000: 440}, {1: 210, 10_000: 231}],
           "new": [{1: 300, 10_000: 300}, {1: 600, 10_000: 600}, {1: 310, 10_000: 310}]}


class Figures(unittest.TestCase):
    def setUp(self):
        self.rows = axes.rows_of(AXIS.points, SAMPLES, STATES)

    def test_points_are_compared_within_a_round(self):
        self.assertEqual(self.rows[0]["seen_times"], 1)
        self.assertAlmostEqual(self.rows[1]["seen_times"], 1.1)
        self.assertEqual(self.rows[1]["seen"], {"median": 231, "low": 220, "high": 440, "n": 3})

    def test_the_table_has_a_line_for_each_point(self):
        lines = axes.table(AXIS, self.rows)
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[3], "| 10,000 | 231 (220–440) | 1.10 | 310 (300–600) | 1.00 | 3.50 | 108 | 10,000 |")

    def test_the_plot_has_a_line_for_each_kind_of_client_and_needs_nothing_from_elsewhere(self):
        sections = [(AXIS, self.rows), (axes.Axis("<&>", "<&>", AXIS.points), self.rows)]
        svg = plot.figure(sections)
        root = xml.etree.ElementTree.fromstring(svg)
        lines = [path.get("class") for path in root.findall(f"{SVG}path")]
        self.assertEqual((lines.count("seen"), lines.count("new")), (2, 2))
        self.assertNotIn("href", svg)
        self.assertIn("<svg", plot.figure([]))

    def test_the_scale_of_a_plot_is_round_and_its_labels_do_not_overlap(self):
        self.assertEqual(bars.ticks(433), [0, 100, 200, 300, 400, 500])
        self.assertEqual(bars.ticks(618), [0, 200, 400, 600, 800])
        self.assertEqual(bars.ticks(999)[-1], 1000)
        self.assertEqual(bars.ticks(120), [0, 20, 40, 60, 80, 100, 120])
        self.assertEqual(bars.ticks(1), [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
        rows = [{"seen": {"median": 200}, "new": {"median": 201}}]
        ends = plot.ends(rows, lambda number, value: (0, 500 - value))
        self.assertEqual(ends, {"new": 299, "seen": 299 + plot.LEAST_APART})

    def test_every_axis_begins_with_what_a_terminator_without_that_dimension_has(self):
        for axis in axes.ALL:
            self.assertEqual(list(axis.points), sorted(axis.points), axis.name)


class Material(unittest.TestCase):
    def test_openssl_reads_what_is_made(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            material.make_files(folder, [3], [5])
            crl = local.openssl(folder, "crl", "-in", "root-5.crl", "-inform", "DER", "-noout", "-text", "-CAfile",
                                "root.crt")
            self.assertEqual(crl.count(b"Serial Number:"), 5)
            self.assertEqual((folder / "fillers-3.crt").read_text().count("BEGIN CERTIFICATE"), 2)
            first = local.openssl(folder, "x509", "-in", "fillers-3.crt", "-noout", "-text")
            self.assertIn(b"Filler CA 0", first)
            self.assertIn(b"CA:TRUE", first)


class Hosts(unittest.TestCase):
    NAMES = [f"h{i}.bench.localhost" for i in range(5)]

    def test_each_has_a_certificate_and_key_of_its_own_that_go_together(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            hosts.write(folder, "Bench Root", self.NAMES)
            keys = set()
            for host in self.NAMES:
                of_key = local.openssl(folder, "pkey", "-in", f"{host}.key", "-pubout")
                keys.add(of_key)
                self.assertIn(b"Key is valid", local.openssl(folder, "pkey", "-in", f"{host}.key", "-check"))
                self.assertEqual(of_key, local.openssl(folder, "x509", "-in", f"{host}.crt", "-noout", "-pubkey"))
                text = local.openssl(folder, "x509", "-in", f"{host}.crt", "-noout", "-text")
                self.assertIn(f"DNS:{host}\n".encode(), text)
            self.assertEqual(len(keys), len(self.NAMES))

    def test_drives_ask_for_all_of_them_in_turn(self):
        self.assertEqual(subject.parts(1, 5000), [(0, 0)])
        self.assertEqual(subject.parts(10_000, 5000), [(0, 4999), (5000, 9999)])
        for count, handshakes in ((10_000, 3000), (7, 2), (5, 5)):
            ranges = subject.parts(count, handshakes)
            asked = [number for first, last in ranges for number in range(first, last + 1)]
            self.assertEqual(asked, list(range(count)))
            self.assertLessEqual(max(last + 1 - first for first, last in ranges), handshakes)

    def test_the_configuration_names_each_ones_own(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subject.config(folder, folder / "c.yaml", subject.Size(hosts=3), "unix:/x")
            found = local.json.loads((folder / "c.yaml").read_text())["virtual_hosts"]
        self.assertEqual([host["certificates"][0]["key"] for host in found],
                         [str(folder / f"hosts/{one}.key") for one in self.NAMES[:3]])


class Workers(unittest.TestCase):
    # The machine is half as fast in the second round.
    ROUNDS = [{"floor": 300, 1: {"cpu_us": 150, "per_second": 3000}, 2: {"cpu_us": 165, "per_second": 3500}},
              {"floor": 600, 1: {"cpu_us": 300, "per_second": 1500}, 2: {"cpu_us": 330, "per_second": 1700}},
              {"floor": 300, 1: {"cpu_us": 156, "per_second": 3000}, 2: {"cpu_us": 171, "per_second": 3600}}]

    def test_counts_are_compared_within_a_round(self):
        lines = workers.table("seen", [1, 2], self.ROUNDS)
        self.assertIn("floor (`Full/p256_tls13`) 300 us", lines[0])
        self.assertEqual(lines[-1], "| 2 | 171 (165–330) | 0.55 (0.55–0.57) | 1.10 (1.10–1.10) | 3,500 (1,700–3,600) |")

    def test_the_load_has_cores_of_its_own_where_there_are_enough(self):
        def cores(most, there):
            found = workers.cores_for(most, there)
            return found.server, found.load
        self.assertEqual(cores(1, 2), ("0", "1"))
        self.assertEqual(cores(2, 2), ("0,1", "0,1"))
        self.assertEqual(cores(2, 4), ("0,1", "2,3"))


class Command(unittest.TestCase):
    def test_mistakes_end_with_2(self):
        def run(*arguments):
            return subprocess.run([sys.executable, str(ROOT / "bench/scale"), *arguments], capture_output=True,
                                  text=True, check=False)
        self.assertEqual(run("--help").returncode, 0)
        self.assertEqual(run("--axes", "moons").returncode, 2)
        self.assertEqual(run("--axes", "--workers").returncode, 2)
        self.assertEqual(run("--workers", "0").returncode, 2)


if __name__ == "__main__":
    unittest.main()
