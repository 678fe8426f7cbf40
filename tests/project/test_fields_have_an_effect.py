"""A law: each field of each kind of input, changed to another valid value, changes an object, a finding, a page or a figure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice, zip_longest
from typing import Any

import pytest

from controls.laboratory import example
from project.observers import CHEAP, FIGURES_FIRST, OBSERVERS, Observer
from project.other_values import Field, Path, fields, trials
from tenantry.inputs.fleet import Fleet
from tenantry.inputs.schema import KINDS
from tenantry.render.alternatives import InputChange
from tenantry.render.fleet_edits import edited, replaced, with_value
from tenantry.render.trials import IMPOSSIBLE
from tenantry.resolve.instances import resolve

ADDED: tuple[tuple[str, str, Path, Any], ...] = (
    ("Tenant", "smith-advisory", ("spec", "migration"), {
        "step": "compare", "keepSourceUntil": "2027-01-31",
        "from": {"tier": "shared", "cells": {"production": "euw1-shared-a"}}, "to": {"tier": "shared", "cells": {"production": "euw1-shared-b"}},
        "records": [{"step": "prepare", "date": "2026-11-20", "by": "Ana"}, {"step": "copy", "date": "2026-11-21", "by": "Ana", "minutes": 30}],
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
    ("Tenant", "delta-books", ("spec", "environments", "staging", "import"), {"folder": "other", "sha256": "0f" * 32}),
    ("Tenant", "juniper-clinic", ("spec", "offboarding"), {"deleteAfter": "2026-12-31", "approver": "Ana", "reason": "Contract ended"}),
    ("Cell", "euw1-shared-b", ("spec", "restores"), [{
        "generation": 2, "source": 1, "way": "beside", "step": "switch", "targetTime": "2026-11-20T10:15:00Z", "backup": "20261120T013000",
        "reason": "A disk was lost", "keepSourceUntil": "2026-12-22",
    }]),
    ("Channel", "standard", ("spec", "rollout"), {"release": "odoo-18.0-20261109", "tenants": ["smith-advisory"]}),
    ("Platform", "platform", ("spec", "argocd"), {"exclusions": [{"apiGroups": ["example.com"], "kinds": ["Other"]}]}),
)  # fmt: skip
"""What the example doesn't use: (kind, name, path, value)."""
WITHOUT_EFFECT: Mapping[str, str] = {}
"""Fields that change nothing, and why they are there."""
ONE_VALUE = {"Tenant.access.apiClients.*.mtls"}
"""Fields of which the schema takes one value only."""
_MOST, _FEW = 12, 3
"""Changes that are tried of one field: with what costs little, and with the rest."""


@cache
def fleet() -> Fleet:
    """The example, with all that it leaves out."""
    found = example()[0].fleet
    for kind, name, path, value in ADDED:
        found = replaced(found, {(kind, name): with_value(found.documents[kind, name].data, path, value)})
    return found


@cache
def seen(observer: Observer, name: str) -> list[Any]:
    """What an observer sees of it."""
    return list(observer(fleet(), resolve(fleet()), name))


def documents(kind: str) -> dict[str, Any]:
    return {name: document.data for (of, name), document in fleet().documents.items() if of == kind}


def has_effect(field: Field) -> bool:
    """Whether some change of a field is seen by somebody. What costs little looks at more changes."""
    tried = list(islice(trials(field, documents(field.kind)), _MOST))
    order = FIGURES_FIRST if field.path[1] in ("prices", "recovery") else OBSERVERS
    return any(
        _differs(observer, change) for observer in order for change in tried[: _MOST if observer in CHEAP else _FEW]
    )


def _differs(observer: Observer, change: InputChange) -> bool:
    try:
        changed = edited(fleet(), change)
        there = observer(changed, resolve(changed), change.name)
        return any(one != other for one, other in zip_longest(seen(observer, change.name), there))
    except IMPOSSIBLE:
        return False  # a fleet that can't be says nothing


ALL = [field for kind in KINDS for field in fields(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_field_has_another_valid_value(kind: str) -> None:
    there = documents(kind)
    without = {str(f) for f in ALL if f.kind == kind and next(trials(f, there), None) is None}
    assert without == {name for name in ONE_VALUE if name.startswith(f"{kind}.")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_value_changes_something_that_is_seen(kind: str) -> None:
    silent = {str(field) for field in ALL if field.kind == kind and not has_effect(field)}
    assert silent - ONE_VALUE == {name for name in WITHOUT_EFFECT if name.startswith(f"{kind}.")}
