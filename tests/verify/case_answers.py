"""What `verify` says of each file in `cases/`. Run as a program, it writes the answers; review the diff before you commit."""

from __future__ import annotations

import json
from pathlib import Path

from tenantry.core.findings import Finding, in_order
from tenantry.engine import build
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.verify import policies, readings
from tenantry.verify.folder import read_texts
from tenantry.verify.index import Index
from tenantry.verify.judge import judge, no_blame, to_findings
from tenantry.verify.layout import DEFAULT_VERSION
from tenantry.verify.locate import Locator

CASES = Path(__file__).resolve().parent / "cases"
ANSWERS = CASES / "answers.json"


def findings(engine: Engine, file: Path) -> list[Finding]:
    """Everything that is found in one file."""
    text = file.read_text()
    folder = read_texts(engine, [(file.name, text)])
    index = Index(folder.manifests)
    index.readings = readings.read(engine, [index])
    found = list(judge(index, DEFAULT_VERSION))
    if policies.found(index):
        with PolicyEngine(build.POLICY_ENGINE.path) as compiler:
            found += policies.problems(compiler, index)
    return in_order([*folder.findings, *to_findings(found, Locator(lambda _: text), no_blame)])


def told(engine: Engine, file: Path) -> list[str]:
    """Severity, code, line, object, field and sentence of each finding."""
    return [f"{f.severity} {f.code} {f.place.line}: {f.message}" for f in findings(engine, file)]


def main() -> None:
    program = build.ensure(build.ENGINE, print)
    build.ensure(build.POLICY_ENGINE, print)
    with Engine(program) as engine:
        answers = {file.stem: told(engine, file) for file in sorted(CASES.glob("*.yaml"))}
    ANSWERS.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
