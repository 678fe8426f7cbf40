"""`tenantry secrets --bucket-policies`: each key of the object store opens the places of its users, and no other's."""

from __future__ import annotations

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran, add_tenant
from tenantry.commands.rendered import known_states
from tenantry.prove.storage import places
from tenantry.prove.storage_keys import storage_key_uses
from tenantry.runtime.workspace import Workspace

Run = Callable[..., Ran]
Statement = dict[str, Any]
LEAVES = ("object-storage", "backup-storage", "drill-storage")
IMPORT = f'spec.environments.production.import={{"folder": "day", "sha256": "{"0" * 64}"}}'
FILES, BACKUPS = "arn:aws:s3:::euw1-a-files", "arn:aws:s3:::euw1-a-backup"


@pytest.fixture
def policies(run: Run) -> dict[str, list[Statement]]:
    """Path -> statements, of the example's cluster euw1-a."""
    return printed(run, REPOSITORY, "--cluster", "euw1-a")


def printed(run: Run, root: Path, *arguments: str) -> dict[str, list[Statement]]:
    ran = run("secrets", "-C", root, "--bucket-policies", *arguments, "--format", "json")
    assert ran.code == 0, ran.err
    found: dict[str, list[Statement]] = {}
    for one in json.loads(ran.out)["policies"]:
        found.setdefault(one["path"], []).extend(one["policy"]["Statement"])
    return found


def may(statements: list[Statement], action: str, resource: str, prefix: str | None = None) -> bool:
    """What a store answers, by Amazon's rules for statements that allow."""
    for statement in statements:
        wanted = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
        fits = wanted is None or (prefix is not None and any(fnmatchcase(prefix, one) for one in wanted))
        if fits and action in statement["Action"] and any(fnmatchcase(resource, one) for one in statement["Resource"]):
            return True
    return False


def test_every_key_that_the_objects_read_has_a_policy_and_no_other(policies: dict[str, list[Statement]]) -> None:
    read = set()
    for file in (REPOSITORY / "rendered/euw1-a").rglob("externalsecret.*.yaml"):
        for entry in yaml.safe_load(file.read_text())["spec"].get("data", ()):
            if entry["remoteRef"]["property"].startswith("access-key-id"):
                read.add(entry["remoteRef"]["key"])
    assert set(policies) == read
    assert {path.rpartition("/")[2] for path in policies} == set(LEAVES)


def test_every_place_that_the_objects_name_is_opened_by_some_key(engine_program: Path) -> None:
    """What DATA-08 knows of places, beside what the policies are made of."""
    _, states = known_states(Workspace(REPOSITORY, "2026-11-01"), "", "")
    for state in states:
        named = {place.location for place in places(state)}
        assert named
        assert named <= {use.location for use in storage_key_uses(state)}


def test_a_tenants_key_opens_its_own_folder_alone(policies: dict[str, list[Statement]]) -> None:
    acme = policies["tenants/acme/production/object-storage"]
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert may(acme, action, f"{FILES}/acme/production/ab/cd")
        for other in ("acme-corp/production/ab", "acme/staging/ab", "acme/production2/ab", "ab"):
            assert not may(acme, action, f"{FILES}/{other}")
        assert not may(acme, action, f"{BACKUPS}/acme/production/ab")
    assert may(acme, "s3:ListBucket", FILES, "acme/production/")
    for prefix in (None, "", "acme/production", "acme/", "acme-corp/production/"):
        assert not may(acme, "s3:ListBucket", FILES, prefix)
    assert not may(acme, "s3:ListBucket", BACKUPS, "acme/production/")


def test_nobody_opens_what_is_anothers(policies: dict[str, list[Statement]]) -> None:
    """Every key against every place of the others; a cell's drill reads attachments of its members."""
    own = {
        path: [one for statement in found if "s3:PutObject" in statement["Action"] for one in statement["Resource"]]
        for path, found in policies.items()
    }
    for path, found in policies.items():
        whose = path.rpartition("/")[0]
        for other, written in own.items():
            if other.rpartition("/")[0] != whose:
                for place in written:
                    sample = place.replace("*", "x")
                    assert not may(found, "s3:PutObject", sample), (path, place)
                    assert path.startswith("cells/") or not may(found, "s3:GetObject", sample), (path, place)


