"""The same as a page that needs nothing else: the plots, and the tables below."""

import re
from html import escape

from comparison import bars, markdown

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#1c2430;
background:#fff}h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;font-size:13px}
td,th{border-bottom:1px solid #d5dae1;padding:3px 10px;text-align:right;white-space:nowrap}
td:first-child,th:first-child{text-align:left}div{overflow-x:auto}svg{max-width:100%;height:auto}
@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#161b22}td,th{border-color:#39424e}}"""


def html_table(lines):
    """A Markdown table, as markdown.table makes it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|---")]
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows[1:])
    return f"<div><table><tr>{head}</tr>\n{body}</table></div>"


def document(facts, sections):
    parts = ["<!doctype html>", '<html lang="en"><meta charset="utf-8"><title>Portcullis beside other servers</title>',
             '<meta name="viewport" content="width=device-width">', f"<style>{STYLE}</style>",
             "<h1>Portcullis beside other servers</h1>"]
    about = [f"<p>{escape(line)}</p>" for line in markdown.about(facts) if line]
    parts += [re.sub("`([^`]*)`", r"<code>\1</code>", line) for line in about]
    parts.append(bars.figure(sections))
    for variant, rows, floor in sections:
        parts.append(f"<h2>{escape(variant.title)}</h2>")
        if floor is not None:
            parts.append(f"<p>Floor beside it: {escape(markdown.range_of(floor, 0))} us.</p>")
        parts.append(html_table(markdown.table(variant, rows)))
        if any(row["failed"] for row in rows):
            parts.append("<p>* some failed; the raw samples say how.</p>")
        parts += [f"<p>{escape(line)}</p>" for line in markdown.not_measured(rows)]
    return "\n".join(parts) + "\n</html>\n"
