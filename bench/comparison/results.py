"""Where results go: files in a folder, and a marked part of bench/RESULTS.md."""

import gzip
import json
import shutil
from pathlib import Path

from comparison import bars, markdown, page
from comparison.summary import floor_spread, summarise

BEGIN = "<!-- bench/compare writes from here -->"
END = "<!-- to here -->"


def sections_of(samples, variants, kinds):
    """(variant, rows, floor) of each variant that has samples."""
    found = []
    for variant in variants:
        own = [sample for sample in samples if sample["variant"] == variant.name]
        if own:
            found.append((variant, summarise(own, variant, kinds), floor_spread(own) if variant.on_floor else None))
    return found


def shortened(value):
    """Figures with as many digits as can mean something."""
    if isinstance(value, dict):
        return {key: shortened(inner) for key, inner in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def raw_json(facts, samples, sections):
    """One line a sample and one a row, so that a difference can be read."""
    lines = ",\n  ".join(json.dumps(shortened(sample)) for sample in samples)
    rows = ",\n  ".join(json.dumps({"variant": variant.name, **shortened(row)})
                        for variant, rows, _ in sections for row in rows)
    return f'{{"facts": {json.dumps(facts)},\n "samples": [\n  {lines}],\n "summary": [\n  {rows}]}}\n'


def save(folder, facts, samples, variants, kinds):
    """Writes results.json, .md, .html and .svg; returns the Markdown."""
    sections = sections_of(samples, variants, kinds)
    text = markdown.document(facts, sections)
    (folder / "results.json").write_text(raw_json(facts, samples, sections))
    (folder / "results.md").write_text(text)
    (folder / "results.html").write_text(page.document(facts, sections))
    (folder / "results.svg").write_text(bars.figure(sections))
    return text


def replace_section(old, body):
    """`old` with what stands between the marks replaced by `body`; appended with marks when it has none."""
    if BEGIN not in old or END not in old:
        return f"{old.rstrip()}\n\n{BEGIN}\n{body}{END}\n"
    head, rest = old.split(BEGIN, 1)
    return f"{head}{BEGIN}\n{body}{END}{rest.split(END, 1)[1]}"


def publish(folder, text, results_md):
    """Puts the tables into RESULTS.md and the raw samples and plots beside it, in results/. Samples are packed, for a
    run of all makes more than half a megabyte."""
    beside = Path(results_md).parent / "results"
    beside.mkdir(exist_ok=True)
    for kind in ("html", "svg"):
        shutil.copyfile(folder / f"results.{kind}", beside / f"compare.{kind}")
    raw = (folder / "results.json").read_bytes()
    (beside / "compare.json.gz").write_bytes(gzip.compress(raw, mtime=0))
    body = ("## Beside other servers\n\nRaw samples: [compare.json.gz](results/compare.json.gz); as a page: "
            "[compare.html](results/compare.html).\n\n" + text + "\n![bars](results/compare.svg)\n")
    results_md.write_text(replace_section(results_md.read_text(), body))