def test_drills_read_and_never_write(policies: dict[str, list[Statement]]) -> None:
    drill = policies["cells/euw1-shared-b/drill-storage"]
    assert may(drill, "s3:GetObject", f"{BACKUPS}/cells/euw1-shared-b/server/base/1/data.tar")
    assert may(drill, "s3:GetObject", f"{FILES}/fjord-design/production/ab/cd")
    assert not may(drill, "s3:GetObject", f"{BACKUPS}/cells/euw1-shared-a/server/base/1/data.tar")
    assert not may(drill, "s3:GetObject", f"{BACKUPS}/fjord-design/production/dump")
    assert {action for statement in drill for action in statement["Action"]} == {"s3:GetObject", "s3:ListBucket"}


def test_who_writes_backups_may_list_the_bucket_and_nobody_else(policies: dict[str, list[Statement]]) -> None:
    """Barman asks for the bucket before each copy, and rclone for names that may be taken."""
    for path, statements in policies.items():
        used = statements[0]["Effect"] == "Allow"
        assert may(statements, "s3:ListBucket", BACKUPS) == (
            (used and not path.endswith("/object-storage")) or path.startswith("cells/")
        ), path
        assert not may(statements, "s3:ListBucket", FILES), path


def test_a_key_that_nobody_uses_now_may_do_nothing(policies: dict[str, list[Statement]]) -> None:
    """A suspended tenant's, which makes no dumps."""
    suspended = policies["tenants/harbor-logistics/production/backup-storage"]
    assert [statement["Effect"] for statement in suspended] == ["Deny"]


def test_a_standby_reads_the_archive_that_it_follows_and_writes_its_own(run: Run) -> None:
    found = printed(run, REPOSITORY, "globex-eu", "--cluster", "euc1-globex")
    statements = found["tenants/globex-eu/production/backup-storage"]
    own, followed = (
        f"arn:aws:s3:::{cluster}-backup/globex-eu/production/x" for cluster in ("euc1-globex", "euw1-globex")
    )
    assert may(statements, "s3:PutObject", own)
    assert (may(statements, "s3:GetObject", followed), may(statements, "s3:PutObject", followed)) == (True, False)


def test_what_another_system_left_is_read_and_attachments_are_written(run: Run, fleet: Path) -> None:
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=30)
    assert run("set", "acme", IMPORT, "-C", fleet).code == 0
    assert run("render", "-C", fleet).code == 0
    found = printed(run, fleet, "acme")
    assert may(found["tenants/acme/production/object-storage"], "s3:PutObject", f"{FILES}/acme/production/ab")
    assert may(
        found["tenants/acme/production/backup-storage"],
        "s3:GetObject",
        f"{BACKUPS}/acme/production/import-day/dump.sql.gz",
    )


def test_text_is_a_policy_under_the_path_of_its_key(run: Run) -> None:
    ran = run("secrets", "fjord-design", "-C", REPOSITORY, "--bucket-policies")
    head, _, document = ran.out.partition("\n\n")[0].partition("\n")
    assert head == "# tenants/fjord-design/production/backup-storage, at https://objects.eu-west.provider.example"
    assert json.loads(document)["Version"] == "2012-10-17"


@pytest.mark.parametrize(("arguments", "said"), [
    (("nobody",), "'nobody' is not a tenant"), (("--cluster", "nowhere"), "'nowhere' is not a cluster"),
    (("--grants",), "exclude each other"),
])  # fmt: skip
def test_what_can_not_be_asked_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ran = run("secrets", "-C", REPOSITORY, "--bucket-policies", *arguments)
    assert (ran.code, said in ran.err) == (2, True), ran.err


def test_a_fleet_that_was_not_rendered_says_so(run: Run, fleet: Path) -> None:
    ran = run("secrets", "-C", fleet, "--bucket-policies")
    assert (ran.code, "run 'tenantry render' first" in ran.err) == (2, True), ran.err
