"""What stands for a value of one's own is reported, unless the fleet is declared as an example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.commands import scaffold
from tenantry.commands.minimal import Provider
from tenantry.core.findings import Finding
from tenantry.plan.inputs import read_inputs
from tenantry.plan.placeholders import DIGESTS, _placeholder
from tenantry.runtime.cache import Store


def found(root: Path) -> list[Finding]:
    return read_inputs(root, "2026-11-26", Store(None)).findings


def test_the_digests_are_those_of_the_example() -> None:
    texts = [path.read_text() for path in (REPOSITORY / "platform").rglob("*.yaml")]
    assert {digest for text in texts for digest in re.findall("sha256:([0-9a-f]{16})", text)} == DIGESTS


def test_a_fleet_that_is_no_example_lists_each(fleet: Path) -> None:
    assert found(fleet) == []
    platform = fleet / "platform/platform.yaml"
    platform.write_text(platform.read_text().replace("example: true", "example: false"))
    findings = found(fleet)
    assert {(finding.code, finding.severity) for finding in findings} == {("F031", "warning")}
    lines = {str(finding.place): finding.message for finding in findings}
    assert lines["platform/platform.yaml:8:11"] == "'erp.provider.example' is an example domain"
    assert "tenants/acme.yaml:18:46" in {place for place in lines if place.startswith("tenants/")} or any(
        message == "'erp.acme.example' is an example domain" for message in lines.values()
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://openbao.provider.example:8200", "'openbao.provider.example' is an example domain"),
        ("a@example.com", "'example.com' is an example domain"),
        ("x.test", "'x.test' is an example domain"),
        ("203.0.113.0/27", "203.0.113.0/27 is an address for documentation"),
        ("2001:db8:1::/48", "2001:db8:1::/48 is an address for documentation"),
        ("r.mycorp.com/a:1@sha256:0f5f0c8f7b1d5d9c" + "0" * 48, "sha256:0f5f0c8f7b1d5d9c... is a made-up digest"),
        ("erp.mycorp.com", None),
        ("for example.", None),
        ("example-tenant", None),
        ("my.example.company", None),
        ("10.0.0.0/8", None),
        ("r.mycorp.com/a:1@sha256:" + "ab" * 32, None),
    ],
)
def test_what_counts_as_a_placeholder(text: str, what: str | None) -> None:
    answer = _placeholder(text)
    assert (answer[0] if answer else None) == what


def test_the_smallest_fleet_has_what_was_given_and_names_the_rest(tmp_path: Path) -> None:
    own = Provider("erp.mycorp.com", "registry.mycorp.com", "dns.mycorp.com/hook", "https://git.mycorp.com/fleet.git")
    scaffold.new_fleet(tmp_path / "fleet", own)
    findings = found(tmp_path / "fleet")
    assert {finding.code for finding in findings} == {"F031"}
    told = "\n".join(finding.message for finding in findings)
    for word in ("erp.provider", "registry.provider", "dns.provider", "git.provider"):
        assert word not in told
    assert len([finding for finding in findings if "made-up digest" in finding.message]) == 7
    inputs = [
        path.name for folder in ("clusters", "cells") for path in (tmp_path / "fleet/platform" / folder).iterdir()
    ]
    assert inputs == ["euw1-a.yaml", "euw1-shared-a.yaml"]
    policy = (tmp_path / "fleet/policies/images-by-digest/policy.yaml").read_text()
    assert "registry.provider.example" not in policy
