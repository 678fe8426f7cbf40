"""`tenantry secrets` names everything that the clusters will read, and says what a list of names lacks."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran, add_tenant
from tenantry.commands.secrets import read_present
from tenantry.core.findings import UsageError
from tenantry.core.secret_values import SECRET_VALUES
from tenantry.render.argocd import REPOSITORY_KEYS

Run = Callable[..., Ran]


def asked(root: Path, below: str = "") -> set[tuple[str, str]]:
    """(path, property) of all ExternalSecrets, read without the code under test."""
    found = set()
    for file in (root / "rendered").rglob("externalsecret.*.yaml"):
        for entry in yaml.safe_load(file.read_text())["spec"].get("data", ()):
            found.add((entry["remoteRef"]["key"], entry["remoteRef"]["property"]))
    return {pair for pair in found if pair[0].startswith(below)}


@pytest.fixture
def made(run: Run, fleet: Path) -> Path:
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=30)
    add_tenant(fleet, "acme-corp", "shared", "euw1-shared-a", users=30)
    assert run("render", "-C", fleet).code == 0
    return fleet


def listed(run: Run, root: Path, *arguments: str, code: int = 0) -> dict[str, object]:
    ran = run("secrets", *arguments, "-C", root, "--format", "json")
    assert ran.code == code, ran.err
    document: dict[str, object] = json.loads(ran.out)
    return document


def pairs(document: dict[str, object], **wanted: object) -> set[tuple[str, str]]:
    secrets = document["secrets"]
    assert isinstance(secrets, list)
    return {(s["path"], s["name"]) for s in secrets if all(s[key] == value for key, value in wanted.items())}


def test_every_property_that_the_example_reads_is_described_and_no_other() -> None:
    example = {(path.rpartition("/")[2], name) for path, name in asked(REPOSITORY)}
    others = {("repository", name) for keys in REPOSITORY_KEYS.values() for name in keys.values()}
    assert example | others == set(SECRET_VALUES)


def test_all_that_the_objects_read_is_listed_once_with_its_readers(run: Run, made: Path) -> None:
    document = listed(run, made)
    assert pairs(document, present=None) == asked(made)
    secrets = document["secrets"]
    assert isinstance(secrets, list)
    (password,) = (s for s in secrets if (s["path"], s["name"]) == ("tenants/acme/production/database", "password"))
    assert password["readers"] == [
        "euw1-a/acme-production/database-user", "euw1-a/euw1-shared-a-cell/database-acme-production",
    ]  # fmt: skip


def test_a_tenants_paths_are_not_those_of_one_whose_name_begins_alike(run: Run, made: Path) -> None:
    assert pairs(listed(run, made, "acme")) == asked(made, "tenants/acme/")
    assert pairs(listed(run, made, "acme-corp")) == asked(made, "tenants/acme-corp/")


def test_what_a_list_of_names_lacks_is_missing(run: Run, made: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    whole = "tenants/acme/production/odoo"
    lines = [f"{path} {name}" for path, name in asked(made, "tenants/acme/") if path != whole]
    names.write_text("\n".join([f"/{whole}/  # all of it", "", *lines[1:]]) + "\n")
    (lost,) = (tuple(line.split()) for line in lines[:1])
    document = listed(run, made, "acme", "--present", str(names), code=1)
    assert pairs(document, present=False) == {lost}
    text = run("secrets", "acme", "-C", made, "--present", names)
    assert (text.code, text.out.count("MISSING"), ", 1 missing." in text.out) == (1, 1, True)
    names.write_text("\n".join([whole, *lines]))
    assert pairs(listed(run, made, "acme", "--present", str(names)), present=False) == set()


def test_a_line_that_may_hold_a_value_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        read_present("a/b c\na/b password hunter2\n")
    assert str(caught.value.message) == "line 2 of the list has 3 words"
    assert "hunter2" not in caught.value.hint


@pytest.mark.parametrize(("arguments", "words"), [
    (["nobody"], "'nobody' is not a tenant"), (["--cluster", "euw1"], "'euw1' is not a cluster"),
    (["--cluster", "euw1", "--grants"], "'euw1' is not a cluster"), (["--present", "gone.txt"], "gone.txt can't be read: No such file"),
])  # fmt: skip
def test_wrong_arguments_are_named(run: Run, made: Path, arguments: list[str], words: str) -> None:
    ran = run("secrets", *arguments, "-C", made)
    assert (ran.code, words in ran.err) == (2, True), ran.err


def test_a_fleet_that_was_not_rendered_says_so(run: Run, fleet: Path) -> None:
    ran = run("secrets", "-C", fleet)
    assert (ran.code, "run 'tenantry render' first" in ran.err) == (2, True), ran.err


def test_one_cluster_lists_and_grants_what_is_read_there(run: Run) -> None:
    """With stores in the clusters themselves, another cluster's grant of the same name would replace this one's."""
    everywhere = listed(run, REPOSITORY, "--grants")["grants"]
    assert isinstance(everywhere, list)
    for name in ("euw1-a", "euc1-a"):
        found = listed(run, REPOSITORY, "--cluster", name)["secrets"]
        assert isinstance(found, list)
        assert {reader.split("/")[0] for one in found for reader in one["readers"]} == {name}
        grants = listed(run, REPOSITORY, "--cluster", name, "--grants")["grants"]
        assert grants == [one for one in everywhere if one["cluster"] == name]


def replaced(run: Run, root: Path, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """Rows of the table by their names."""
    document = listed(run, root, *arguments, "--rotation", code=code)
    rows = document["rotation"]
    assert isinstance(rows, list)
    return {row["name"]: row for row in rows}


def test_every_secret_of_the_trees_is_in_the_table_with_users_who_follow(run: Run, made: Path) -> None:
    rows = replaced(run, made)
    asked_for = {path for path, _ in asked(made)}
    certificates = {
        f"{value['metadata']['namespace']}/{value['metadata']['name']}"
        for file in (made / "rendered").rglob("certificate.*.yaml")
        for value in [yaml.safe_load(file.read_text())]
    }
    assert {name for name, row in rows.items() if row["kind"] == "secret"} == asked_for
    found = {name.partition("/")[2] for name, row in rows.items() if row["kind"] == "certificate"}
    assert found == certificates
    for name, row in rows.items():
        assert row["users"], f"nobody uses {name}"
        assert row["steps"], f"nobody knows how to replace {name}"
        assert all(user["way"] != "never" for user in row["users"])


def test_each_way_to_follow_is_told(run: Run, made: Path) -> None:
    rows = replaced(run, made, "acme")
    ways = {
        name.rpartition("/")[2]: {(user["who"], user["way"]) for user in row["users"]} for name, row in rows.items()
    }
    assert ("Deployment odoo-web, pgbouncer", "reads again") in ways["database"]
    assert ("DatabaseRole acme-production", "watches") in ways["database"]
    assert ("Deployment odoo-web, ODOO_SESSION_REDIS_URL", "new Pods") in ways["redis"]
    assert ("StatefulSet redis, redis", "reads again") in ways["redis"]
    assert ("Deployment odoo-web, AWS_ACCESS_KEY_ID", "new Pods") in ways["object-storage"]
    assert ("Job odoo-backup, AWS_ACCESS_KEY_ID", "starts again") in ways["backup-storage"]
    assert ("IngressRoute odoo-public", "watches") in ways["odoo-tls"]
    database, redis = rows["tenants/acme/production/database"], rows["tenants/acme/production/redis"]
    assert (database["overlap"], redis["overlap"]) == (False, True)
    assert (redis["at_most_days"], rows["euw1-a/acme-production/internal-client"]["at_most_days"]) == (365, 60)


def test_a_password_is_replaced_by_the_steps_that_are_printed(run: Run, made: Path) -> None:
    """Each step is taken as it is printed; at each, Redis accepts what the Pods have."""
    web = made / "rendered/euw1-a/production/acme/app/deployment.apps_acme-production_odoo-web.yaml"
    acl = (
        made
        / "rendered/euw1-a/cells/euw1-shared-a/externalsecret.external-secrets.io_euw1-shared-a-cell_redis-acl.yaml"
    )
    path = "tenants/acme/production/redis"
    seen = []
    for _ in range(4):
        todo = [step for step in replaced(run, made, "acme")[path]["steps"] if step.startswith("tenantry set")]
        names = {entry["remoteRef"]["property"] for entry in yaml.safe_load(acl.read_text())["spec"]["data"]
                 if entry["remoteRef"]["key"] == path}  # fmt: skip
        (key,) = re.findall(r"key: (url\S*)", web.read_text())
        seen.append((key, sorted(names)))
        program, verb, entry, change = shlex.split(todo[0].partition(";")[0])
        assert program == "tenantry"
        assert run(verb, entry, change, "-C", made).code == 0
        assert run("render", "-C", made).code == 0
        assert run("check", "-C", made).code == 0
    assert seen == [
        ("url", ["password"]), ("url", ["password", "password-2"]),
        ("url-2", ["password", "password-2"]), ("url-2", ["password-2"]),
    ]  # fmt: skip


def test_who_would_keep_an_old_value_is_told(run: Run, made: Path) -> None:
    file = made / "rendered/euw1-a/production/acme/app/deployment.apps_acme-production_odoo-web.yaml"
    content = file.read_text()
    script = "        command:\n        - /bin/bash\n        - /etc/pgbouncer/pgbouncer.sh\n"
    assert script in content
    file.write_text(content.replace(script, "        command:\n        - pgbouncer\n"))
    ran = run("secrets", "acme", "--rotation", "-C", made)
    assert ran.code == 1
    assert "pgbouncer: never: the file is read when the container starts, and nothing starts it again" in ran.out
    assert "2 users without a way to follow." in ran.out


@pytest.mark.parametrize(("arguments", "said"), [
    (("nobody", "--rotation"), "'nobody' is not a tenant"),
    (("--cluster", "nowhere", "--rotation"), "'nowhere' is not a cluster"),
    (("--grants", "--rotation"), "exclude each other"),
])  # fmt: skip
def test_what_can_not_be_asked_is_said(run: Run, made: Path, arguments: tuple[str, ...], said: str) -> None:
    ran = run("secrets", *arguments, "-C", made)
    assert ran.code == 2
    assert said in ran.err
