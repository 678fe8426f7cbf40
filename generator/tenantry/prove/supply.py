"""What runs, and what allows it: SUP-01 (images), SUP-02 (policies), SUP-03 (exceptions), SUP-04 (floors)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Manifest, Path, dig, entries, items, text
from tenantry.model.control_exception import ControlException
from tenantry.model.policy import Policy
from tenantry.plan.components import version
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.registration import proof
from tenantry.prove.workloads import Container, Workload, workloads
from tenantry.resolve.drills import NAME as DRILL
from tenantry.resolve.instance import Instance

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":([0-9]{1,9}(?:\.[0-9]{1,9}){1,9})")
_IMAGE_FLOORS = {"postgresql": ((16, 10), (17, 6)), "valkey": ((8, 1, 4),), "pgbouncer": ((1, 24, 1),)}


@proof("SUP-01", "SUP-04")
def images(state: State) -> Iterator[Breach]:
    """SUP-01 and SUP-04."""
    for work in workloads(state):
        for container in work.containers:
            image = text(container.value.get("image"))
            path: Path = (*container.path, "image")
            wanted = _wanted(state, work, container)
            yield from _known(work.manifest, path, image, wanted, work.home)
    for manifest in state.of("postgresql.cnpg.io", "ClusterImageCatalog"):
        for number, entry in entries(manifest.spec.get("images")):
            promised = state.promises.platform.postgresql_images.get(str(entry.get("major")), "")
            yield from _known(manifest, ("spec", "images", number, "image"), text(entry.get("image")), promised, None)
    for manifest in state.of("postgresql.cnpg.io", "Cluster"):
        home = state.home(manifest)
        if home is not None and manifest.spec.get("imageName"):
            message = f"runs {manifest.spec['imageName']}, bypassing the catalog of known images"
            yield breach(manifest, "SUP-01", ("spec", "imageName"), message, "use imageCatalogRef", tenant=home.tenant)


def _wanted(state: State, work: Workload, container: Container) -> str:
    platform = state.promises.platform.images
    if container.name == "pgbouncer":
        return platform.pgbouncer
    if work.name == "redis":
        return platform.valkey
    if container.name == "backup" or (work.name == DRILL and container.name != "login"):
        return platform.backup
    return work.home.instance.release.image if work.home.instance else ""


def _known(manifest: Manifest, path: Path, image: str, wanted: str, home: Home | None) -> Iterator[Breach]:
    tenant = home.tenant if home else ""
    if not _DIGEST.search(image):
        message = f"the image {image or 'that is not named'} is named by tag, so what runs can change without a commit"
        yield breach(manifest, "SUP-01", path, message, f"{wanted or 'NAME@sha256:...'}", tenant=tenant)
    elif image != wanted:
        message = f"the image {_short(image)} is not the promised one, {_short(wanted) or 'none'}"
        yield breach(
            manifest, "SUP-01", path, message, "run what the channel's release, or platform.yaml, names", tenant=tenant
        )
    yield from _floor(manifest, path, image, tenant)


def _short(image: str) -> str:
    return image.rpartition("/")[2][:60]


def _floor(manifest: Manifest, path: Path, image: str, tenant: str) -> Iterator[Breach]:
    name = image.rpartition("@")[0].rpartition("/")[2]
    found = _TAG.search(name)
    for component, floors in _IMAGE_FLOORS.items():
        if found and name.startswith(f"{component}:"):
            given = version(found[1])
            floor = next((f for f in floors if f[0] == given[0]), floors[-1])
            if given < floor:
                message = (
                    f"{component} {found[1]} is below {'.'.join(map(str, floor))}, which fixes known vulnerabilities"
                )
                yield breach(manifest, "SUP-04", path, message, "raise the image", tenant=tenant)


@proof("SUP-02")
def policies(state: State) -> Iterator[Breach]:
    """SUP-02."""
    mode = state.cluster.admission_policies
    wanted = state.promises.fleet.all(Policy)
    there = {m.identity.name: m for m in state.of("policies.kyverno.io", "ValidatingPolicy")}
    for name, policy in wanted.items():
        manifest = there.get(name)
        if manifest is None:
            message = f"the policy '{name}' ({policy.control}) is not shipped to cluster {state.cluster.name}"
            yield breach(_platform_object(state), "SUP-02", (), message, "run 'tenantry render'", tenant="")
            continue
        yield from _policy(manifest, policy, mode)
    for name, manifest in there.items():
        if name not in wanted:
            yield breach(
                manifest, "SUP-02", ("metadata", "name"), "policies/ has no such policy", "remove it", tenant=""
            )


_ADMISSION = (
    "MutatingAdmissionPolicy", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration",
)  # fmt: skip


@proof("SUP-02")
def admission(state: State) -> Iterator[Breach]:
    """SUP-02: nothing else changes or refuses objects at admission; a webhook sees every Secret that it asks for."""
    for kind in _ADMISSION:
        for manifest in state.of("admissionregistration.k8s.io", kind):
            message = f"a {kind} changes or refuses objects at admission, and no policy of policies/ says so"
            yield breach(manifest, "SUP-02", ("kind",), message, "remove it, or write a policy")


def _policy(manifest: Manifest, policy: Policy, mode: str) -> Iterator[Breach]:
    actions = items(manifest.spec.get("validationActions"))
    if actions != (["Deny"] if mode == "enforce" else ["Audit"]):
        message = f"the policy's action is {', '.join(map(text, actions)) or 'nothing'}; the cluster is meant to {mode}"
        yield breach(manifest, "SUP-02", ("spec", "validationActions"), message, "validationActions: [Deny]", tenant="")
    for field in sorted(set(manifest.spec) | set(policy.spec)):
        if field != "validationActions" and _plain(manifest.spec.get(field)) != _plain(policy.spec.get(field)):
            message = f"{field} differs from policies/{policy.name}/policy.yaml: the cluster's verdicts would differ from this proof"
            yield breach(manifest, "SUP-02", ("spec", field), message, "ship the reviewed policy", tenant="")


def _plain(value: object) -> object:
    """Canonical form, independent of the order of keys."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _platform_object(state: State) -> Manifest:
    spaces = state.promises.platform.namespaces
    found = state.get("argoproj.io", "AppProject", spaces.argocd, f"{state.cluster.name}-platform")
    return found or state.manifests[0]


