"""Each provider of secrets: its fleet is clean, and what reads another's secrets is a breach of IAM-07."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Ran
from mutation import changed_at
from tenantry.plan.secret_store import NEEDED

Run = Callable[..., Ran]
_ACME, _CELL, _NORTHWIND = "acme-production", "euw1-shared-a-cell", "northwind-production"
_ID = "00000000-0000-4000-8000-{:012d}"
NAMESPACES = (
    _ACME, _NORTHWIND, "northwind-staging", _CELL, "euw1-shared-b-cell", "euw1-shared-np-cell", "euw1-a-argocd", "euc1-a-argocd",
)  # fmt: skip
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "openbao": {"server": "https://bao.provider.example:8200", "mount": "secret", "authMount": "kubernetes"},
    "vault": {"server": "https://vault.provider.example:8200", "mount": "secret", "authMount": "kubernetes"},
    "aws": {"region": "eu-west-1", "account": "123456789012"},
    "gcp": {"project": "provider-erp"},
    "azure": {
        "vaultUrl": "https://fleet.vault.azure.net", "entraTenant": _ID.format(0),
        "clientIds": {name: _ID.format(number) for number, name in enumerate(NAMESPACES, 1)},
    },
    "kubernetes": {},
}  # fmt: skip
_READER = f"infra/serviceaccount_{_ACME}_secret-reader.yaml"
_USER = f"infra/externalsecret.external-secrets.io_{_ACME}_database-user.yaml"
_KEY, _LOGIN = "spec.data[0].remoteRef.key", "spec.provider.vault.auth.kubernetes"
_ARN = "arn:aws:iam::123456789012:role/tenantry-acme-corp-production"
_ROLE = "metadata.annotations[eks.amazonaws.com/role-arn]"
_CLIENT = "metadata.annotations[azure.workload.identity/client-id]"
MUTANTS: Mapping[str, tuple[tuple[str, str, Any, str], ...]] = {
    "openbao": (
        ("store", f"{_LOGIN}.role", _NORTHWIND, f"role is '{_NORTHWIND}'"),
        ("store", f"{_LOGIN}.serviceAccountRef.name", "odoo-web", "ServiceAccount is 'odoo-web'"),
        ("store", "spec.provider.vault.namespace", "others", "has the setting 'namespace'"),
        (_USER, _KEY, "tenants/northwind/production/database", "reads 'tenants/northwind"),
    ),
    "vault": (
        ("store", f"{_LOGIN}.mountPath", "kubernetes-euc1-a", "login mount is 'kubernetes-euc1-a'"),
        ("store", "spec.provider.vault.path", "other", "mount is 'other'"),
        (_USER, _KEY, "tenants/acme/staging/database", "reads 'tenants/acme/staging"),
    ),
    "aws": (
        (_READER, _ROLE, _ARN, "role/tenantry-acme-corp-production'"),
        (f"infra/serviceaccount_{_ACME}_odoo-web.yaml", _ROLE, _ARN, "role/tenantry-acme-corp-production'"),
        ("store", "spec.provider.aws.role", _ARN, "has the setting 'role'"),
        ("store", "spec.provider.aws.service", "ParameterStore", "service is 'ParameterStore'"),
        (_USER, _KEY, "tenants/northwind/production/database", "reads 'tenants/northwind"),
    ),
    "gcp": (
        ("store", "spec.provider.gcpsm.projectID", "another-project", "project is 'another-project'"),
        ("store", "spec.provider.gcpsm.auth.workloadIdentity.serviceAccountRef.namespace", _NORTHWIND, "refers to the"),
        (_READER, "metadata.annotations[iam.gke.io/gcp-service-account]", "a@b.iam.gserviceaccount.com", "a@b.iam"),
        (_USER, _KEY, "tenants_northwind_production_database", "reads 'tenants_northwind"),
    ),
    "azure": (
        (_READER, _CLIENT, _ID.format(2), "client-id is '00000000"),
        ("store", "spec.provider.azurekv.authType", "ManagedIdentity", "way to log in is 'ManagedIdentity'"),
        ("store", "spec.provider.azurekv.vaultUrl", "https://x.vault.azure.net", "Key Vault is 'https://x"),
        (_USER, _KEY, "tenants--northwind--production--database", "reads 'tenants--northwind"),
    ),
    "kubernetes": (
        ("store", "spec.provider.kubernetes.remoteNamespace", f"{_NORTHWIND}-secrets", f"is '{_NORTHWIND}-secrets'"),
        ("store", "spec.provider.kubernetes.server.url", "https://192.0.2.1", "server is 'https://192.0.2.1'"),
        (_USER, _KEY, "tenants.northwind.production.database", "reads 'tenants.northwind"),
        (_USER, "spec.data[0].sourceRef.storeRef", {"kind": "SecretStore", "name": "kubernetes-b"}, "another store"),
    ),
}  # fmt: skip
"""Provider -> (file, path, new value, words of the breach)."""


def use(root: Path, provider: str) -> None:
    """Write the provider into platform.yaml, with all that it needs."""
    path = root / "platform/platform.yaml"
    store = f"  secretStore: {json.dumps({'provider': provider, **SETTINGS[provider]})}\n"
    text, replaced = re.subn(r"(?m)^  secretStore:\n(    .*\n)+", lambda _: store, path.read_text())
    assert replaced == 1
    path.write_text(text)


def checked(run: Run, root: Path, command: str) -> list[dict[str, Any]]:
    ran = run(command, "-C", root, "--format", "json")
    found: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    return found


def grants_are_what_is_read(run: Run, root: Path, provider: str) -> None:
    """`secrets --grants` names, for each reader, the keys of its rendered objects and no others."""
    read: dict[tuple[str, str], set[str]] = {}
    for file in (root / "rendered").rglob("externalsecret.*.yaml"):
        external = yaml.safe_load(file.read_text())
        where = (file.relative_to(root).parts[1], external["metadata"]["namespace"])
        read.setdefault(where, set()).update(e["remoteRef"]["key"] for e in external["spec"]["data"])
    answer = json.loads(run("secrets", "--grants", "-C", root, "--format", "json").out)
    assert {(g["cluster"], g["namespace"]): set(g["keys"]) for g in answer["grants"]} == read
    mine = run("secrets", "acme", "--grants", "-C", root)
    assert (mine.code, "northwind" in mine.out) == (0, False)
    assert all(key in mine.out for key in read["euw1-a", _ACME]), mine.out
    assert {"openbao": "bao policy", "kubernetes": '"resourceNames"', "aws": ":sub"}.get(provider, "") in mine.out
    listed = json.loads(run("secrets", "acme", "-C", root, "--format", "json").out)["secrets"]
    place = f"{_ACME}-secrets/" if provider == "kubernetes" else ""
    assert {s["path"] for s in listed} == {f"{place}{key}" for key in read["euw1-a", _ACME]}
    assert all(s["purpose"] for s in listed)
    if provider == "kubernetes":
        can_be_applied_in_order(run("secrets", "--grants", "-C", root).out)


def can_be_applied_in_order(text: str) -> None:
    """No object comes before its namespace."""
    there: set[str] = set()
    for manifest in yaml.safe_load_all(text):
        metadata = manifest["metadata"]
        there |= {metadata["name"]} if manifest["kind"] == "Namespace" else set()
        assert metadata.get("namespace", metadata["name"]) in there


@pytest.mark.parametrize("provider", NEEDED)
def test_a_fleet_on_each_provider_is_clean_and_who_reads_anothers_secrets_is_found(
    run: Run, fleet: Path, provider: str
) -> None:
    use(fleet, provider)
    rendered = run("render", "-C", fleet)
    assert rendered.code == 0, rendered.err + rendered.out
    assert checked(run, fleet, "check") == []
    grants_are_what_is_read(run, fleet, provider)
    home = fleet / "rendered/euw1-a/production/acme"
    store = f"infra/secretstore.external-secrets.io_{_ACME}_{provider}.yaml"
    for file, path, to, words in MUTANTS[provider]:
        target = home / (store if file == "store" else file)
        before = target.read_text()
        target.write_text(yaml.safe_dump(changed_at(yaml.safe_load(before), path, to)))
        told = [f["message"] for f in checked(run, fleet, "verify") if f["control"] == "IAM-07"]
        target.write_text(before)
        assert any(words in message for message in told), (provider, path, told)


def test_a_cell_reads_each_members_password_from_the_members_own_namespace(run: Run, fleet: Path) -> None:
    use(fleet, "kubernetes")
    assert run("render", "-C", fleet).code == 0
    cell = fleet / "rendered/euw1-a/cells/euw1-shared-a"
    read = {p.name: yaml.safe_load(p.read_text())["spec"] for p in cell.glob("*external-secrets.io*")}
    member = read[f"secretstore.external-secrets.io_{_CELL}_{_ACME}.yaml"]["provider"]["kubernetes"]
    assert member["remoteNamespace"] == f"{_ACME}-secrets"
    database = read[f"externalsecret.external-secrets.io_{_CELL}_database-{_ACME}.yaml"]
    assert database["secretStoreRef"]["name"] == _ACME
    (entry,) = (
        e for e in read[f"externalsecret.external-secrets.io_{_CELL}_redis-acl.yaml"]["data"] if "sourceRef" in e
    )
    assert (entry["remoteRef"]["key"], entry["sourceRef"]["storeRef"]["name"]) == (
        "tenants.acme.production.redis",
        _ACME,
    )
    target = cell / f"secretstore.external-secrets.io_{_CELL}_{_ACME}.yaml"
    wrong = changed_at(yaml.safe_load(target.read_text()), "spec.provider.kubernetes.remoteNamespace", "kube-system")
    target.write_text(yaml.safe_dump(wrong))
    assert any("is 'kube-system'" in f["message"] for f in checked(run, fleet, "verify"))
