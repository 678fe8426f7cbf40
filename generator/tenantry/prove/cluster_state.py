"""The rendered objects of one cluster with its promises, and how a proof reports a breach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Path, Problem
from tenantry.engine.languages import Readings
from tenantry.model.cluster import Cluster
from tenantry.prove.promises import Home, Homes, PlatformReader, Promises, SecretReader
from tenantry.resolve.instance import Instance
from tenantry.verify.index import Index

Breach = tuple[Manifest, Problem]


@dataclass
class State:
    """The objects of one cluster, and its promises."""

    promises: Promises
    cluster: Cluster
    index: Index
    folder: str
    """Where the cluster's objects lie, for breaches of what is not there at all."""
    others: dict[str, State] = field(default_factory=dict, repr=False)
    """States of all clusters of the run by name; what crosses clusters (a DR replica) is looked up here."""
    readings: Readings = field(default_factory=Readings, repr=False)
    """What the engine read in texts of the objects; proofs look texts up here, and know all that they ask about."""
    memory: dict[str, Any] = field(default_factory=dict, repr=False)
    """Values that several proofs need, computed once."""

    @property
    def homes(self) -> Homes:
        return self.promises.homes_of(self.cluster.name)

    @property
    def manifests(self) -> Sequence[Manifest]:
        return self.index.manifests

    @cached_property
    def by_namespace(self) -> dict[str, list[Manifest]]:
        """Objects by namespace; cluster-scoped ones under the empty name."""
        found: dict[str, list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            found[manifest.identity.namespace].append(manifest)
        return found

    @cached_property
    def _by_kind_and_namespace(self) -> dict[tuple[str, str, str], list[Manifest]]:
        found: dict[tuple[str, str, str], list[Manifest]] = defaultdict(list)
        for manifest in self.manifests:
            found[*manifest.kind, manifest.identity.namespace].append(manifest)
        return found

    def of(self, group: str, kind: str, namespace: str | None = None) -> list[Manifest]:
        """Objects of a kind, in a namespace or in all."""
        if namespace is None:
            return self.index.of(group, kind)
        return self._by_kind_and_namespace.get((group, kind, namespace), [])

    def get(self, group: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object of that identity; None if the cluster has none."""
        return self.index.get(group, kind, namespace, name)

    def home(self, manifest: Manifest) -> Home | None:
        """Whose the object is: by its namespace, or, for a Namespace, by its name."""
        identity = manifest.identity
        return self.homes.get(identity.name if manifest.kind == ("", "Namespace") else identity.namespace)

    def reader(self, manifest: Manifest) -> SecretReader | None:
        """Who reads the secret store in the object's namespace."""
        platform = self.promises.platform
        if manifest.identity.namespace == platform.namespaces.argocd:
            return PlatformReader(platform.namespaces.argocd, self.cluster.name, platform.secret_store)
        return self.home(manifest)

    def anchor(self, home: Home) -> Manifest:
        """An object to tell of when what is missed has none: the home's Namespace, or one that stands for it."""
        found = self.get("", "Namespace", "", home.namespace)
        if found is not None:
            return found
        identity = ObjectId("", "Namespace", "", home.namespace)
        labels = {"tenantry.io/tenant": home.tenant} if home.tenant else {}
        return Manifest(identity, "v1", {"metadata": {"labels": labels}}, file=f"{self.folder}/")

    def productions(self) -> Iterator[tuple[Home, Instance]]:
        """Instances that are in production and run: what objectives are promised of."""
        for home in self.homes_at("instance"):
            if home.instance is not None and home.instance.environment == "production" and home.instance.running:
                yield home, home.instance

    def homes_at(self, *roles: str) -> Iterator[Home]:
        """Homes of these roles; all without any."""
        return (home for home in self.homes.values() if not roles or home.role in roles)


def breach(
    manifest: Manifest, control: str, path: Path, message: str, hint: str = "", *, tenant: str | None = None
) -> Breach:
    """A control that an object breaks. `tenant` is said when the object is a cell's or the platform's."""
    return manifest, Problem(control, path, message, hint, control=control, tenant=tenant)
