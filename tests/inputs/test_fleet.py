"""What is found while the files of a fleet are read."""

from __future__ import annotations

from pathlib import Path

from tenantry.core.findings import Finding, Place
from tenantry.inputs.fleet import load


def test_a_policy_without_its_suite_is_reported(fleet: Path) -> None:
    (fleet / "policies/default-deny/kyverno-test.yaml").unlink()
    found, findings = load(fleet)
    hint = "write kyverno-test.yaml, with objects that pass and objects that fail"
    place = Place("policies/default-deny/policy.yaml")
    assert findings == [Finding("S030", place, "has no test suite", hint, "warning")]
    assert "default-deny" in found.entries["Policy"]


def test_a_text_is_read_in_place_of_a_file(fleet: Path) -> None:
    text = (fleet / "tenants/acme.yaml").read_text().replace("users: 24", "users: 25")
    found, findings = load(
        fleet, more={"tenants/acme.yaml": text, "tenants/new.yaml": text.replace("name: acme", "name: new")}
    )
    assert not findings
    assert [found.entries["Tenant"][name].users for name in ("acme", "new", "northwind")] == [25, 25, 120]
