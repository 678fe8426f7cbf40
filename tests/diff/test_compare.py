"""`tenantry diff`: objects by identity, fields by meaning, nothing for order and format."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Ran, add_tenant
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest
from tenantry.diff.fields import field_changes

Run = Callable[..., Ran]


@pytest.fixture
def committed(run: Run, fleet: Path) -> Path:
    run("render", "-C", fleet)
    for arguments in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=fleet, check=True)
    return fleet


def changes(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran
    found: list[dict[str, Any]] = json.loads(ran.out)["changes"]
    return found


def test_a_new_tenant_shows_as_its_own_objects(run: Run, committed: Path) -> None:
    assert changes(run("diff", "-C", committed, "--format", "json")) == []
    add_tenant(committed, "contoso", "shared", "euw1-shared-a", users=48)
    run("render", "-C", committed)
    found = changes(run("diff", "-C", committed, "--format", "json"))
    assert {change["action"] for change in found} <= {"added", "changed"}
    assert {change["tenant"] for change in found if change["action"] == "added"} == {"", "contoso"}
    assert {"infra", "app", "platform", "cell"} == {change["tree"] for change in found}


def test_format_and_order_are_no_change_and_a_value_is_one(run: Run, committed: Path) -> None:
    file = next((committed / "rendered").glob("*/production/*/app/deployment*"))
    original = file.read_text()
    file.write_text(original.replace("\n", "\n# a remark\n", 1) + "\n\n")
    assert changes(run("diff", "-C", committed, "--format", "json")) == []
    assert "sizeLimit: 2Gi" in original
    file.write_text(original.replace("sizeLimit: 2Gi", "sizeLimit: 3Gi", 1))
    (change,) = changes(run("diff", "-C", committed, "--format", "json"))
    (field,) = change["fields"]
    assert (field["before"], field["after"]) == ("2Gi", "3Gi")
    assert field["path"] == "spec.template.spec.volumes[name=data].emptyDir.sizeLimit"
    assert "| ~ |" in run("diff", "-C", committed, "--format", "markdown").out


def test_a_removed_file_and_an_older_revision(run: Run, committed: Path) -> None:
    file = next((committed / "rendered").glob("*/production/*/app/service*"))
    file.unlink()
    (change,) = changes(run("diff", "HEAD", "-C", committed, "--format", "json"))
    assert (change["action"], change["object"]["kind"]) == ("removed", "Service")


@pytest.mark.parametrize("revision", ["no-such-branch", "-x", "--output=x", "HEAD~99", ""])
def test_a_revision_that_is_none_is_wrong_usage(revision: str, run: Run, committed: Path) -> None:
    ran = run("diff", "-C", committed, "--", revision)
    assert (ran.code, "revision" in ran.err) == (2, True), ran


def test_outside_of_git_it_says_so(run: Run, fleet: Path) -> None:
    ran = run("diff", "-C", fleet)
    assert (ran.code, "not in a git repository" in ran.err) == (2, True)


def promoted(root: Path, tenants: int) -> None:
    """Give the same image to the Pods of several tenants, as a promotion does."""
    for file in sorted(root.glob("rendered/*/production/*/app/deployment*odoo-web.yaml"))[:tenants]:
        file.write_text(file.read_text().replace("memory: 64Mi", "memory: 65Mi"))


def test_the_same_change_of_many_tenants_is_shown_once_with_all_their_names(run: Run, committed: Path) -> None:
    add_tenant(committed, "contoso", "shared", "euw1-shared-a", users=24)
    add_tenant(committed, "zenith", "shared", "euw1-shared-a", users=24)
    run("render", "-C", committed)
    for arguments in (["add", "-A"], ["commit", "--quiet", "-m", "more"]):
        subprocess.run(["git", *arguments], cwd=committed, check=True)
    promoted(committed, 4)
    out = run("diff", "-C", committed).out
    assert out.count("odoo-web\n") == 1
    also = ", ".join(f"euw1-a/production/{name}/app" for name in ("contoso", "northwind", "zenith"))
    assert f"tenant acme, app (euw1-a/production/acme/app), and the same in 3 more: {also}\n" in out
    assert also in run("diff", "-C", committed, "--format", "html").out
    assert len(changes(run("diff", "-C", committed, "--format", "json"))) == 4


def test_what_is_removed_or_differs_in_one_value_is_never_folded(run: Run, committed: Path) -> None:
    add_tenant(committed, "contoso", "shared", "euw1-shared-a", users=24)
    run("render", "-C", committed)
    for arguments in (["add", "-A"], ["commit", "--quiet", "-m", "more"]):
        subprocess.run(["git", *arguments], cwd=committed, check=True)
    for name in ("acme", "contoso"):
        (committed / f"rendered/euw1-a/production/{name}/app/service_{name}-production_odoo-web.yaml").unlink()
    assert run("diff", "-C", committed).out.count("  - Service ") == 2
    subprocess.run(["git", "checkout", "--quiet", "."], cwd=committed, check=True)
    promoted(committed, 2)
    file = committed / "rendered/euw1-a/production/contoso/app/deployment.apps_contoso-production_odoo-web.yaml"
    file.write_text(file.read_text().replace("memory: 65Mi", "memory: 66Mi"))
    assert "the same in" not in run("diff", "-C", committed).out


def manifest(kind: str, value: dict[str, Any]) -> Manifest:
    return Manifest(ObjectId("", kind, "n", "a"), "v1", {"apiVersion": "v1", "kind": kind, **value})


def test_values_of_secrets_are_hidden() -> None:
    before, after = (manifest("Secret", {"data": {"password": word}}) for word in ("b2xk", "bmV3"))
    (change,) = field_changes(before, after)
    assert (change.path, change.before, change.after) == ("data.password", "(hidden)", "(hidden)")


def test_lists_are_compared_by_their_keys() -> None:
    ports = [{"port": 80, "protocol": "TCP", "name": "web"}, {"port": 443, "protocol": "TCP", "name": "tls"}]
    before = manifest("Service", {"spec": {"ports": ports}})
    assert list(field_changes(before, manifest("Service", {"spec": {"ports": ports[::-1]}}))) == []
    moved = manifest("Service", {"spec": {"ports": [ports[0], {**ports[1], "name": "secure"}]}})
    (change,) = field_changes(before, moved)
    assert (change.path, change.before, change.after) == ("spec.ports[port=443,protocol=TCP].name", "tls", "secure")


def test_long_texts_are_compared_by_lines() -> None:
    before, after = (manifest("ConfigMap", {"data": {"f": f"a\n{word}\nc\n"}}) for word in ("b", "x"))
    (change,) = field_changes(before, after)
    assert (change.path, change.before, change.after) == ("data.f[line 2]", "b", "x")
