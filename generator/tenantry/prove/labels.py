"""Whose an object is: NET-11 (labels that policies select), NET-12 (kinds of policies), RES-01 (where it is)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Path, dig, mapping
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import workloads

PREFIX = "tenantry.io/"
_UNREAD = {
    "policy.networking.k8s.io": "Kubernetes' cluster-wide policies", "cilium.io": "Cilium", "crd.projectcalico.org": "Calico",
    "projectcalico.org": "Calico", "crd.antrea.io": "Antrea", "networking.istio.io": "Istio", "security.istio.io": "Istio",
}  # fmt: skip


@proof("NET-11")
def truth(state: State) -> Iterator[Breach]:
    """NET-11."""
    for manifest in state.manifests:
        home = state.home(manifest)
        if manifest.kind == ("", "Namespace"):
            yield from _namespace(manifest, home)
        elif home is not None:
            promised = _promised(home)
            yield from _told(manifest, ("metadata", "labels"), manifest.labels, promised, home)
            if not promised.keys().isdisjoint(manifest.labels):  # who says whose it is, says it all
                yield from _lacking(manifest, promised, home)
        yield from _writers(manifest)
    for work in workloads(state):
        path = (*work.path[:-1], "metadata", "labels")
        yield from _told(work.manifest, path, work.labels, _promised(work.home), work.home)


def _namespace(manifest: Manifest, home: Home | None) -> Iterator[Breach]:
    path: Path = ("metadata", "labels")
    if home is None:
        worn = sorted(key for key in manifest.labels if str(key).startswith(PREFIX))
        if worn:
            message = (
                f"this namespace belongs to nobody, yet it carries {worn[0]}, which policies select to allow traffic"
            )
            yield breach(manifest, "NET-11", (*path, worn[0]), message, "remove the label, or the namespace")
        return
    promised = _promised(home)
    yield from _told(manifest, path, manifest.labels, promised, home)
    yield from _lacking(manifest, promised, home)


def _lacking(manifest: Manifest, promised: dict[str, str], home: Home) -> Iterator[Breach]:
    for key, value in promised.items():
        if key not in manifest.labels:
            message = f"lacks the label {key}={value}, which policies select"
            yield breach(manifest, "NET-11", ("metadata", "labels"), message, "add it", tenant=home.tenant)


def _promised(home: Home) -> dict[str, str]:
    cell = home.site.cell.name
    if home.instance is None:
        return {"tenantry.io/cell-services": cell, "tenantry.io/tier": home.tier.name}
    return {
        "tenantry.io/tenant": home.tenant, "tenantry.io/environment": home.instance.environment,
        "tenantry.io/tier": home.tier.name, "tenantry.io/cell": cell,
    }  # fmt: skip


def _told(manifest: Manifest, path: Path, labels: object, promised: dict[str, str], home: Home) -> Iterator[Breach]:
    for key, value in mapping(labels).items():
        if str(key).startswith(PREFIX) and promised.get(str(key)) != value:
            wanted = f"{key}={promised[key]}" if key in promised else f"no label {key}"
            message = f"says {key}={value}; the namespace is that of {home}, so {wanted} is right"
            yield breach(
                manifest,
                "NET-11",
                (*path, key),
                message,
                "labels that policies select must be correct",
                tenant=home.tenant,
            )


def _writers(manifest: Manifest) -> Iterator[Breach]:
    """Who else could write labels of namespaces: an Application's metadata (rights are judged with IAM-03)."""
    if manifest.kind != ("argoproj.io", "Application"):
        return
    written = mapping(dig(manifest.spec, "syncPolicy", "managedNamespaceMetadata", "labels"))
    for key in written:
        path = ("spec", "syncPolicy", "managedNamespaceMetadata", "labels", key)
        yield breach(
            manifest, "NET-11", path, f"the Application would write the label {key} of its namespace", "remove it"
        )


@proof("NET-12")
def unread_policies(state: State) -> Iterator[Breach]:
    """NET-12."""
    for manifest in state.manifests:
        whose = _UNREAD.get(manifest.identity.group)
        if whose:
            message = (
                f"{whose} override or extend NetworkPolicies; no proof reads this kind, so no path can be ruled out"
            )
            yield breach(manifest, "NET-12", ("kind",), message, "use a NetworkPolicy")


@proof("NET-11", "RES-01")
def region(state: State) -> Iterator[Breach]:
    """RES-01, and namespaces that belong to nobody."""
    platform = state.promises.platform.namespaces
    known = {getattr(platform, name) for name in platform.__slots__} | {"kube-system", ""}
    elsewhere = {ns: (name, home) for name, homes in state.promises.homes.items() for ns, home in homes.items()}
    seen: set[str] = set()
    for manifest in state.manifests:
        space = manifest.identity.name if manifest.kind == ("", "Namespace") else manifest.identity.namespace
        if space in known or space in state.homes or space in seen:
            continue
        seen.add(space)
        there = elsewhere.get(space)
        if there is not None:
            message = f"objects of {there[1]} are in cluster {state.cluster.name} ({state.cluster.region}); they belong in {there[0]}"
            yield breach(
                manifest,
                "RES-01",
                ("metadata",),
                message,
                "an instance runs in the cluster of its cell",
                tenant=there[1].tenant,
            )
        else:
            message = f"the namespace '{space}' belongs to nobody, so its content can't be checked"
            yield breach(manifest, "NET-11", ("metadata",), message, "add a tenant or cell for it, or remove it")
    for home in state.homes_at("instance", "standby"):
        assert home.instance is not None
        if state.cluster.region not in home.instance.tenant.residency:
            allowed = ", ".join(home.instance.tenant.residency)
            message = f"{home} runs in {state.cluster.region}; its data may be stored in {allowed} only"
            yield breach(
                state.anchor(home),
                "RES-01",
                ("metadata",),
                message,
                "place it in a cell of an allowed region",
                tenant=home.tenant,
            )
