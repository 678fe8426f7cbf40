"""Results as one self-contained page: no script, no address outside, readable on paper and on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tenantry.core.changes import Plan
from tenantry.core.findings import Finding, ObjectChange, Result
from tenantry.report import statements
from tenantry.report.plain import one_line
from tenantry.report.plan.lines import PlanEntry, facts, head, order, plan_entries, title
from tenantry.report.values import MARKS, by_unit, show

_STYLE = """\
:root{color-scheme:light dark;--line:#8884;--data:#b3261e;--isolation:#b25e00;--availability:#7a6a00;--cost:#1f5fa8;--cosmetic:#666}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.4rem}h2{font-size:1.1rem;border-top:1px solid var(--line);padding-top:.7rem}
dl{display:grid;grid-template-columns:8rem 1fr;gap:.1rem 1rem;margin:.3rem 0}dt{color:#777}dd{margin:0}
.risk{color:#fff;border-radius:.3rem;padding:0 .5rem;font-size:.8rem}
.data{background:var(--data)}.isolation{background:var(--isolation)}.availability{background:var(--availability)}
.cost{background:var(--cost)}.cosmetic{background:var(--cosmetic)}
table{border-collapse:collapse;width:100%;font-size:.85rem}td,th{border:1px solid var(--line);padding:.15rem .4rem;text-align:left;vertical-align:top}
code{font-size:.9em}.error{color:var(--data)}
@media(max-width:40rem){dl{grid-template-columns:1fr}dt{margin-top:.4rem}table,tbody,tr,td{display:block}thead{display:none}tr{margin-bottom:.4rem}}
@media print{body{max-width:none;font-size:11px}h2{break-after:avoid}dl,tr{break-inside:avoid}details::details-content{content-visibility:visible;display:block}}
"""


def write(result: Result) -> str:
    """The page. Every text of the fleet is escaped."""
    name = f"tenantry {result.command}"
    lines = [
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{name}</title>", f"<style>{_STYLE}</style>", "</head>", "<body>", f"<h1>{name}</h1>",
        *_findings(result.findings), *(_plan(result.plan) if result.plan else ()), *_changes(result),
        *statements.html(result.statements), *(f"<p>{_text(note)}</p>" for note in result.notes), "</body>", "</html>",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return escape(one_line(value))


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    if findings:
        yield "<ul>"
        for finding in findings:
            hint = f" <em>{_text(finding.hint)}</em>" if finding.hint else ""
            where = f"<code>{_text(str(finding.place))}</code>"
            yield f'<li class="{finding.severity}">{where} <b>{finding.code}</b> {_text(finding.message)}{hint}</li>'
        yield "</ul>"


def _plan(plan: Plan) -> Iterator[str]:
    yield from (f"<p>{_text(line)}</p>" for line in head(plan))
    if plan.inputs:
        yield f"<p>Input files: {', '.join(f'<code>{_text(file)}</code>' for file in plan.inputs)}</p>"
    for entry in plan_entries(plan):
        yield from _entry(entry)
    if plan.steps:
        yield "<h2>In this order</h2>"
        yield "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in order(plan)) + "</ul>"
    if plan.approvals:
        yield "<h2>Must agree</h2>"
        yield "<ul>" + "".join(f"<li>{_text(one.who)}: {_text(one.why)}</li>" for one in plan.approvals) + "</ul>"


def _entry(entry: PlanEntry) -> Iterator[str]:
    risk = entry.change.risk
    yield f'<h2><span class="risk {risk}">{risk}</span> {_text(title(entry))}</h2>'
    yield "<dl>" + "".join(f"<dt>{_text(label)}</dt><dd>{_text(text)}</dd>" for label, text in facts(entry)) + "</dl>"
    yield from _objects(entry.change.objects)


def _changes(result: Result) -> Iterator[str]:
    for heading, members in by_unit(result):
        yield f"<h2>{_text(heading)}</h2>"
        yield from _objects(members)


def _objects(changes: Sequence[ObjectChange]) -> Iterator[str]:
    if not changes:
        return
    yield f"<details><summary>{len(changes)} objects</summary><table>"
    yield "<thead><tr><th></th><th>object</th><th>field</th><th>before</th><th>after</th></tr></thead><tbody>"
    for change in changes:
        start = f"<td>{MARKS[change.action]}</td><td>{_text(str(change.object))}</td>"
        if not change.fields:
            yield f"<tr>{start}<td></td><td></td><td></td></tr>"
        for field in change.fields:
            texts = (field.path, show(field.before), show(field.after))
            yield f"<tr>{start}{''.join(f'<td><code>{_text(text)}</code></td>' for text in texts)}</tr>"
            start = "<td></td><td></td>"
    yield "</tbody></table></details>"
