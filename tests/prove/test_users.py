"""RUN-09 where the cluster has user namespaces: every Pod of ours has its own users, and losing them is a breach."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from conftest import Ran

Run = Callable[..., Ran]
_PODS = ("deployment.", "statefulset.", "job.", "cronjob.")


def pods(root: Path, cluster: str) -> dict[Path, object]:
    """What each Pod template of a cluster says of its users."""
    files = [f for f in sorted((root / "rendered" / cluster).rglob("*.yaml")) if f.name.startswith(_PODS)]
    return {f: template(yaml.safe_load(f.read_text())["spec"]).get("hostUsers") for f in files}


def template(spec: dict[str, Any]) -> dict[str, Any]:
    """What its Pods are made of."""
    job = spec.get("jobTemplate", {}).get("spec", spec)
    return dict(job["template"]["spec"])


def test_pods_have_users_of_their_own_where_the_cluster_can(run: Run, fleet: Path) -> None:
    assert run("set", "cluster/euw1-a", "spec.userNamespaces=true", "-C", fleet).code == 0
    tier = fleet / "tiers/segmented.yaml"
    tier.write_text(tier.read_text().replace("traefik: platform}", "traefik: platform, userNamespaces: never}"))
    assert run("render", "-C", fleet).code == 0
    found = pods(fleet, "euw1-a")
    for file, says in found.items():
        assert says is (None if "northwind" in str(file) else False), file
    assert {False, None} == set(found.values())
    assert run("verify", "-C", fleet).code == 0
    (web,) = (f for f in found if f.name == "deployment.apps_acme-production_odoo-web.yaml")
    web.write_text(web.read_text().replace("hostUsers: false", "hostUsers: true"))
    ran = run("verify", "-C", fleet, "--format", "json")
    told = [(f["control"], f["line"], f["message"]) for f in json.loads(ran.out)["findings"]]
    line = next(n for n, text in enumerate(web.read_text().splitlines(), 1) if "hostUsers" in text)
    where = "Deployment.apps acme-production/odoo-web: spec.template.spec.hostUsers: "
    message = "the Pod's users are the node's: a process that gets out is the same user as others' on euw1-a"
    assert told == [("RUN-09", line, where + message)]
