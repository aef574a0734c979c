"""What a pod of deploy/kubernetes would see: the ConfigMap's file, and volumes mounted as the kubelet mounts them."""

import itertools
import shutil
import textwrap
from pathlib import Path

MANIFESTS = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
_serial = itertools.count(1)


def config_map():
    """The text of portcullis.yaml in configmap.yaml: its block scalar, for bare systems have no YAML for Python."""
    lines = (MANIFESTS / "configmap.yaml").read_text().splitlines(keepends=True)
    start = lines.index("  portcullis.yaml: |\n") + 1
    scalar = itertools.takewhile(lambda line: line.startswith("    ") or not line.strip(), lines[start:])
    return textwrap.dedent("".join(scalar))


def replaced(text, swaps):
    """`text` with each key of `swaps` replaced; one that is not there exactly once is a fault of the test."""
    for old, new in swaps.items():
        if text.count(old) != 1:
            raise AssertionError(f"{old!r} stands {text.count(old)} times in:\n{text}")
        text = text.replace(old, new)
    return text


def mount(folder, files):
    """Lays `files` (name -> path or text) out as a mounted Secret or ConfigMap: links through ..data to a dated folder.
    Where it is mounted already, ..data is swapped to a new folder, as when the object has changed."""
    dated = folder / f"..2026_01_01_00_00_00.{next(_serial):09}"
    dated.mkdir(parents=True)
    for name, source in files.items():
        if isinstance(source, str):
            (dated / name).write_text(source)
        else:
            shutil.copy(source, dated / name)
    link = folder / "..data_tmp"
    link.symlink_to(dated.name)
    link.rename(folder / "..data")
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    return folder
