"""`tenantry secrets`: what the secret store must hold. Names only: values are neither read nor asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tenantry.commands.examination import known_promises
from tenantry.commands.rendered import rendered_files, text_below
from tenantry.commands.usable import require_name
from tenantry.core.findings import UsageError
from tenantry.core.manifest import Manifest, dig, entries, text
from tenantry.core.paths import cluster_of
from tenantry.core.secret_values import secret_value
from tenantry.engine.engines import Engines
from tenantry.model.secret_store import SecretStore
from tenantry.model.tenant import Tenant
from tenantry.prove.promises import Promises
from tenantry.report.document import CommandAnswer
from tenantry.report.plain import one_line
from tenantry.runtime.workspace import Workspace
from tenantry.verify.folder import read_files

_EXTERNAL = ("external-secrets.io", "ExternalSecret")


@dataclass(frozen=True, slots=True)
class Secret:
    """One property of a path in the store, in the words of its provider. `present` is None when it is not known what the
    store holds."""

    path: str
    name: str
    purpose: str
    source: str
    how: str
    readers: tuple[str, ...]
    """CLUSTER/NAMESPACE/NAME of the ExternalSecrets that read it."""
    present: bool | None


@dataclass(frozen=True, slots=True)
class Present:
    """Names that a store holds: paths of which all properties count, and single properties."""

    paths: frozenset[str]
    properties: frozenset[tuple[str, str]]

    def __contains__(self, asked: tuple[str, str]) -> bool:
        return asked[0] in self.paths or asked in self.properties


def read_present(content: str) -> Present:
    """Read a list of names: `PATH` or `PATH PROPERTY` a line, `#` begins a comment. Raises UsageError for other lines.

    A line that is not understood is not repeated: it may hold a value.
    """
    paths, properties = set(), set()
    for number, line in enumerate(content.splitlines(), 1):
        words = line.partition("#")[0].split()
        if len(words) > 2:
            message = f"line {number} of the list has {len(words)} words"
            raise UsageError(message, "write PATH or PATH PROPERTY, never a value")
        if len(words) == 1:
            paths.add(words[0].strip("/"))
        elif words:
            properties.add((words[0].strip("/"), words[1]))
    return Present(frozenset(paths), frozenset(properties))


def secrets(
    space: Workspace, tenant: str = "", present: Present | None = None, cluster: str = ""
) -> list[Secret]:  # fmt: skip
    """What the rendered objects read from the store, for one tenant or all, in one cluster or all.

    Raises FindingsError when the inputs are wrong, UsageError for an unknown tenant or cluster or when nothing was rendered.
    """
    known = known_promises(space)
    require_name(tenant, known.fleet.all(Tenant), "tenant", "tenants are the files in tenants/")
    store = known.platform.secret_store
    below = store.key(f"tenants/{tenant}/") if tenant else ""
    readers: dict[tuple[str, str], set[str]] = {}
    for manifest in external_secrets(space, known, cluster):
        identity = manifest.identity
        for asked in _asked(manifest):
            if asked[0].startswith(below):
                where = f"{cluster_of(manifest.file)}/{identity.namespace}/{identity.name}"
                readers.setdefault(asked, set()).add(where)
    if not readers:
        raise UsageError("the rendered objects read no secrets", "run 'tenantry render' first")
    return [_secret(store, asked, readers[asked], present) for asked in sorted(readers)]


def _secret(store: SecretStore, asked: tuple[str, str], readers: Collection[str], present: Present | None) -> Secret:
    key, name = asked
    path = store.place(key)
    known = secret_value(store.leaf(key), name)
    purpose, source, how = (known.purpose, known.source, known.how) if known else ("", "", "")
    there = None if present is None else (path, name) in present
    return Secret(path, name, purpose, source, how, tuple(sorted(readers)), there)


def external_secrets(space: Workspace, known: Promises, cluster: str = "") -> Iterator[Manifest]:
    """Every rendered ExternalSecret of one cluster or all. Raises UsageError for an unknown cluster."""
    require_name(cluster, known.clusters, "cluster", "clusters are the files in platform/clusters/")
    with Engines(space.say) as engines:
        for name in (cluster,) if cluster else known.clusters:
            files = rendered_files(space.root, name, "externalsecret.*.yaml")
            yield from (m for m in read_files(engines.engine, files, text_below(space.root)) if m.kind == _EXTERNAL)


def _asked(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for _, entry in entries(manifest.spec.get("data")):
        path = text(dig(entry, "remoteRef", "key"))
        if path:
            yield path, text(dig(entry, "remoteRef", "property"))


def to_text(found: Sequence[Secret]) -> str:
    """A block for each path; below it, a line for each property."""
    lines: list[str] = []
    for path, members in _by_path(found).items():
        lines.append(one_line(path))
        for secret in members:
            mark = {None: "", True: "ok       ", False: "MISSING  "}[secret.present]
            lines.append(one_line(f"  {mark}{secret.name}: {secret.purpose} ({secret.source}: {secret.how})"))
        lines += [one_line(f"    read by {reader}") for reader in sorted({r for s in members for r in s.readers})]
    missing = sum(secret.present is False for secret in found)
    counts = f"{len(found)} values in {len(_by_path(found))} paths"
    known = f", {missing} missing" if any(secret.present is not None for secret in found) else ""
    return "\n".join([*lines, f"{counts}{known}."]) + "\n"


def document(found: Sequence[Secret]) -> CommandAnswer:
    """What was listed; not ok when something is known to be missing."""
    values = [dataclasses.asdict(secret) for secret in found]
    complete = all(secret.present is not False for secret in found)
    return CommandAnswer("secrets", to_text(found), {"secrets": values}, complete)


def _by_path(found: Sequence[Secret]) -> Mapping[str, list[Secret]]:
    paths: dict[str, list[Secret]] = {}
    for secret in found:
        paths.setdefault(secret.path, []).append(secret)
    return paths
