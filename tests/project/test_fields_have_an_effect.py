"""A law: each field of each kind of input, changed to another valid value, changes an object, a finding, a page or a figure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from controls.laboratory import example
from project import other_values
from project.observers import OBSERVERS, Observer
from project.other_values import Field, Path, every_field, trials
from project.scene import Scene
from tenantry.inputs import fleet as fleet_of
from tenantry.inputs.fleet import CLASSES
from tenantry.inputs.schema import KINDS
from tenantry.model.release import Release
from tenantry.render import fleet_edits
from tenantry.render.fleet_edits import edited, replaced, with_value
from tenantry.render.trials import IMPOSSIBLE

LEFT = ("database", "archive", "dumps", "attachments", "redis", "secrets", "logs", "metrics", "velero")
"""Places of a tenant that leaves."""
ADDED: tuple[tuple[str, str, Path, Any], ...] = (
    ("Tenant", "smith-advisory", ("spec", "migration"), {
        "step": "compare", "attempt": "0a1b2c3d", "keepSourceUntil": "2027-01-31",
        "from": {"tier": "shared", "cells": {"production": "euw1-shared-a"}}, "to": {"tier": "shared", "cells": {"production": "euw1-shared-b"}},
        "records": [{"step": "prepare", "date": "2026-11-20", "by": "Ana"}, {"step": "copy", "date": "2026-11-21", "by": "Ana", "minutes": 30}],
    }),
    ("Tenant", "baker-and-sons", ("spec", "migration"), {
        "step": "watch", "keepSourceUntil": "2026-12-22",
        "from": {"tier": "shared", "cells": {"production": "euw1-shared-b"}}, "to": {"tier": "shared", "cells": {"production": "euw1-shared-a"}},
        "records": [
            {"step": step, "date": "2026-11-20", "by": "Ana", "minutes": 30} for step in ("prepare", "copy", "compare", "freeze", "switch")
        ],
    }),
    ("Tenant", "smith-advisory", ("spec", "overrides"), {
        "maxReplicas": {"value": 3, "reason": "Closing of the year"}, "requestsPerSecond": {"value": 25, "reason": "Imports"},
        "bodyMiB": {"value": 40, "reason": "Scans"},
    }),
    ("Tenant", "kestrel-insurance", ("spec", "overrides", "backupRetentionDays"), {"value": 60, "reason": "Contract"}),
    ("Tenant", "kestrel-insurance", ("spec", "environments", "production", "restores"), [{
        "generation": 2, "source": 1, "way": "beside", "step": "switch", "targetTime": "2026-11-20T10:15:00Z", "backup": "20261120T013000",
        "reason": "An import went wrong", "keepSourceUntil": "2026-12-22",
    }]),
    ("Tenant", "smith-advisory", ("spec", "environments", "production", "credentials"), {
        name: {"generation": 2, "also": 1} for name in ("redis", "objectStorage", "odoo")
    }),
    ("Tenant", "delta-books", ("spec", "environments", "staging", "import"), {"folder": "other", "sha256": "0f" * 32}),
    ("Tenant", "juniper-clinic", ("spec", "offboarding"), {
        "deleteAfter": "2026-11-20", "approver": "Ana", "reason": "Contract ended", "step": "erase",
        "erased": [{"place": place, "date": "2026-11-22", "by": "Ana"} for place in LEFT],
        "kept": [{"what": "Invoices", "until": "2036-12-31", "law": "Commercial code"}],
    }),
    ("Tenant", "globex-us", ("spec", "environments", "production", "failovers"), [
        {"generation": 2, "to": "usc1-globex", "step": "promote", "promotionToken": "0123456789abcdefABCD", "reason": "A drill"},
    ]),
    ("Channel", "globex", ("spec", "releases", "staging"), "odoo-19.0-20261102"),
    ("Release", "odoo-19.0-20261102", ("spec", "proved"), [
        {"environment": "staging", "date": "2026-11-16", "by": "Ana", "migration": "passed", "probes": "failed"},
    ]),
    ("Release", "odoo-18.0-20261109", ("spec", "proved"), [
        {"environment": "staging", "date": "2026-11-16", "by": "Ana", "migration": "passed", "probes": "passed"},
        {"environment": "production", "date": "2026-11-20", "by": "Ana", "migration": "passed", "probes": "passed"},
    ]),
    ("Cell", "euw1-shared-b", ("spec", "restores"), [{
        "generation": 2, "source": 1, "way": "beside", "step": "switch", "targetTime": "2026-11-20T10:15:00Z", "backup": "20261120T013000",
        "reason": "A disk was lost", "keepSourceUntil": "2026-12-22",
    }]),
    ("Channel", "standard", ("spec", "rollout"), {"release": "odoo-18.0-20261109", "tenants": ["smith-advisory"]}),
    ("Platform", "platform", ("spec", "credentials"), {"maxAgeDays": 365}),
    ("Platform", "platform", ("spec", "argocd"), {"exclusions": [{"apiGroups": ["example.com"], "kinds": ["Other"]}]}),
)  # fmt: skip
"""What the example doesn't use: (kind, name, path, value)."""
WITHOUT_EFFECT: Mapping[str, str] = {
    "Tier.soldTo": "prose for who reads the file: whom the tier is for",
    "Tier.rationale": "prose for who reads the file: why the tier is as it is",
}
"""Fields that change nothing, and why they are there."""
ONE_VALUE = {"Tenant.access.apiClients.*.mtls"}
"""Fields of which the schema takes one value only."""


