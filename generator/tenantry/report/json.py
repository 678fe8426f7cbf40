"""Results for programs. The format is a contract: fields are added, never changed."""

from __future__ import annotations

import dataclasses
from typing import Any

from tenantry.core.assurance import TenantAssurance
from tenantry.core.changes import Plan
from tenantry.core.controls import ASSUMPTIONS
from tenantry.core.findings import Finding, Result
from tenantry.report.plain import to_json_text


def write(result: Result) -> str:
    """The result as JSON, version 1; `changes` only for `diff`, `statements` only without promises, `tenants` and
    `assumptions` only with them.

    A finding has `related` only if other places explain it.
    """
    document = {
        "version": 1,
        "command": result.command,
        "ok": result.ok,
        "counts": {**result.counts, "findings": len(result.findings)},
        "findings": [_finding(finding) for finding in result.findings],
        "notes": list(result.notes),
    }
    if result.command == "diff":
        document["changes"] = [dataclasses.asdict(change) for change in result.changes]
    if result.plan is not None:
        document["plan"] = _plan(result.plan)
    if result.statements:
        document["statements"] = [dataclasses.asdict(statement) for statement in result.statements]
    if result.assurances:
        document["tenants"] = [_assurance(assurance) for assurance in result.assurances]
        document["assumptions"] = list(ASSUMPTIONS)
    return to_json_text(document)


def _plan(plan: Plan) -> dict[str, Any]:
    """The plan with the risk of each subject, which follows from its effects, beside them."""
    value = dataclasses.asdict(plan)
    for change, subject in zip(plan.subjects, value["subjects"], strict=True):
        subject["risk"] = change.risk
    return {"risk": plan.risk, **value}


def _assurance(assurance: TenantAssurance) -> dict[str, Any]:
    value = dataclasses.asdict(assurance)
    controls = {key: value.pop(key) for key in ("kept", "lifted", "breached", "not_promised")}
    costs = {"euro": round(assurance.cost, 2), "at_most": value.pop("cost_at_most"), "instances": value.pop("costs")}
    return {**value, "controls": controls, "cost": costs}


def _finding(finding: Finding) -> dict[str, Any]:
    place, identity = finding.place, finding.object
    fields: dict[str, Any] = {
        "code": finding.code,
        "severity": finding.severity,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "tenant": finding.tenant,
        "object": None if identity is None else dataclasses.asdict(identity),
        "control": finding.control,
        "message": finding.message,
        "hint": finding.hint,
    }
    if finding.related:
        fields["related"] = [{"role": one.role, **dataclasses.asdict(one.place)} for one in finding.related]
    return fields
