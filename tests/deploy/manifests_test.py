"""The manifests under deploy/ agree with one another, with the files they name, and with the binary that reads them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BINARY = os.environ.get("PORTCULLIS_BIN", str(ROOT / "build/release/portcullis"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from kubernetes import config_map, mount, replaced  # noqa: E402


def text(path):
    return (DEPLOY / path).read_text()


def check(config, folder):
    """`portcullis check` on a config whose backends' names are replaced by an address: there is no DNS here."""
    path = Path(folder) / "portcullis.yaml"
    path.write_text(re.sub(r'targets: \["[a-z]+:', 'targets: ["127.0.0.1:', config))
    return subprocess.run([BINARY, "check", "--config", str(path)], capture_output=True, text=True)


class Compose(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_its_certificates_and_config_pass_the_check(self):
        subprocess.run([str(DEPLOY / "compose/certificates"), str(self.folder)], check=True, capture_output=True)
        done = check(text("compose/portcullis.yaml"), self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        verified = subprocess.run(["openssl", "verify", "-CAfile", self.folder / "ca/ca.crt", "-purpose", "sslclient",
                                   self.folder / "client.crt"], capture_output=True, text=True)
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_every_file_it_mounts_exists_or_is_made(self):
        compose = text("compose/compose.yaml")
        mounts = re.findall(r"- (\.{1,2}/[^:]+):", compose)
        self.assertGreater(len(mounts), 4)
        for mount in mounts:
            if not mount.startswith("./certs/"):
                self.assertTrue((DEPLOY / "compose" / mount).exists(), mount)
        for path in re.findall(r"seccomp:(\S+?)\"", compose):
            self.assertTrue((DEPLOY / "compose" / path).exists(), path)

    def test_ports_agree(self):
        config = text("compose/portcullis.yaml")
        self.assertIn(":8443", config)
        self.assertIn('"8443:8443"', text("compose/compose.yaml"))
        self.assertIn("0.0.0.0:9180", config)
        self.assertIn("portcullis:9180", text("prometheus/prometheus.yml"))


class Kubernetes(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_the_config_map_passes_the_check_with_mounted_secrets(self):
        pki = self.folder / "pki"
        subprocess.run([str(DEPLOY / "compose/certificates"), str(pki)], check=True, capture_output=True)
        tls = mount(self.folder / "tls", {"tls.crt": pki / "tls/tls.crt", "tls.key": pki / "tls/tls.key"})
        ca = mount(self.folder / "ca", {"ca.crt": pki / "ca/ca.crt"})
        config = replaced(config_map(), {"/etc/portcullis/tls": str(tls), "/etc/portcullis/ca": str(ca)})
        done = check(config, self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_referred_to_exists(self):
        deployment, config = text("kubernetes/deployment.yaml"), text("kubernetes/configmap.yaml")
        for file in re.search(r"resources: \[(.*)\]", text("kubernetes/kustomization.yaml"))[1].split(", "):
            self.assertTrue((DEPLOY / "kubernetes" / file).exists(), file)
        for folder in re.findall(r"mountPath: (/etc/portcullis/(?:tls|ca))\b", deployment):
            self.assertIn(f"folder: {folder}", config)
        mounted = set(re.findall(r"\{name: (\w+), mountPath", deployment))
        self.assertEqual(mounted, set(re.findall(r"\{name: (\w+), (?:configMap|secret)", deployment)))
        config_file = re.search(r'"--config", "([^"]+)"', deployment)[1]
        self.assertIn(f"{{name: config, mountPath: {Path(config_file).parent}, readOnly: true}}", deployment)
        self.assertIn(f"  {Path(config_file).name}: |", config)
        for secret in ("ca-secret", "tls-secret"):
            self.assertIn(f"secretName: {secret}", deployment)
            self.assertIn(f"create secret generic {secret}", text("kubernetes/kustomization.yaml"))
        for port in re.findall(r"(?:targetPort|port): ([a-z]+)\b", deployment + text("kubernetes/service.yaml")):
            self.assertRegex(deployment, rf"name: {port}, containerPort")

    def test_what_a_reload_reads_is_mounted_as_a_folder(self):
        """A file mounted by subPath stays what it was when the pod began."""
        lines = [line for line in text("kubernetes/deployment.yaml").splitlines() if not line.lstrip().startswith("#")]
        self.assertEqual([line for line in lines if "subPath" in line], [])

    def test_a_pod_is_given_longer_than_its_drain(self):
        grace = int(re.search(r"terminationGracePeriodSeconds: (\d+)", text("kubernetes/deployment.yaml"))[1])
        sleep = int(re.search(r"sleep: \{seconds: (\d+)\}", text("kubernetes/deployment.yaml"))[1])
        drain = int(re.search(r"drain: (\d+)s", text("kubernetes/configmap.yaml"))[1])
        self.assertGreater(grace, sleep + drain)


class Container(unittest.TestCase):
    def test_the_profile_lets_io_uring_through_and_is_an_allow_list(self):
        profile = json.loads(text("container/seccomp.json"))
        self.assertEqual(profile["defaultAction"], "SCMP_ACT_ERRNO")
        names = [name for entry in profile["syscalls"] for name in entry["names"]]
        self.assertEqual(len(names), len(set(names)))
        for name in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
            self.assertIn(name, names)
        # A runtime that is not told no-new-privileges sets the filter first and drops privileges under it; a shell in
        # the container forks and waits.
        for name in ("capset", "prctl", "setgroups", "setresgid", "setresuid", "rt_sigsuspend", "vfork", "waitid"):
            self.assertIn(name, names)
        for name in ("ptrace", "mount", "bpf", "init_module", "keyctl", "unshare"):
            self.assertNotIn(name, names)

    def test_what_the_dockerfile_copies_and_runs_exists(self):
        for script in re.findall(r"deploy/[\w./-]*\w", text("container/Dockerfile")):
            self.assertTrue((ROOT / script).exists(), script)

    def test_the_image_gets_the_library_that_rsa_keys_sign_with(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([str(DEPLOY / "container/collect"), BINARY, folder], check=True, timeout=60)
            libraries = {path.name for path in Path(folder).glob("usr/local/lib/portcullis/*")}
        self.assertIn("libcrypto.so.3", libraries)
        self.assertTrue(any(name.startswith("libstdc++.so.") for name in libraries), libraries)

    def test_the_process_stays_within_the_profile(self):
        if shutil.which("strace") is None:
            self.fail("strace is missing: deploy/deps --test installs it")
        names = {name for entry in json.loads(text("container/seccomp.json"))["syscalls"] for name in entry["names"]}
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace"
            subprocess.run(["strace", "-f", "-o", str(trace), BINARY, "demo", "--check"], check=True,
                           capture_output=True, timeout=120)
            used = set(re.findall(r"^\d+\s+([a-z_0-9]+)\(", trace.read_text(errors="replace"), re.M))
        self.assertGreater(len(used), 20)
        # restart_syscall shows when a stop signal, or strace itself, came in the midst of a wait: not in every run.
        self.assertIn("restart_syscall", names)
        # The demo also starts curl, which these belong to.
        of_curl = {"getpgrp", "pipe"}
        self.assertEqual(used - names - of_curl, set())


class Systemd(unittest.TestCase):
    """systemd_test.py asks systemd itself."""

    def test_the_unit_is_hardened_and_leaves_time_to_drain(self):
        unit = text("systemd/portcullis.service")
        for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ExecReload=/bin/kill -HUP $MAINPID"):
            self.assertIn(line, unit)
        stop = int(re.search(r"TimeoutStopSec=(\d+)", unit)[1])
        self.assertGreater(stop, 10, "timeouts.drain is 10 s by default")


class Example(unittest.TestCase):
    def test_sysctls_are_assignments_with_reasons(self):
        lines = text("sysctl/90-portcullis.conf").splitlines()
        for index, line in enumerate(lines):
            if line and not line.startswith("#"):
                self.assertRegex(line, r"^[a-z0-9_.]+ = [\d ]+$")
                self.assertTrue(lines[index - 1].startswith("#"), line)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
