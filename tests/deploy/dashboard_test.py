"""Every query of the Grafana dashboard, and every expression of the rules, returns series on a real Prometheus which
scrapes a loaded terminator. Prometheus is Debian's package, unpacked privately (deploy/deps --test)."""

import json
import os
import re
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import harness  # noqa: E402
from clients import poll_until  # noqa: E402

TOOLS = Path(os.environ.get("PROMETHEUS_BIN", ROOT / ".deps/prometheus/usr/bin"))
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/portcullis.json").read_text())
RULES = ROOT / "deploy/prometheus/portcullis.rules.yml"
SCRAPE_SECONDS = 1
# Alerts hold when something is wrong; what they compare must exist all the same.
NO_SERIES_WHEN_WELL = re.compile(r"\s(?:==|>|<)\s*[\d.]+(?:\s*\*\s*\d+)?")


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions_of_rules():
    """(name, expression) of each rule; the file's folded scalars are read as YAML would."""
    found, lines = [], RULES.read_text().splitlines()
    for index, line in enumerate(lines):
        match = re.match(r"\s*- (record|alert): (\S+)", line)
        if not match:
            continue
        head = lines[index + 1]
        text = head.split("expr:", 1)[1].strip()
        if text == ">-":
            indent = len(head) - len(head.lstrip()) + 2
            parts = []
            for more in lines[index + 2:]:
                if len(more) - len(more.lstrip()) < indent:
                    break
                parts.append(more.strip())
            text = " ".join(parts)
        found.append((match[2], text))
    return found


class Prometheus:
    def __init__(self, folder, target):
        config = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        config = config.replace("portcullis:9180", target).replace("15s", f"{SCRAPE_SECONDS}s")
        (folder / "prometheus.yml").write_text(config)
        (folder / RULES.name).write_text(RULES.read_text())
        log_path = folder / "prometheus.log"
        self.log = open(log_path, "wb")
        self.process = subprocess.Popen(
            [str(TOOLS / "prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             "--web.listen-address=127.0.0.1:0"], stdout=self.log, stderr=self.log)
        # The port is the kernel's choice, told in the log: one that was probed and let go could be taken by then.
        self.port = None
        try:
            poll_until(lambda: self.read_port(log_path), log_path.read_text, 60, step=0.05)
            poll_until(self.is_ready, log_path.read_text, 60, step=0.05)  # until then its API answers 503, not JSON
        except BaseException:
            self.stop()
            raise

    def read_port(self, log_path):
        match = re.search(r'"?Listening on"? address=127\.0\.0\.1:(\d+)', log_path.read_text())
        self.port = match and match[1]
        return self.port

    def open(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def is_ready(self):
        try:
            with self.open("/-/ready") as response:
                return response.status == 200
        except OSError:
            return False

    def get(self, path, **query):
        try:
            with self.open(f"{path}?{urllib.parse.urlencode(query)}") as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return {}

    def query(self, expression):
        answer = self.get("/api/v1/query", query=expression)
        if answer.get("status") == "error":
            raise AssertionError(f"{expression}: {answer['error']}")
        return answer.get("data", {}).get("result", [])

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def substitute(expression):
    values = {"$__rate_interval": "30s", "$instance": ".*", "$listener": ".*", "$job": "portcullis"}
    for variable, value in values.items():
        expression = expression.replace(variable, value)
    return expression


class Dashboard(harness.E2ETest):
    def load(self, server):
        """A bit of everything that the panels show."""
        good = self.curl(server)
        self.assertEqual(good.status, 200, good)
        self.assertEqual(self.curl(server, cert=None).status, 400)
        self.assertEqual(self.curl(server, cert=self.pki.expired).status, 400)
        self.assertEqual(self.curl(server, cert=self.pki.revoked).status, 400)

    def test_every_query_returns_series(self):
        config = harness.http_config(self.pki, self.http_backend().address)
        config["trusts"][0]["crl"] = [str(self.pki.ca_crl)]
        chain, staple = self.dir / "chain.crt", self.dir / "server.ocsp"
        chain.write_bytes(self.pki.server.crt.read_bytes() + self.pki.ca.crt.read_bytes())
        staple.write_bytes(self.pki.ca.ocsp(self.pki.server, self.dir))
        config["virtual_hosts"][0]["certificates"] = [
            {"certificate": str(chain), "key": str(self.pki.server.key), "ocsp_response": str(staple)}]
        server = self.serve(config)
        prometheus = Prometheus(self.dir, f"127.0.0.1:{server.admin}")
        self.addCleanup(prometheus.stop)
        wanted = {f"{panel['title']}: {target['expr']}": substitute(target["expr"])
                  for panel in panels() for target in panel["targets"]}
        self.assertGreater(len(wanted), 20)
        for name, expression in expressions_of_rules():
            compared = NO_SERIES_WHEN_WELL.sub(" ", expression).replace(" and sum", " or sum")
            wanted[f"rule {name}: {expression}"] = compared

        missing = dict(wanted)

        def all_there():
            self.load(server)
            for name in [name for name, expression in missing.items() if prometheus.query(expression)]:
                del missing[name]
            return not missing
        poll_until(all_there, lambda: "series for:\n" + "\n".join(missing), 100, step=0.5)

    def test_no_alert_fires_on_a_healthy_server(self):
        server = self.serve(harness.http_config(self.pki, self.http_backend().address))
        prometheus = Prometheus(self.dir, f"127.0.0.1:{server.admin}")
        self.addCleanup(prometheus.stop)
        poll_until(lambda: prometheus.query("up == 1"), "a scrape", 60, step=0.2)
        rules = prometheus.get("/api/v1/rules")["data"]["groups"]
        alerts = [rule for group in rules for rule in group["rules"] if rule["type"] == "alerting"]
        self.assertEqual(len(alerts), sum(line.lstrip().startswith("- alert:") for line in
                                          RULES.read_text().splitlines()))
        firing = [alert["name"] for alert in alerts if alert["state"] == "firing"]
        # The test PKI lives for less than the two weeks that its expiry alert warns of; `for` keeps it pending.
        self.assertEqual(firing, [])


class Structure(unittest.TestCase):
    def test_panels_are_complete(self):
        ids = [panel["id"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in panels():
            for field in ("title", "description", "targets"):
                self.assertTrue(panel[field], panel["id"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
            self.assertEqual(panel["datasource"]["uid"], "${datasource}")

    def test_the_issues_panels_are_there(self):
        titles = {panel["title"] for panel in panels()}
        for title in ("Handshake rate", "Handshake latency", "Handshake latency, heatmap", "Rejections by reason",
                      "Active connections"):
            self.assertIn(title, titles)

    def test_panels_do_not_overlap(self):
        taken = {}
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} over {taken.get((x, y))}")
                    taken[x, y] = panel["title"]

    def test_promtool_accepts_the_rules_and_their_unit_tests(self):
        for command in (["check", "rules", RULES], ["test", "rules", ROOT / "tests/deploy/rules_test.yml"]):
            done = subprocess.run([str(TOOLS / "promtool"), *map(str, command)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    harness.main()
