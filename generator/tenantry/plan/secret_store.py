"""The secret store has the settings that its provider needs, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.findings import Finding
from tenantry.model import names
from tenantry.model.cell import Cell
from tenantry.model.cluster import Cluster
from tenantry.model.secret_store import Provider
from tenantry.plan.scope import Scope

NEEDED: Mapping[Provider, tuple[str, ...]] = {
    "openbao": ("server", "mount", "authMount"),
    "vault": ("server", "mount", "authMount"),
    "aws": ("region", "account"),
    "gcp": ("project",),
    "azure": ("vaultUrl", "entraTenant", "clientIds"),
    "kubernetes": (),
}
_ALSO: Mapping[Provider, tuple[str, ...]] = {"aws": ("rolePrefix",)}
_OF_EACH = ("provider", "cidrs")


def fits_provider(scope: Scope) -> Iterator[Finding]:
    """F027: settings that are missing, and settings of another provider."""
    platform = scope.fleet.platform
    provider = platform.secret_store.provider
    given = scope.fleet.document(platform).data["spec"]["secretStore"]
    needed = NEEDED[provider]
    words = ", ".join(needed) or "no setting of its own"
    for field in needed:
        if field not in given:
            place = scope.fleet.place(platform, "secretStore")
            yield Finding("F027", place, f"secretStore.{field} is missing", f"provider {provider} needs {words}")
    for field in given:
        if field not in (*needed, *_ALSO.get(provider, ()), *_OF_EACH):
            place = scope.fleet.place(platform, "secretStore", field)
            message = f"secretStore.{field} isn't read by provider {provider}"
            yield Finding("F027", place, message, f"remove it; provider {provider} needs {words}")


def identities(scope: Scope) -> Iterator[Finding]:
    """F027: Azure has an identity for each namespace that reads secrets, and no two namespaces share one."""
    platform = scope.fleet.platform
    store = platform.secret_store
    if store.provider != "azure" or not store.client_ids:
        return
    wanted = _namespaces(scope)
    for namespace in sorted(wanted - set(store.client_ids)):
        place = scope.fleet.place(platform, "secretStore", "clientIds")
        message = f"secretStore.clientIds has no identity for the namespace '{namespace}'"
        yield Finding("F027", place, message, "create a managed identity for it, and list its client ID")
    seen: dict[str, str] = {}
    for namespace, client in store.client_ids.items():
        place = scope.fleet.place(platform, "secretStore", "clientIds", namespace)
        if namespace not in wanted:
            message = f"secretStore.clientIds lists '{namespace}', a namespace that reads no secrets"
            yield Finding("F027", place, message, f"remove it; namespaces: {', '.join(sorted(wanted))}")
        elif client in seen:
            message = f"'{namespace}' has the identity of '{seen[client]}', and could read its secrets"
            yield Finding("F027", place, message, "create a managed identity for each namespace")
        seen.setdefault(client, namespace)


def _namespaces(scope: Scope) -> set[str]:
    """Namespaces with a SecretStore, of the platform with the cluster's name; a cell without shared services has none."""
    cells = scope.fleet.all(Cell).values()
    shared = {names.cell_namespace(c.name) for c in cells if c.postgresql is not None or c.redis is not None}
    argocd = scope.fleet.platform.namespaces.argocd
    platform = {names.platform_identity(cluster, argocd) for cluster in scope.fleet.all(Cluster)}
    return shared | platform | {instance.names.namespace for instance in scope.instances.values()}
