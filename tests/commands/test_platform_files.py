"""`new cluster`, `new release` and `new channel` write what `check` takes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.core import addresses
from tenantry.model.cluster import Cluster
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

Run = Callable[..., Ran]
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
IMAGE = f"registry.provider.example/odoo/odoo:18.0-20261201@{DIGEST}"
RELEASE = ("new", "release", "odoo-18.0-20261201", "--image", IMAGE, "--odoo", "18.0", "--built", "2026-12-01")


def test_a_fleet_with_new_entries_is_rendered_and_checked(run: Run, fleet: Path) -> None:
    for arguments in (
        ("new", "cluster", "euw1-b", "--region", "eu-west"),
        ("new", "cluster", "usc2", "--region", "us-central", "--like", "euw1-a"),
        ("new", "cell", "euw1-shared-z", "--cluster", "euw1-b", "--tier", "shared"),
        RELEASE,
        ("new", "channel", "slow", "--release", "odoo-18.0-20261012", "--description", "Twice a year: no hurry"),
    ):
        ran = run(*arguments, "-C", fleet)
        assert (ran.code, ran.err) == (0, ""), arguments
    assert run("render", "-C", fleet).code == 0
    ran = run("check", "-C", fleet)
    assert (ran.code, "inputs are valid, trees are up to date." in ran.out) == (0, True), ran


def test_addresses_and_buckets_of_a_cluster_are_its_own(run: Run, fleet: Path) -> None:
    for number in range(3):
        assert run("new", "cluster", f"euw{number}", "--region", "eu-west", "-C", fleet).code == 0
    clusters = read_inputs(fleet, "2026-11-29", Store()).fleet.all(Cluster).values()
    every = [n for c in clusters for part in (c.networks.pods, c.networks.services, c.networks.nodes, c.networks.api_server)
             for n in addresses.ranges(part)]  # fmt: skip
    assert not any(one.meets(other) for i, one in enumerate(every) for other in every[:i])
    buckets = [b for c in clusters for b in (c.object_storage.backup_bucket, c.object_storage.attachment_bucket)]
    assert len(buckets) == len(set(buckets))
    new = next(c for c in clusters if c.name == "euw0")
    assert (new.region, new.dr_partner, new.traefik.balancer_cidrs) == ("eu-west", "", ())


def test_ranges_of_private_links_and_integrations_are_not_free(run: Run, fleet: Path) -> None:
    with (fleet / "tenants/acme.yaml").open("a") as file:
        file.write("  integrations: [{name: bank, host: api.bank.example, cidrs: [10.18.7.0/24], port: 443}]\n")
    assert run("new", "cluster", "euw1-b", "--region", "eu-west", "-C", fleet).code == 0
    assert "pods: [10.18." not in (fleet / "platform/clusters/euw1-b.yaml").read_text()


def test_a_release_is_proved_nowhere_and_says_nothing_of_its_model(run: Run, fleet: Path) -> None:
    model = fleet / "platform/releases/odoo-18.0-20261109.yaml"
    model.write_text(model.read_text().replace("spec:\n", "spec:\n  # Fixes the November invoices.\n"))
    assert run(*RELEASE, "-C", fleet).code == 0
    text = (fleet / "platform/releases/odoo-18.0-20261201.yaml").read_text()
    assert "November" not in text
    assert f"image: {IMAGE}\n" in text
    assert 'built: "2026-12-01"\n' in text
    assert text.endswith("proved: []\n")


REFUSED = {
    "unknown region": (("cluster", "x", "--region", "eu-wets"), "there is no region 'eu-wets'"),
    "unknown model": (("cluster", "x", "--region", "eu-west", "--like", "euw1-z"), "there is no cluster 'euw1-z'"),
    "name that is no name": (("cluster", "X", "--region", "eu-west"), "'X' can't be a name"),
    "name too long for its buckets": (("cluster", "a-cluster-in-the-west", "--region", "eu-west"), "S023"),
    "cluster that is there": (("cluster", "euw1-a", "--region", "eu-west"), "platform/clusters/euw1-a.yaml is there already"),
    "image by tag": (("release", "r", "--image", "registry.provider.example/odoo/odoo:18.0", "--odoo", "18.0"), "S023"),
    "Odoo without a model": (("release", "r", "--image", IMAGE, "--odoo", "16.0"), "no release of Odoo 16.0 is there to take the shape from"),
    "unknown release": (("channel", "c", "--release", "odoo-18.0-2026", "--description", "d"), "there is no release 'odoo-18.0-2026'"),
    "release of another file": (("channel", "standard", "--release", "odoo-18.0-20261012", "--description", "d"), "is there already"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_says_why_it_writes_nothing(run: Run, fleet: Path, name: str) -> None:
    arguments, why = REFUSED[name]
    before = {path: path.read_bytes() for path in (fleet / "platform").rglob("*.yaml")}
    ran = run("new", *arguments, "-C", fleet)
    assert (ran.code, why in ran.err) == (2, True), ran
    assert {path: path.read_bytes() for path in (fleet / "platform").rglob("*.yaml")} == before


def test_a_channel_runs_nothing_that_was_not_staged(run: Run, fleet: Path) -> None:
    run(*RELEASE, "-C", fleet)
    ran = run("new", "channel", "fast", "--release", "odoo-18.0-20261201", "--description", "d", "-C", fleet)
    assert (ran.code, "F020 release 'odoo-18.0-20261201' was never tested in staging" in ran.err) == (2, True), ran
