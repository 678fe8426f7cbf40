"""IAM-07, how a namespace logs in to the secret store: with its own role, identity or remote namespace, by provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Manifest, Path, Value, dig, mapping, text
from tenantry.model.secret_store import IDENTITY_ANNOTATIONS, READER, Provider
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import SecretReader
from tenantry.prove.registration import proof

_ESO = "external-secrets.io"
_WIDE = ("ClusterSecretStore", "ClusterExternalSecret", "ClusterPushSecret", "PushSecret", "ClusterGenerator")
_FIELDS: Mapping[Provider, str] = {
    "openbao": "vault", "vault": "vault", "aws": "aws", "gcp": "gcpsm", "azure": "azurekv", "kubernetes": "kubernetes",
}  # fmt: skip
"""Provider -> its field below spec.provider."""
_ACCOUNTS: Mapping[str, tuple[Path, tuple[str, ...]]] = {
    "vault": (("auth",), ("kubernetes", "serviceAccountRef")),
    "aws": (("auth",), ("jwt", "serviceAccountRef")),
    "gcpsm": (("auth",), ("workloadIdentity", "serviceAccountRef")),
    "azurekv": ((), ("serviceAccountRef",)),
    "kubernetes": (("auth",), ("serviceAccount",)),
}
"""Field -> where it says how to log in, and below that, the one way that is allowed: as a ServiceAccount."""
_LENT: Mapping[str, tuple[str, ...]] = {
    "vault": ("namespace", "headers", "tls"),
    "aws": ("role", "additionalRoles", "externalID", "prefix", "sessionTags"),
    "gcpsm": (), "azurekv": ("authSecretRef", "identityId", "customCloudConfig"), "kubernetes": ("authRef",),
}  # fmt: skip
"""Field -> settings by which a store would act as somebody else, or read somewhere else."""
_Wanted = tuple[object, object, Path, str]


@proof("IAM-07")
def stores(state: State) -> Iterator[Breach]:
    """IAM-07: each home reads the secret store with its own role, through its own account."""
    for kind in _WIDE:
        for manifest in state.of(_ESO, kind):
            message = f"a {kind} spans namespaces, and can't limit which keys each reads"
            yield breach(manifest, "IAM-07", ("kind",), message, "use a SecretStore in each namespace", tenant="")
    for manifest in state.of(_ESO, "SecretStore"):
        home = state.reader(manifest)
        if home is not None:
            yield from _store(state, manifest, home)
    yield from _identities(state)


def _store(state: State, manifest: Manifest, home: SecretReader) -> Iterator[Breach]:
    field = _FIELDS[state.promises.platform.secret_store.provider]
    base: Path = ("spec", "provider", field)
    given = mapping(dig(manifest.spec, "provider", field))
    for value, right, path, what in _wanted(state, manifest, home, field, given):
        if value != right:
            message = f"the store's {what} is {_shown(value)}; {home}'s own is {_shown(right)}"
            hint = "each store must use the home's own role"
            yield breach(manifest, "IAM-07", path, message, hint, tenant=home.tenant)
    for name in _LENT[field]:
        if name in given:
            message = f"the store has the setting '{name}', by which it could read what is another's"
            yield breach(manifest, "IAM-07", (*base, name), message, "remove it", tenant=home.tenant)
    top, way = _ACCOUNTS[field]
    authority: Path = ("server", "caProvider") if field == "kubernetes" else ("caProvider",)
    for path in ((*top, *way), authority):
        space = mapping(dig(given, *path)).get("namespace")
        if space:
            message, hint = f"refers to the namespace '{space}'", "refer to the home's own namespace"
            yield breach(manifest, "IAM-07", (*base, *path, "namespace"), message, hint, tenant=home.tenant)


def _wanted(state: State, manifest: Manifest, home: SecretReader, field: str, given: Value) -> Iterator[_Wanted]:
    """(value, right value, place, what it is) of all that decides what a store reads."""
    base: Path = ("spec", "provider", field)
    top, way = _ACCOUNTS[field]
    yield sorted(mapping(manifest.spec.get("provider"))), [field], ("spec", "provider"), "provider"
    yield from _own(state, manifest, home, field, given)
    if top:
        yield sorted(mapping(dig(given, *top))), [way[0]], (*base, *top), "way to log in"
    yield mapping(dig(given, *top, *way)).get("name"), READER, (*base, *top, *way, "name"), "ServiceAccount"


def _own(state: State, manifest: Manifest, home: SecretReader, field: str, given: Value) -> Iterator[_Wanted]:
    promised = state.promises.platform.secret_store
    base: Path = ("spec", "provider", field)
    if field == "vault":
        login = mapping(dig(given, "auth", "kubernetes"))
        mount = f"{promised.auth_mount}-{state.cluster.name}"
        yield given.get("server"), promised.server, (*base, "server"), "server"
        yield given.get("path"), promised.mount, (*base, "path"), "mount"
        yield login.get("mountPath"), mount, (*base, "auth", "kubernetes", "mountPath"), "login mount"
        yield login.get("role"), home.secret_identity, (*base, "auth", "kubernetes", "role"), "role"
    elif field == "aws":
        yield given.get("service"), "SecretsManager", (*base, "service"), "service"
        yield given.get("region"), promised.region, (*base, "region"), "region"
    elif field == "gcpsm":
        yield given.get("projectID"), promised.project, (*base, "projectID"), "project"
    elif field == "azurekv":
        yield given.get("authType"), "WorkloadIdentity", (*base, "authType"), "way to log in"
        yield given.get("vaultUrl"), promised.vault_url, (*base, "vaultUrl"), "Key Vault"
        yield given.get("tenantId"), promised.entra_tenant, (*base, "tenantId"), "Entra tenant"
    else:
        member = next((m for m in home.known if m.name == manifest.identity.name), None)
        right = promised.remote_namespace(member.names.namespace if member else home.namespace)
        yield given.get("remoteNamespace"), right, (*base, "remoteNamespace"), "remote namespace"
        yield dig(given, "server", "url"), None, (*base, "server", "url"), "server"


def _identities(state: State) -> Iterator[Breach]:
    """The reader of each home is the identity that reads its path, and no other account is any identity of a cloud."""
    promised = state.promises.platform.secret_store
    for manifest in state.of("", "ServiceAccount"):
        home = state.reader(manifest)
        if home is None:
            continue
        annotations = mapping(dig(manifest.value, "metadata", "annotations"))
        reader = manifest.identity.name == READER
        wanted = promised.account_annotations(home.secret_identity) if reader else {}
        for name in IDENTITY_ANNOTATIONS:
            value, right = annotations.get(name), wanted.get(name)
            if value != right:
                message = f"the account's {name} is {_shown(value)}; {home}'s own is {_shown(right)}"
                hint = "each reader must be the home's own identity, and no other account may be one"
                yield breach(manifest, "IAM-07", ("metadata", "annotations", name), message, hint, tenant=home.tenant)


def store_of(home: SecretReader, key: str) -> str:
    """Name of the SecretStore through which a home must read a key; with the Kubernetes provider, each namespace has one."""
    promised = home.secret_store
    if promised.provider == "kubernetes":
        for member in home.known:
            if key.startswith(promised.key(f"{member.names.secret_path}/")):
                return member.name
    return promised.provider


def _shown(value: object) -> str:
    return "missing" if value is None else f"'{text(value)}'" if isinstance(value, str) else str(value)
