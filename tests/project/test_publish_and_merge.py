"""Two clones of a real fleet, each with a new tenant in one cell: published one after the other, and merged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import Ran, add_tenant
from repositories import commit, git, start

Run = Callable[..., Ran]


def test_both_tenants_come_into_one_cell(run: Run, fleet: Path, tmp_path: Path) -> None:
    (fleet / "tenants/northwind.yaml").unlink()
    start(fleet)
    first = run("publish", "-C", fleet)
    assert first.code == 0, first
    assert first.out.endswith(" on main: Publish changes of acme\n")
    git(tmp_path, "clone", "--quiet", "--bare", str(fleet), "remote.git")
    git(fleet, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(tmp_path, "clone", "--quiet", "remote.git", "other")
    other = tmp_path / "other"
    for clone, name in ((other, "initech"), (fleet, "contoso")):
        add_tenant(clone, name, "shared", "euw1-shared-a", users=24)
        ran = run("publish", f"tenants/{name}.yaml", "--push", "-C", clone)
        assert ran.code == 0, ran
        assert ran.out.endswith(f"Publish changes of {name}\nPushed to origin/main.\n")
    message = git(fleet, "log", "--max-count=1", "--format=%B")
    assert "\nTenantry-Tenants: contoso\n" in message
    assert "\nTenantry-Risk: isolation\n" in message
    assert "\nTenantry-Approvers: security, operations" in message
    assert run("check", "-C", fleet).code == 0
    members = (fleet / "rendered/euw1-a/cells/euw1-shared-a").rglob("*")
    assert {"contoso", "initech"} <= {word for path in members for word in path.name.replace("-", "_").split("_")}

    # The same two, merged by git instead: the users of the cell's Redis are one object that both sides changed.
    assert run("merge-driver", "--install", "-C", other).code == 0
    git(other, "switch", "--quiet", "--create", "globex")
    add_tenant(other, "globex", "shared", "euw1-shared-a", users=24)
    assert run("render", "-C", other).code == 0
    commit(other, "globex")
    git(other, "fetch", "--quiet")
    git(other, "merge", "--quiet", "origin/main")
    assert run("check", "-C", other).code == 1
    ran = run("publish", "-C", other)
    assert ran.code == 0, ran
    assert run("check", "-C", other).code == 0
    assert git(other, "status", "--porcelain") == ""
