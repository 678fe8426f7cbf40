"""A tenant with a DR site that fails over and back: in each step all promises are kept, and at most one place writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from change.test_guards import lay
from conftest import Ran
from mutation import GONE, FileMutant, missed
from prove.test_stores import checked
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest
from tenantry.prove.replicas import fenced, writes

Run = Callable[..., Ran]
GLOBEX, HOME, AWAY = "globex-eu-production", "euw1-globex", "euc1-globex"
TOKEN = "eyJkYXRhYmFzZVN5c3RlbUlkZW50aWZpZXIiOiI3In0="
AS_OF = ("--as-of", "2026-11-26")


def entry(step: str, to: str = AWAY, generation: int = 2, token: str = "") -> dict[str, Any]:
    given = {"promotionToken": token} if token else {}
    return {"generation": generation, "to": to, "step": step, "reason": "Region lost", **given}


LOST = entry("done")
FORTH = entry("done", token=TOKEN)
STATES: Mapping[str, tuple[list[dict[str, Any]], str, str]] = {
    "lost": ([entry("promote")], AWAY, HOME), "lost, copied again": ([entry("rebuild")], AWAY, ""), "lost, over": ([LOST], AWAY, ""),
    "demoted": ([entry("demote")], "", ""), "switched": ([entry("promote", token=TOKEN)], AWAY, ""), "switched, over": ([FORTH], AWAY, ""),
    "back, demoted": ([LOST, entry("demote", HOME, 3)], "", ""),
    "back": ([LOST, entry("promote", HOME, 3, TOKEN)], HOME, ""),
    "home, and lost there": ([LOST, entry("promote", HOME, 3)], HOME, AWAY),
    "home, copied again": ([LOST, entry("rebuild", HOME, 3)], HOME, ""),
}  # fmt: skip
"""Failovers, the cluster that writes, and the one that is fenced."""


@pytest.fixture
def globex(tmp_path: Path) -> Path:
    root = lay(tmp_path / "fleet")
    for path in (root / "tenants").iterdir():
        if path.name != "globex-eu.yaml":
            path.unlink()
    for path in (root / "policies/exceptions").iterdir():
        path.unlink()
    return root


def rendered(run: Run, root: Path, failovers: list[dict[str, Any]]) -> Path:
    path = root / "tenants/globex-eu.yaml"
    text = path.read_text()
    if failovers:
        assert "hosts: [erp.globex-eu.example]}" in text
        wanted = f"hosts: [erp.globex-eu.example], failovers: {json.dumps(failovers)}}}"
        path.write_text(text.replace("hosts: [erp.globex-eu.example]}", wanted))
    ran = run("render", "-C", root, *AS_OF)  # nothing is written when a promise is broken
    assert ran.code == 0, ran.out + ran.err
    return root / "rendered"


def objects(root: Path, cluster: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(p.read_text()) for p in sorted((root / cluster).rglob(f"*{GLOBEX}*.yaml"))]


def servers(root: Path, cluster: str) -> list[Manifest]:
    return [
        Manifest(ObjectId("postgresql.cnpg.io", "Cluster", GLOBEX, o["metadata"]["name"]), o["apiVersion"], o)
        for o in objects(root, cluster) if (o["kind"], o["metadata"].get("namespace")) == ("Cluster", GLOBEX)
    ]  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_at_most_one_place_writes_in_every_state(run: Run, globex: Path, state: str) -> None:
    failovers, serving, kept_out = STATES[state]
    root = rendered(run, globex, failovers)
    found = {cluster: servers(root, cluster) for cluster in (HOME, AWAY)}
    assert {c: len(there) for c, there in found.items()} == {HOME: 1, AWAY: 1}
    assert [c for c, there in found.items() if writes(there[0])] == ([serving] if serving else [])
    assert [c for c, there in found.items() if fenced(there[0])] == ([kept_out] if kept_out else [])
    for cluster, (server,) in found.items():
        there = objects(root, cluster)
        kinds = {o["kind"] for o in there}
        replicas = [o["spec"].get("replicas", 1) for o in there if o["kind"] == "Deployment"]
        assert any(replicas) is (cluster == serving) and ("IngressRoute" in kinds) is (cluster == serving)
        assert ("ScheduledBackup" in kinds) is (cluster != kept_out), (
            "its own archive has base backups, before it is needed"
        )
        named = {e["name"]: e["plugin"]["parameters"]["serverName"] for e in server.spec["externalClusters"]}
        assert {server.spec["replica"][key] for key in ("primary", "self", "source")} <= named.keys()
        assert server.spec["plugins"][0]["parameters"]["serverName"] == named[cluster]
    archives = {server.spec["plugins"][0]["parameters"]["serverName"] for (server,) in found.values()}
    assert len(archives) == 2


def test_what_is_made_again_has_a_name_and_an_archive_of_its_own(run: Run, globex: Path) -> None:
    root = rendered(run, globex, [LOST, entry("rebuild", HOME, 3)])
    made = {
        cluster: (server.identity.name, server.spec["plugins"][0]["parameters"]["serverName"], server.spec["bootstrap"]["recovery"]["source"])
        for cluster in (HOME, AWAY) for server in servers(root, cluster)
    }  # fmt: skip
    assert made == {
        HOME: ("postgresql-r2", f"{GLOBEX}-r2", AWAY), AWAY: ("postgresql-r3", f"{GLOBEX}-standby-r3", HOME),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("failovers", "open_"), [([entry("promote")], True), ([entry("demote")], True), ([LOST], False)]
)
def test_no_window_holds_up_what_fails_over(
    run: Run, globex: Path, failovers: list[dict[str, Any]], open_: bool
) -> None:
    root = rendered(run, globex, failovers)
    projects = [
        yaml.safe_load(p.read_text())
        for cluster in (HOME, AWAY)
        for p in (root / cluster).rglob(f"appproject.*_{GLOBEX}-*.yaml")
    ]
    with_windows = {p["metadata"]["name"].rpartition("-")[2] for p in projects if "syncWindows" in p["spec"]}
    assert with_windows == (set() if open_ else {"infra", "app"}), "a replica disrupts nobody, so it never waits"


def test_forth_and_back_leaves_the_tree_as_it_was_but_for_which_place_is_the_primary(run: Run, globex: Path) -> None:
    before = {p.relative_to(globex): p.read_bytes() for p in rendered(run, globex, []).rglob("*.yaml")}
    back = [FORTH, entry("done", HOME, 3, TOKEN)]
    after = {p.relative_to(globex): p.read_bytes() for p in rendered(run, globex, back).rglob("*.yaml")}
    changed = {path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {
        f"cluster.postgresql.cnpg.io_{GLOBEX}_postgresql.yaml", f"objectstore.barmancloud.cnpg.io_{GLOBEX}_primary.yaml",
        f"networkpolicy.networking.k8s.io_{GLOBEX}_postgresql.yaml",
    }  # fmt: skip
    (home,) = servers(globex / "rendered", HOME)
    path = f"rendered/{HOME}/production/globex-eu/infra/cluster.postgresql.cnpg.io_{GLOBEX}_postgresql.yaml"
    was = yaml.safe_load(before[Path(path)])["spec"]
    now = {key: value for key, value in home.spec.items() if key not in ("replica", "externalClusters")}
    assert now == was


_HERE = f"{AWAY}/production/globex-eu/infra/cluster.postgresql.cnpg.io_{GLOBEX}_postgresql.yaml"
_THERE = f"{HOME}/production/globex-eu/standby/cluster.postgresql.cnpg.io_{GLOBEX}_postgresql.yaml"
_PROJECT = f"{AWAY}/platform/{GLOBEX}/appproject.argoproj.io_argocd_{GLOBEX}-infra.yaml"
_WINDOW = {"kind": "deny", "schedule": "0 0 24 12 *", "duration": "336h", "applications": ["*"], "manualSync": False}
MUTANTS: Mapping[str, FileMutant] = {
    "runs again": (_THERE, "metadata.annotations[cnpg.io/fencedInstances]", GONE, "BKP-08", "would run again when its place is back"),
    "fences one instance": (_THERE, "metadata.annotations[cnpg.io/fencedInstances]", '["postgresql-1"]', "BKP-08", "would run again"),
    "follows nobody": (_THERE, "spec.replica.source", HOME, "BKP-08", "and its other place is 'euc1-globex'"),
    "is not promoted": (_HERE, "spec.replica.primary", "primary", "BKP-08", "nobody could write"),
    "is called as nobody is": (_HERE, "spec.replica.self", "other", "V060", "externalClusters has no 'other'"),
    "archives as the one that is lost": (_HERE, "spec.plugins[0].parameters.serverName", GLOBEX, "DATA-08", "archives as"),
    "reads another archive": (_HERE, "spec.externalClusters[1].plugin.parameters.serverName", "acme", "DATA-08", "copies 'acme'"),
    "waits for a window": (_PROJECT, "spec.syncWindows", [_WINDOW], "IAM-05", "may have to wait"),
}  # fmt: skip
"""File below rendered/, path, new value, control or code, and words of the breach."""


def test_what_breaks_a_promise_while_a_place_is_lost_is_found(run: Run, globex: Path) -> None:
    root = rendered(run, globex, [entry("promote")])

    def verify() -> list[dict[str, Any]]:
        return [{**f, "control": f["control"] or f["code"]} for f in checked(run, globex, "verify")]

    assert missed(root, MUTANTS, verify) == []
