"""`tenantry secrets --grants`: what the store's administrator must allow, reader by reader, in the words of the provider.

Each reader may read the keys that its rendered ExternalSecrets name, and nothing else. What only the administrator knows
(issuer of a cluster's tokens, number of a project) is a shell variable, and the text says which.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tenantry.commands.examination import known_promises
from tenantry.commands.secrets import external_secrets
from tenantry.core.findings import UsageError
from tenantry.core.manifest import dig, entries, text
from tenantry.core.paths import cluster_of
from tenantry.model.names import platform_identity
from tenantry.model.secret_store import READER, SecretStore
from tenantry.report.document import CommandAnswer
from tenantry.runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Grant:
    """What one namespace of one cluster may read."""

    cluster: str
    namespace: str
    keys: tuple[str, ...]
    identity: str
    """As whom the namespace reads."""


def grants(space: Workspace, tenant: str = "", cluster: str = "") -> tuple[SecretStore, list[Grant]]:
    """The store, and the grants of one tenant's namespaces or of all, in one cluster or all.

    Raises FindingsError when the inputs are wrong, UsageError for an unknown cluster or when nothing was rendered.
    """
    known = known_promises(space)
    homes = known.homes
    found: dict[tuple[str, str], set[str]] = {}
    for manifest in external_secrets(space, known, cluster):
        where = (cluster_of(manifest.file), manifest.identity.namespace)
        home = homes.get(where[0], {}).get(where[1])
        if not tenant or (home is not None and home.tenant == tenant):
            keys = (text(dig(entry, "remoteRef", "key")) for _, entry in entries(manifest.spec.get("data")))
            found.setdefault(where, set()).update(key for key in keys if key)
    if not found:
        raise UsageError("the rendered objects read no secrets", "run 'tenantry render' first")
    given = [
        Grant(
            *where,
            tuple(sorted(found[where])),
            where[1] if where[1] in homes.get(where[0], {}) else platform_identity(*where),
        )
        for where in sorted(found)
    ]
    return known.platform.secret_store, given


def document(store: SecretStore, given: Sequence[Grant]) -> CommandAnswer:
    """The grants as commands, and as data."""
    blocks = [f"# {one.cluster}, namespace {one.namespace}\n{_WORDS[store.provider](store, one)}" for one in given]
    values = [{"cluster": one.cluster, "namespace": one.namespace, "keys": list(one.keys)} for one in given]
    return CommandAnswer("secrets", "\n".join(blocks), {"provider": store.provider, "grants": values}, True)


def _vault(store: SecretStore, grant: Grant) -> str:
    program = "bao" if store.provider == "openbao" else "vault"
    policy = f"{grant.cluster}-{grant.namespace}"
    rules = "\n".join(f'path "{store.mount}/data/{key}" {{ capabilities = ["read"] }}' for key in grant.keys)
    return (
        f"{program} policy write {policy} - <<'EOF'\n{rules}\nEOF\n"
        f"{program} write auth/{store.auth_mount}-{grant.cluster}/role/{grant.identity} token_policies={policy} \\\n"
        f"  bound_service_account_names={READER} bound_service_account_namespaces={grant.namespace} token_ttl=10m\n"
    )


def _aws(store: SecretStore, grant: Grant) -> str:
    """ISSUER is the cluster's OIDC issuer without https://. Six characters follow a secret's name in its ARN."""
    role = store.role_arn(grant.identity)
    arn = role.split(":")[1]
    trust = {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:{arn}:iam::{store.account}:oidc-provider/$ISSUER"},
        "Condition": {"StringEquals": {
            "$ISSUER:sub": f"system:serviceaccount:{grant.namespace}:{READER}", "$ISSUER:aud": "sts.amazonaws.com",
        }},
    }  # fmt: skip
    secrets = [f"arn:{arn}:secretsmanager:{store.region}:{store.account}:secret:{key}-??????" for key in grant.keys]
    read = {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": secrets}
    name = role.rpartition("/")[2]
    return (
        f'aws iam create-role --role-name {name} --assume-role-policy-document "$(cat <<EOF\n{_policy(trust)}\nEOF\n)"\n'
        f"aws iam put-role-policy --role-name {name} --policy-name read --policy-document '{_policy(read)}'\n"
    )


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def _gcp(store: SecretStore, grant: Grant) -> str:
    """PROJECT_NUMBER is the project's number. The pool is that of the project's GKE clusters."""
    pool = f"projects/$PROJECT_NUMBER/locations/global/workloadIdentityPools/{store.project}.svc.id.goog"
    member = f'"principal://iam.googleapis.com/{pool}/subject/ns/{grant.namespace}/sa/{READER}"'
    return "".join(
        f"gcloud secrets add-iam-policy-binding {key} --project {store.project} \\\n"
        f"  --role roles/secretmanager.secretAccessor --member {member}\n"
        for key in grant.keys
    )


def _azure(store: SecretStore, grant: Grant) -> str:
    """VAULT_ID is the Key Vault's resource ID, ISSUER the cluster's OIDC issuer, GROUP the identities' resource group."""
    client = store.client_ids.get(grant.identity, "")
    lines = [
        f"az identity federated-credential create --name {grant.cluster} --identity-name {grant.identity} \\\n"
        f'  --resource-group "$GROUP" --issuer "$ISSUER" --subject system:serviceaccount:{grant.namespace}:{READER}\n'
    ]
    lines += [
        f'az role assignment create --role "Key Vault Secrets User" --assignee {client} --scope "$VAULT_ID/secrets/{key}"\n'
        for key in grant.keys
    ]
    return "".join(lines)


def _kubernetes(store: SecretStore, grant: Grant) -> str:
    """For `kubectl apply -f -`: in each namespace that holds some of the keys, a Role that names them."""
    held: dict[str, list[str]] = {}
    for key in grant.keys:
        held.setdefault(store.place(key).partition("/")[0], []).append(key)
    # A cell reads in its members' namespaces too, whose own grants may come after this one.
    spaces = sorted({store.remote_namespace(grant.namespace), *held})
    objects: list[object] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one}} for one in spaces]
    for space in sorted(held):
        name = f"read-by-{grant.namespace}"
        about = {"apiVersion": f"{_RBAC}/v1", "metadata": {"name": name, "namespace": space}}
        rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": held[space], "verbs": ["get"]}
        reader = {"kind": "ServiceAccount", "name": READER, "namespace": grant.namespace}
        role = {"apiGroup": _RBAC, "kind": "Role", "name": name}
        objects += [
            {**about, "kind": "Role", "rules": [rule]},
            {**about, "kind": "RoleBinding", "subjects": [reader], "roleRef": role},
        ]
    return "".join(f"---\n{json.dumps(one, indent=2)}\n" for one in objects)


_RBAC = "rbac.authorization.k8s.io"
_WORDS: Mapping[str, Callable[[SecretStore, Grant], str]] = {
    "openbao": _vault, "vault": _vault, "aws": _aws, "gcp": _gcp, "azure": _azure, "kubernetes": _kubernetes,
}  # fmt: skip
