"""Where credentials come from: IAM-07 (own path, own store), IAM-08 (none in git), IAM-09 (one purpose, one instance)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, Value, dig, entries, items, mapping, text
from tenantry.core.secret_words import is_literal, says_secret, user_information
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import SecretReader
from tenantry.prove.registration import proof
from tenantry.prove.stores import store_of
from tenantry.prove.workloads import workloads
from tenantry.verify.index import Index
from tenantry.verify.values import without_actions

_ESO = "external-secrets.io"
_LEAF = {
    "database-user": "database", "redis-user": "redis", "redis-acl": "redis", "object-storage": "object-storage",
    "backup-storage": "backup-storage", "drill-storage": "drill-storage", "odoo-secret": "odoo", "registry": "registry", "reporting-user": "reporting",
    "api-clients-ca": "api-clients", "repository": "repository",
}  # fmt: skip
"""Secret -> last part of the remote keys that feed it. So no key has two purposes."""


@proof("IAM-07", "IAM-09")
def keys(state: State) -> Iterator[Breach]:
    """IAM-07 and IAM-09: which remote keys feed which Secret."""
    for manifest in state.of(_ESO, "ExternalSecret"):
        home = state.reader(manifest)
        if home is None:
            continue
        store = mapping(manifest.spec.get("secretStoreRef"))
        if store.get("kind", "SecretStore") != "SecretStore":
            message = f"reads through a {store.get('kind')}, which is not a store of its own namespace"
            yield breach(
                manifest,
                "IAM-07",
                ("spec", "secretStoreRef", "kind"),
                message,
                "use the own SecretStore",
                tenant=home.tenant,
            )
        if manifest.spec.get("dataFrom"):
            message = "dataFrom reads what a search or another source finds, so its keys are unknown"
            yield breach(
                manifest, "IAM-07", ("spec", "dataFrom"), message, "name each key under data", tenant=home.tenant
            )
        for number, entry in entries(manifest.spec.get("data")):
            path: Path = ("spec", "data", number, "remoteRef", "key")
            key = text(dig(entry, "remoteRef", "key"))
            yield from _source(manifest, home, number, entry, key)
            yield from _key(manifest, home, path, key)


def _source(manifest: Manifest, home: SecretReader, number: int, entry: Value, key: str) -> Iterator[Breach]:
    """A key is read through the store that the namespace has for it."""
    source = mapping(dig(entry, "sourceRef", "storeRef"))
    given = source if "sourceRef" in entry else mapping(manifest.spec.get("secretStoreRef"))
    wanted = store_of(home, key)
    if given.get("kind", "SecretStore") == "SecretStore" and given.get("name") == wanted:
        return
    path: Path = ("spec", "data", number, "sourceRef")
    message = "takes one key from another store"
    if "sourceRef" not in entry:
        message, path = f"reads '{key}' through the store '{given.get('name')}'", ("spec", "secretStoreRef", "name")
    yield breach(manifest, "IAM-07", path, message, f"its store is '{wanted}'", tenant=home.tenant)


def _key(manifest: Manifest, home: SecretReader, path: Path, key: str) -> Iterator[Breach]:
    name = text(dig(manifest.spec, "target", "name")) or manifest.identity.name
    if home.role == "cell":
        yield from _cell_key(manifest, home, path, key, name)
        return
    store = home.secret_store
    own = store.key(f"{home.secret_path}/")
    if not key.startswith(own):
        message = f"reads '{key}'; {home}'s path is '{own}'"
        yield breach(manifest, "IAM-07", path, message, "keys must be below the home's own path", tenant=home.tenant)
    elif name in _LEAF and key != f"{own}{_LEAF[name]}":
        message = f"the Secret '{name}' is fed from '{key}', whose purpose is another"
        yield breach(manifest, "IAM-09", path, message, f"its key is '{own}{_LEAF[name]}'", tenant=home.tenant)


def _cell_key(manifest: Manifest, home: SecretReader, path: Path, key: str, name: str) -> Iterator[Breach]:
    """A cell reads its own path, and of its members the passwords that its servers must know."""
    store = home.secret_store
    own = store.key(f"{home.secret_path}/")
    members = {m.names.database_object: m for m in home.known}
    feeds = {store.key(f"{m.names.secret_path}/{leaf}"): m for m in home.members for leaf in ("database", "redis")}
    feeds |= {store.key(f"{guest.names.secret_path}/database"): guest for guest in home.guests}
    if key.startswith(own):
        if name in _LEAF and key != f"{own}{_LEAF[name]}":
            message = f"the Secret '{name}' is fed from '{key}', whose purpose is another"
            yield breach(manifest, "IAM-09", path, message, f"its key is '{own}{_LEAF[name]}'", tenant="")
        return
    if key not in feeds:
        message = f"{home} reads '{key}', which is neither its own nor a server's password of one of its instances"
        yield breach(
            manifest,
            "IAM-07",
            path,
            message,
            f"own path: '{own}'; instances: {', '.join(members) or 'none'}",
            tenant="",
        )
        return
    wanted = members.get(name.removeprefix("database-")) if name.startswith("database-") else None
    right = store.key(f"{wanted.names.secret_path}/database") if wanted else ""
    if wanted is not None and key != right:
        message = f"the password of {wanted.name}'s role would be that of '{key}'"
        hint = f"its key is '{right}'"
        yield breach(manifest, "IAM-09", path, message, hint, tenant=wanted.tenant.name)
    if name == "redis-acl" and store.leaf(key) != "redis":
        message = f"the list of Redis users is fed from '{key}', whose purpose is another"
        yield breach(
            manifest,
            "IAM-09",
            path,
            message,
            "a Redis password comes from the key 'redis'",
            tenant=feeds[key].tenant.name,
        )


# --- secrets in git

_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_ASSIGNMENT = re.compile(r"^\s*([A-Za-z][A-Za-z0-9_.-]*)\s*[=:]\s*(\S.*)$")


@proof("IAM-08")
def in_git(state: State) -> Iterator[Breach]:
    """IAM-08."""
    for manifest in state.of("", "Secret"):
        for field in ("data", "stringData"):
            if mapping(manifest.value.get(field)):
                message = f"a Secret with {field} is stored in git, for everyone who can read the repository"
                yield breach(
                    manifest,
                    "IAM-08",
                    (field,),
                    message,
                    "use an ExternalSecret, and rotate the secret, which is exposed",
                )
    for work in workloads(state):
        for container in work.containers:
            for path, fault in literal_in_container(container.value, container.path):
                yield breach(work.manifest, "IAM-08", path, fault, "refer to a Secret")
    for manifest, path, fault in literals_in_files(state.index):
        yield breach(manifest, "IAM-08", path, fault, "keep it in the secret store")


def literals_in_files(index: Index) -> Iterator[tuple[Manifest, Path, str]]:
    """(object, field, fault) of literals in files that are mounted."""
    for manifest in index.of("", "ConfigMap"):
        for key, content in mapping(manifest.value.get("data")).items():
            one_line = content if "\n" not in text(content) else None
            fault = _in_text(text(content)) or _literal(text(key), one_line)
            if fault:
                yield manifest, ("data", key), fault
    for manifest in index.of(_ESO, "ExternalSecret"):
        template = mapping(dig(manifest.spec, "target", "template"))
        for key, content in mapping(template.get("data")).items():
            fault = _template(text(key), text(content))
            if fault:
                yield manifest, ("spec", "target", "template", "data", key), fault


def literal_in_container(container: Value, where: Path) -> Iterator[tuple[Path, str]]:
    """(field, fault) of literals in environment and command lines."""
    for number, entry in entries(container.get("env")):
        fault = _literal(text(entry.get("name")), entry.get("value"))
        if fault:
            yield (*where, "env", number, "value"), fault
    for part in ("args", "command"):
        for number, argument in enumerate(items(container.get(part))):
            fault = _argument(text(argument))
            if fault:
                yield (*where, part, number), fault


def _literal(name: str, value: object) -> str:
    if value in (None, "") or not isinstance(value, str):
        return ""
    if any(user_information(value)):
        return f"'{name}' holds an address with a password in it"
    if _PEM.search(value):
        return f"'{name}' holds a private key"
    if says_secret(name) and is_literal(value) and "{{" not in value and not value.startswith("/"):
        return f"'{name}' holds a literal value"
    return ""


def _argument(value: str) -> str:
    name, equals, given = value.lstrip("-").partition("=")
    return (
        _literal(name, given)
        if equals and "\n" not in value and " " not in name
        else _literal("argument", value if any(user_information(value)) else None)
    )


def _in_text(content: str) -> str:
    """A secret in a configuration file's line. Programs (scripts) read theirs from the environment; only literals count."""
    if _PEM.search(content):
        return "holds a private key"
    for line in content.splitlines():
        if any(user_information(line)):
            return "holds an address with a password in it"
        found = _ASSIGNMENT.match(line)
        if found and says_secret(found[1]):
            value = found[2].strip().strip("\"'")
            if re.fullmatch(r"[^\s(\[{$<]{4,}", value) and not value.startswith("/"):
                return f"'{found[1]}' holds a literal value"
    return ""


def _template(key: str, content: str) -> str:
    if "{{" in content and "\n" not in content:
        return (
            ""
            if not any(user_information(without_actions(content, "{}")))
            else f"'{key}' holds an address with a password in it"
        )
    lines = [line for line in content.splitlines() if "{{" not in line]
    return _in_text("\n".join(lines)) or ("" if "{{" in content else _literal(key, content))


def remote_keys(external: Manifest) -> dict[str, str]:
    """secretKey -> remote key of an ExternalSecret."""
    return {
        text(entry.get("secretKey")): text(dig(entry, "remoteRef", "key"))
        for _, entry in entries(external.spec.get("data"))
    }


def external_for(state: State, namespace: str, secret: str) -> Manifest | None:
    """The ExternalSecret that makes a Secret."""
    for manifest in state.of(_ESO, "ExternalSecret", namespace):
        target: Value = mapping(manifest.spec.get("target"))
        if (text(target.get("name")) or manifest.identity.name) == secret:
            return manifest
    return None
