"""`tenantry secrets --rotation`: who uses each credential and certificate, how everybody follows, and how it is replaced.

Made from the rendered objects. Values are neither read nor asked for.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tenantry.commands import rotation_steps as steps
from tenantry.commands.rendered import known_states
from tenantry.core.findings import UsageError
from tenantry.core.manifest import dig, text
from tenantry.core.secret_values import secret_value
from tenantry.model.credential import Credential
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Promises
from tenantry.prove.rotation.generations import KEYS
from tenantry.prove.rotation.sources import CERTIFICATE, SecretSource, sources
from tenantry.prove.rotation.uses import uses
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import Workspace
from tenantry.verify.values import duration

_DAY = 86400
_DEFAULT = 90 * _DAY
"""cert-manager's own, in seconds; it renews when a third of it is left."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """One place where it is used, and how that follows."""

    place: str
    """CLUSTER/NAMESPACE."""
    who: str
    secret: str
    way: str
    how: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """One path of the store, or one certificate."""

    kind: str
    """secret, certificate or authority."""
    name: str
    """The path, as the store's administrator asks for it, CLUSTER/NAMESPACE/NAME of a Certificate, or CLUSTER/ISSUER."""
    properties: tuple[str, ...]
    at_most_days: int
    """0 for an authority: its own certificate says so."""
    overlap: bool
    """Whether the old one works until the new one is used everywhere."""
    users: tuple[Consumer, ...]
    steps: tuple[str, ...]


def rotation(space: Workspace, tenant: str = "", cluster: str = "") -> list[Replaced]:
    """What can be replaced, of one tenant or all, in one cluster or all.

    Raises FindingsError when the inputs are wrong, UsageError for an unknown tenant or cluster or when nothing was rendered.
    """
    known, states = known_states(space, tenant, cluster)
    found = [*replaced_secrets(states, known, tenant), *_certificates(states, tenant)]
    found += [] if tenant else _authorities(states, known)
    if not found:
        raise UsageError("the rendered objects use no secrets", "run 'tenantry render' first")
    return found


def replaced_secrets(states: Sequence[State], known: Promises, tenant: str = "") -> Iterator[Replaced]:
    """Paths of the store, of one tenant or all, with those who read them."""
    below = known.platform.secret_store.key(f"tenants/{tenant}/") if tenant else ""
    readers: dict[str, list[tuple[State, SecretSource]]] = defaultdict(list)
    for state in states:
        for source in sources(state).values():
            for key in sorted({key for key, _ in source.asked.values()}):
                if key.startswith(below):
                    readers[key].append((state, source))
    chosen = _by_generation(known)
    for key in sorted(readers):
        yield _secret(known, key, readers[key], chosen.get(key))


def _secret(
    known: Promises, key: str, readers: Sequence[tuple[State, SecretSource]], chosen: _Chosen | None
) -> Replaced:
    store = known.platform.secret_store
    place = store.place(key)
    names = sorted({name for _, source in readers for asked, name in source.asked.values() if asked == key})
    users = {user for state, source in readers for user in _users(state, source, key)}
    at_most = known.platform.credentials.max_age_days
    value = secret_value(store.leaf(key), names[0])
    if chosen is not None:
        tenant, field, given, properties = chosen
        todo = steps.by_generation(tenant, field, given, place, properties, value)
    elif all(source.by_itself for _, source in readers):
        todo = steps.by_itself(place, names, value, str(readers[0][1].manifest.spec.get("refreshInterval", "1h0m0s")))
    else:
        todo = steps.asked_for(place, names, value, _in_order(readers), _pods(readers))
    overlap = chosen is not None or all(source.by_itself for _, source in readers)
    return Replaced("secret", place, tuple(names), at_most, overlap, _sorted(users), tuple(todo))


_Chosen = tuple[str, str, Credential, list[str]]
"""Tenant, field, what it says, and properties of a credential whose generation stands in its tenant's file."""


def _by_generation(known: Promises) -> dict[str, _Chosen]:
    """Those credentials, by their path in the store."""
    found: dict[str, _Chosen] = {}
    for instance in known.instances.values():
        for name, credential in instance.credentials.by_name.items():
            made = KEYS[name]
            field = f"environments.{instance.environment}.credentials.{name}"
            key = known.platform.secret_store.key(f"{instance.names.secret_path}/{made.leaf}")
            found.setdefault(key, (instance.tenant.name, field, credential, sorted(made.properties.values())))
    return found