@cache
def scene() -> Scene:
    """The example, with all that it leaves out."""
    found = example()[0].fleet
    for kind, name, path, value in ADDED:
        found = replaced(found, {(kind, name): with_value(found.documents[kind, name].data, path, value)})
    return Scene(found)


def documents(kind: str) -> dict[str, Any]:
    return {name: document.data for (of, name), document in scene().fleet.documents.items() if of == kind}


def seen_by(field: Field) -> str:
    """The first observer that sees some change of a field; nobody's name is empty."""
    others = trials(field, documents(field.kind))
    tried: list[tuple[str, Scene]] = []
    for observer, most in OBSERVERS:
        for number in range(most):
            if number == len(tried):
                change = next(others, None)
                if change is None:
                    break
                tried.append((change.name, Scene(edited(scene().fleet, change))))
            name, changed = tried[number]
            if _sees(observer, changed, name):
                return observer.__name__
    return ""


def _sees(observer: Observer, changed: Scene, name: str) -> bool:
    try:
        return observer(scene(), changed, name)
    except IMPOSSIBLE:
        return False  # a fleet that can't be says nothing


ALL = [field for kind in KINDS for field in every_field(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_field_has_another_valid_value(kind: str) -> None:
    there = documents(kind)
    without = {str(f) for f in ALL if f.kind == kind and next(trials(f, there), None) is None}
    assert without == {name for name in ONE_VALUE if name.startswith(f"{kind}.")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_value_changes_something_that_is_seen(kind: str) -> None:
    silent = {str(field) for field in ALL if field.kind == kind and not seen_by(field)}
    assert silent - ONE_VALUE == {name for name in WITHOUT_EFFECT if name.startswith(f"{kind}.")}


def test_a_field_that_nothing_reads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class has it, so that documents with it are converted, and no code knows of it."""
    unread = dataclasses.make_dataclass(
        "WithUnread", [("unread", str, "no")], bases=(Release,), frozen=True, kw_only=True, slots=True
    )
    monkeypatch.setattr(fleet_edits, "CLASSES", {**CLASSES, "Release": unread})
    monkeypatch.setitem(fleet_of._KIND_OF, unread, "Release")
    monkeypatch.setattr(other_values, "_takes", lambda _field, value: value in ("yes", "no"))
    monkeypatch.setattr(other_values, "_is_valid", lambda _kind, _data: True)
    field = Field("Release", ("spec", "unread"), {"enum": ["no", "yes"], "default": "no"})
    assert next(trials(field, documents("Release"))).value == "yes"
    assert not seen_by(field)
