"""An internal authority takes the place of another: Odoo's Pods trust both, and only what the cluster's file says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Ran, add_tenant

Run = Callable[..., Ran]
OLD, NEW = (f"-----BEGIN CERTIFICATE-----\n{letter * 64}\n{letter * 8}\n-----END CERTIFICATE-----\n" for letter in "AB")
ACME = "rendered/euw1-a/production/acme"
BUNDLE = f"{ACME}/infra/configmap_acme-production_trusted-authorities.yaml"
WEB = f"{ACME}/app/deployment.apps_acme-production_odoo-web.yaml"
BACKUP = f"{ACME}/app/job.batch_acme-production_odoo-backup.yaml"


def trust(root: Path, *certificates: str) -> None:
    file = root / "platform/clusters/euw1-a.yaml"
    lines = [line for pem in certificates for line in ("    - |", *(f"      {text}" for text in pem.splitlines()))]
    file.write_text(
        file.read_text().replace("\nspec:\n", "\nspec:\n  trustedAuthorities:\n" + "\n".join(lines) + "\n", 1)
    )


def volumes(root: Path, file: str) -> dict[str, Any]:
    pod = yaml.safe_load((root / file).read_text())["spec"]["template"]["spec"]
    return {volume["name"]: volume for volume in pod["volumes"]}


@pytest.fixture
def trusting(run: Run, fleet: Path) -> Path:
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=30)
    trust(fleet, OLD, NEW)
    assert run("render", "-C", fleet).code == 0
    assert run("check", "-C", fleet).code == 0
    return fleet


def test_all_pods_of_odoo_trust_both(trusting: Path) -> None:
    assert yaml.safe_load((trusting / BUNDLE).read_text())["data"]["ca.crt"] == OLD + NEW
    for file, names in ((WEB, ("database-ca", "redis-ca")), (BACKUP, ("database-ca",))):
        for name in names:
            assert volumes(trusting, file)[name]["configMap"]["name"] == "trusted-authorities"


def test_without_a_change_of_authorities_pods_trust_the_one_that_signed(run: Run, fleet: Path) -> None:
    add_tenant(fleet, "acme", "shared", "euw1-shared-a", users=30)
    assert run("render", "-C", fleet).code == 0
    assert not (fleet / BUNDLE).exists()
    assert volumes(fleet, WEB)["database-ca"]["secret"]["secretName"] == "internal-client"


@pytest.mark.parametrize(("file", "old", "new", "said"), [
    (BUNDLE, "B" * 64, "C" * 64, "the authorities that Pods trust are not those of the cluster's file"),
    (WEB, "configMap:\n          name: trusted-authorities\n", "secret:\n          secretName: internal-client\n",
     "trusts the authority of one certificate"),
    (BACKUP, "configMap:\n          name: trusted-authorities\n", "secret:\n          secretName: internal-client\n",
     "trusts the authority of one certificate"),
])  # fmt: skip
def test_a_pod_that_trusts_something_else_is_a_breach(run: Run, trusting: Path, file: str, old: str, new: str, said: str) -> None:  # fmt: skip
    path = trusting / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    ran = run("verify", "-C", trusting)
    assert ran.code == 1
    assert [line for line in ran.out.splitlines() if "IAM-10" in line and said in line]


def test_the_table_has_the_steps(run: Run, trusting: Path) -> None:
    ran = run("secrets", "--rotation", "-C", trusting)
    assert ran.code == 0
    for words in (
        "euw1-a/internal-ca (valid for as long as its own certificate says)",
        "spec.trustedAuthorities of platform/clusters/euw1-a.yaml; tenantry render; commit: Odoo's Pods trust both",
        "cmctl renew -n acme-production internal-client",
    ):
        assert words in ran.out