def _in_order(readers: Sequence[tuple[State, SecretSource]]) -> list[tuple[str, str]]:
    """Namespace and name of each ExternalSecret; those of servers first."""
    cells = [
        (home is None or home.role != "cell", source.manifest.identity.namespace, source.manifest.identity.name)
        for state, source in readers
        for home in [state.home(source.manifest)]
    ]
    return list(dict.fromkeys((namespace, name) for _, namespace, name in sorted(cells)))


def _pods(readers: Sequence[tuple[State, SecretSource]]) -> str:
    """The namespace whose Odoo Pods have the value in a file."""
    there = {source.manifest.identity.namespace for _, source in readers if source.secret == "database-user"}  # noqa: S105
    return min(there, default="")


def _users(state: State, source: SecretSource, key: str) -> Iterator[Consumer]:
    place = f"{state.cluster.name}/{source.manifest.identity.namespace}"
    made = (source.manifest.identity.namespace, source.secret)
    for use in uses(state):
        whole = not use.key or not key
        mine = (use.manifest.identity.namespace, use.secret) == made
        if mine and (whole or any(asked == key for asked, _ in source.properties(use.key))):
            yield Consumer(place, use.who, use.secret, use.way, use.how)


def _sorted(users: Iterable[Consumer]) -> tuple[Consumer, ...]:
    return tuple(sorted(set(users), key=lambda user: (user.place, user.who, user.secret)))


def _certificates(states: Sequence[State], tenant: str) -> Iterator[Replaced]:
    for state in states:
        for source in sources(state).values():
            manifest = source.manifest
            home = state.home(manifest)
            if manifest.kind != CERTIFICATE or (tenant and (home is None or home.tenant != tenant)):
                continue
            seconds = duration(text(manifest.spec.get("duration"))) or _DEFAULT
            before = duration(text(manifest.spec.get("renewBefore"))) or seconds / 3
            where = manifest.identity
            yield Replaced(
                "certificate", f"{state.cluster.name}/{where.namespace}/{where.name}", (),
                int((seconds - before) // _DAY), True, _sorted(_users(state, source, "")),
                tuple(steps.certificate(where.namespace, where.name)),
            )  # fmt: skip


def _authorities(states: Sequence[State], known: Promises) -> Iterator[Replaced]:
    """Issuers that sign with a key of their own, and the certificates that they sign."""
    namespace = known.platform.namespaces.cert_manager
    for state in states:
        for issuer in state.of("cert-manager.io", "ClusterIssuer"):
            secret, name = text(dig(issuer.spec, "ca", "secretName")), issuer.identity.name
            signed = [m for m in state.of(*CERTIFICATE) if text(dig(m.spec, "issuerRef", "name")) == name]
            if not secret or not signed:
                continue
            users = (
                Consumer(f"{state.cluster.name}/{m.identity.namespace}", f"Certificate {m.identity.name}", secret,
                         "reads again", "cert-manager signs with it at each renewal")
                for m in signed
            )  # fmt: skip
            where = sorted((m.identity.namespace, m.identity.name) for m in signed)
            todo = steps.authority(state.cluster.name, namespace, secret, where)
            yield Replaced("authority", f"{state.cluster.name}/{name}", (), 0, True, _sorted(users), tuple(todo))


def _head(entry: Replaced) -> str:
    if entry.kind == "authority":
        return "valid for as long as its own certificate says"
    if entry.kind == "certificate":
        return f"renewed by cert-manager after {entry.at_most_days} days"
    old = "the old one works until the last step" if entry.overlap else "new connections wait while it is replaced"
    return f"at most {entry.at_most_days} days old; {old}"


def to_text(found: Sequence[Replaced]) -> str:
    """A block for each path and certificate: age, users, steps."""
    lines: list[str] = []
    for entry in found:
        names = f": {', '.join(entry.properties)}" if entry.properties else ""
        lines.append(one_line(f"{entry.name}{names} ({_head(entry)})"))
        lines += [one_line(f"  {user.place} {user.who}: {user.way}: {user.how}") for user in entry.users]
        lines += [one_line(f"    {number}. {step}") for number, step in enumerate(entry.steps, 1)]
    stuck = sum(user.way == "never" for entry in found for user in entry.users)
    kinds = [entry.kind for entry in found]
    counts = f"{kinds.count('secret')} secrets and {kinds.count('certificate')} certificates"
    return (
        "\n".join([*lines, f"{counts}; {stuck or 'no'} user{'' if stuck == 1 else 's'} without a way to follow."])
        + "\n"
    )


def document(found: Sequence[Replaced]) -> CommandAnswer:
    """What was found; not ok when somebody does not follow."""
    follows = all(user.way != "never" for entry in found for user in entry.users)
    fields = {"rotation": [dataclasses.asdict(entry) for entry in found]}
    return CommandAnswer("secrets", to_text(found), fields, follows)