@proof("SUP-03")
def exceptions(state: State) -> Iterator[Breach]:
    """SUP-03: Kyverno's exceptions are exactly those of policies/exceptions/."""
    space = state.promises.platform.namespaces.kyverno
    wanted = {f"{i.name}.{e.name}": (e, i, p) for e, i, p in _lifts(state) if p}
    there = {m.identity.name: m for m in state.of("policies.kyverno.io", "PolicyException")}
    for name, (exception, instance, names) in wanted.items():
        manifest = there.get(name)
        if manifest is None:
            message = f"the exception '{exception.name}' is not shipped, so Kyverno would deny {instance.name}"
            yield breach(
                _platform_object(state), "SUP-03", (), message, "run 'tenantry render'", tenant=instance.tenant.name
            )
            continue
        yield from _exception(manifest, exception, instance, names, space)
    for name, manifest in there.items():
        if name not in wanted:
            message = "lifts policies without a file in policies/exceptions/"
            yield breach(manifest, "SUP-03", ("metadata", "name"), message, "remove it")


def _lifts(state: State) -> Iterator[tuple[ControlException, Instance, frozenset[str]]]:
    by_control: dict[str, set[str]] = {}
    for policy in state.promises.fleet.all(Policy).values():
        by_control.setdefault(policy.control, set()).add(policy.name)
    for home in state.homes_at("instance"):
        assert home.instance is not None
        for exception in state.promises.exceptions:
            if exception.tenant == home.tenant and exception.environment in (None, home.instance.environment):
                yield exception, home.instance, frozenset(by_control.get(exception.control, ()))


def _exception(
    manifest: Manifest, exception: ControlException, instance: Instance, names: frozenset[str], space: str
) -> Iterator[Breach]:
    spec = manifest.spec
    tenant = instance.tenant.name
    lifted = frozenset(text(ref.get("name")) for _, ref in entries(spec.get("policyRefs")))
    condition = f"object.metadata.?namespace.orValue('') == '{instance.names.namespace}'"
    conditions = [text(c.get("expression")) for _, c in entries(spec.get("matchConditions"))]
    faults: tuple[tuple[bool, Path, str, str], ...] = (
        (manifest.identity.namespace != space, ("metadata", "namespace"), "is in a namespace where others can write", space),
        (bool(lifted - names), ("spec", "policyRefs"), f"lifts {', '.join(sorted(lifted - names))} too", "lift the control's policies only"),
        (conditions != [condition], ("spec", "matchConditions"), "applies to more than its instance, or to others", condition),
        (text(spec.get("expiresAt")) != f"{exception.expires}T23:59:59Z", ("spec", "expiresAt"),
         f"ends {spec.get('expiresAt') or 'never'}; {exception.expires} was approved", exception.expires),
        (dig(manifest.annotations, "tenantry.io/approver") != exception.approver, ("metadata", "annotations", "tenantry.io/approver"),
         "names another approver than its file", exception.approver),
    )  # fmt: skip
    for fault, path, what, hint in faults:
        if fault:
            yield breach(manifest, "SUP-03", path, f"the exception {what}", hint, tenant=tenant)
