"""`make audit`: known vulnerabilities of all that the lock files and the engines' go.mod files name.

Ends with 0 when all was looked at and nothing is known, 1 when something is, 4 when a check could not be made. A
database that answers with nothing looks like one that knows of nothing, so each is first asked about a release whose
weakness has been known for years.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenantry.core.findings import ToolError
from tenantry.engine import go_toolchain
from tenantry.engine.build import PROGRAMS

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
PIP_AUDIT = ROOT / ".venv-audit/bin/pip-audit"
LOCKS = (*sorted(ROOT.glob("requirements*.lock")), go_toolchain.LOCK)

KNOWN_BAD_PACKAGE = "jinja2==2.4.1"
KNOWN_BAD_MODULE: Mapping[str, str] = {
    "go.mod": "module known\n\ngo 1.26\n\nrequire golang.org/x/text v0.3.5\n",
    "go.sum": "golang.org/x/text v0.3.5 h1:i6eZZ+zk0SOf0xgBpEpPD18qWcJda6q1sxt3S0kzyUQ=\n"
    "golang.org/x/text v0.3.5/go.mod h1:5Zoc/QRtKVWzQhOtBMvqHzDpF6irO9z98xDceosuGiQ=\n"
    "golang.org/x/tools v0.0.0-20180917221912-90fa682c2a6e/go.mod h1:n7NCudcB/nEzxVGmLbDWY5pfWTLqBcC2KZ6jyYvM4mQ=\n",
    "main.go": 'package main\n\nimport _ "golang.org/x/text/language"\n\nfunc main() {}\n',
}


class NotMadeError(Exception):
    """A check that could not be made, and why."""


@dataclass(frozen=True)
class Verdict:
    """What came of one check. `found` counts; `noted` is there, but our code doesn't reach it."""

    what: str
    found: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    not_made: str = ""


def python_packages(program: Path, locks: tuple[Path, ...]) -> Iterator[Verdict]:
    """pip-audit's word on each lock file."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            control = Path(folder) / "known.txt"
            control.write_text(f"{KNOWN_BAD_PACKAGE}\n")
            answer = _pip_audit(program, "--no-deps", "-r", str(control))
        if not any(package.get("vulns") for package in answer):
            reason = next(
                (p["skip_reason"] for p in answer if "skip_reason" in p), "it knows no weakness of that release"
            )
            raise NotMadeError(f"the database can't be relied on, asked about {KNOWN_BAD_PACKAGE}: {reason}")
    except NotMadeError as error:
        yield Verdict("Python packages", not_made=str(error))
        return
    for lock in locks:
        try:
            yield _of_lock(lock.name, _pip_audit(program, "--require-hashes", "-r", str(lock)))
        except NotMadeError as error:
            yield Verdict(lock.name, not_made=str(error))


def _of_lock(name: str, packages: list[dict[str, Any]]) -> Verdict:
    found = tuple(
        f"{package['name']} {package['version']}: {weakness['id']} ({_fix(*weakness['fix_versions'])})"
        for package in packages
        for weakness in package.get("vulns", ())
    )
    skipped = [f"{package['name']}: {package['skip_reason']}" for package in packages if "skip_reason" in package]
    return Verdict(name, found, not_made="; ".join(skipped) or ("" if packages else "no package was looked at"))


def _pip_audit(program: Path, *arguments: str) -> list[dict[str, Any]]:
    """Its entry for each package. It ends with 1 both for a weakness and for a failure; only the first has an answer."""
    command = [str(program), "--disable-pip", "--progress-spinner", "off", "--format", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError, TypeError):
        raise NotMadeError(_last_line(done.stderr)) from None
    return packages


def go_programs(go: str, folders: Mapping[str, Path], database: str) -> Iterator[Verdict]:
    """govulncheck's word on each program, down to the functions that it calls. `database`: a URL, or empty for Go's own."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in KNOWN_BAD_MODULE.items():
                (Path(folder) / name).write_text(text)
            control = _govulncheck(go, Path(folder), database, "-scan", "module")
            if not any(finding["trace"][0]["module"] == "golang.org/x/text" for finding in control):
                raise NotMadeError("the database can't be relied on: it knows no weakness of golang.org/x/text v0.3.5")
    except NotMadeError as error:
        yield Verdict("Go programs", not_made=str(error))
        return
    for name, path in folders.items():
        try:
            called, others = _sorted(_govulncheck(go, path, database, "./..."))
            yield Verdict(name, called, others)
        except NotMadeError as error:
            yield Verdict(name, not_made=str(error))


def _sorted(findings: Iterator[dict[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Weaknesses whose code is called, and those that lie in a module or package which is there."""
    called: dict[str, str] = {}
    others: dict[str, str] = {}
    for finding in findings:
        place = finding["trace"][0]
        fix = _fix(*filter(None, [finding.get("fixed_version")]))
        text = f"{place['module']} {place.get('version', '')}: {finding['osv']} ({fix})"
        (called if "function" in place else others)[finding["osv"]] = text
    return tuple(called.values()), tuple(text for osv, text in others.items() if osv not in called)


def _govulncheck(go: str, module: Path, database: str, *options: str) -> Iterator[dict[str, Any]]:
    """Its findings. In JSON it ends with 0 whatever it finds, so any other code is a failure."""
    source = ("-db", database) if database else ()
    command = ("tool", "govulncheck", *source, "-C", str(module), "-format", "json", *options)
    done = go_toolchain.run(go, *command, folder=TOOLS)
    if done.returncode:
        raise NotMadeError(_last_line(done.stderr))
    decoder, rest = json.JSONDecoder(), done.stdout.lstrip()
    while rest:
        message, end = decoder.raw_decode(rest)
        if "finding" in message:
            yield message["finding"]
        rest = rest[end:].lstrip()


def _fix(*versions: str) -> str:
    return f"fixed in {', '.join(versions)}" if versions else "no fix yet"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it gave no reason"])[-1]


def report(verdicts: Iterator[Verdict]) -> int:
    """Write each verdict as it comes; the exit code."""
    found = missing = False
    for verdict in verdicts:
        for weakness in verdict.found:
            print(f"VULNERABLE  {verdict.what}: {weakness}", flush=True)
        for weakness in verdict.noted:
            print(f"not called  {verdict.what}: {weakness}", flush=True)
        if verdict.not_made:
            print(f"NOT CHECKED {verdict.what}: {verdict.not_made}", flush=True)
        elif not verdict.found:
            print(f"ok          {verdict.what}: no known vulnerability", flush=True)
        found, missing = found or bool(verdict.found), missing or bool(verdict.not_made)
    return 1 if found else 4 if missing else 0


def everything() -> Iterator[Verdict]:
    yield from python_packages(PIP_AUDIT, LOCKS)
    folders = {program.name: go_toolchain.source_folder() / program.folder for program in PROGRAMS}
    try:
        go = go_toolchain.find_or_install_go(lambda text: print(text, file=sys.stderr))
        yield from go_programs(go, folders, os.environ.get("GOVULNDB", ""))
    except ToolError as error:
        yield Verdict("Go programs", not_made=error.message)


if __name__ == "__main__":
    sys.exit(report(everything()))
