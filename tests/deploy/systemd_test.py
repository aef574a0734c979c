"""systemd's own verifier has nothing to say about the unit. Skipped where there is no systemd-analyze (exit code 77, so
that ctest says so)."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy/systemd/portcullis.service"
BINARY = os.environ.get("PORTCULLIS_BIN", str(ROOT / "build/release/portcullis"))


class Systemd(unittest.TestCase):
    def test_the_unit_verifies(self):
        unit = UNIT.read_text()
        for ours, here in (("/usr/local/bin/portcullis", BINARY), ("User=portcullis", "User=root"),
                           ("Group=portcullis", "Group=root")):
            self.assertIn(ours, unit)
            unit = unit.replace(ours, here)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / UNIT.name
            path.write_text(unit)
            done = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
        complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    if shutil.which("systemd-analyze") is None:
        print("systemd-analyze is not installed: skipped")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])
