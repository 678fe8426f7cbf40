"""NET-09, RUN-01, RUN-03, SUP-01 and DATA-07 on any tree: what Pods may do to their node, take of it, and bring with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.manifest import Manifest, Value, dig, entries, mapping, text
from tenantry.prove.unpromised.evidence import Evidence, fact
from tenantry.verify.index import POD_KINDS, Index, pod_specs
from tenantry.verify.kubernetes.admission import requirements
from tenantry.verify.kubernetes.pod_security import refusals

_PARTS = ("initContainers", "containers")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_POSTGRESQL = ("postgresql.cnpg.io", "Cluster")


def _workloads(index: Index) -> Iterator[tuple[Manifest, Value]]:
    for kind in POD_KINDS:
        for manifest in index.of(*kind):
            for _, _, spec in pod_specs(manifest):
                yield manifest, spec


def _containers(spec: Value) -> Iterator[Value]:
    for part in _PARTS:
        yield from (container for _, container in entries(spec.get(part)))


def pods(index: Index) -> Iterator[Evidence]:
    """Pods and the node that they run on."""
    works = list(_workloads(index))
    total = len(works)
    near = [(m, what) for m, spec in works if (what := sorted(_of_node(spec)))]
    yield Evidence(
        ("NET-09",), total, "no Pod uses its node's network, processes or ports ({all} workloads)",
        "Pods of {bad} of {all} workloads use their node's network, processes or ports",
        tuple(fact(m, ', '.join(what)) for m, what in near),
    )  # fmt: skip
    loose = [(m, why) for m, spec in works if (why := next((why for _, why in refusals(spec, "restricted")), ""))]
    yield Evidence(
        ("RUN-01",), total, "the Pods of all {all} workloads meet Pod Security's level restricted",
        "Pods of {bad} of {all} workloads do not meet Pod Security's level restricted",
        tuple(fact(m, why) for m, why in loose),
    )  # fmt: skip
    greedy = [(m, why) for m, spec in works if (why := _unlimited(index, m, spec))]
    yield Evidence(
        ("RUN-03",), total, "every container of {all} workloads requests memory and CPU, and has a limit of memory",
        "{bad} of {all} workloads have containers without requests, or without a limit of memory",
        tuple(fact(m, why) for m, why in greedy),
    )  # fmt: skip


def _of_node(spec: Value) -> Iterator[str]:
    yield from (name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name) is True)
    for container in _containers(spec):
        yield from (f"hostPort {p['hostPort']}" for _, p in entries(container.get("ports")) if p.get("hostPort"))


def _unlimited(index: Index, manifest: Manifest, spec: Value) -> str:
    for container in _containers(spec):
        found = requirements(index, manifest.identity.namespace, container)
        lacking = [f"requests.{name}" for name in ("cpu", "memory") if name not in found["requests"]]
        lacking += ["limits.memory"] if "memory" not in found["limits"] else []
        if lacking:
            return f"container '{container.get('name')}' has no {' and no '.join(lacking)}"
    return ""


def images(index: Index) -> Iterator[Evidence]:
    """SUP-01: an image that is named by a tag can change without a change of the tree."""
    found = [(m, text(c.get("image"))) for m, spec in _workloads(index) for c in _containers(spec)]
    found += [(m, text(m.spec["imageName"])) for m in index.of(*_POSTGRESQL) if m.spec.get("imageName")]
    tagged = [fact(m, image or "no image") for m, image in found if not _DIGEST.search(image)]
    yield Evidence(
        ("SUP-01",), len(found), "all {all} images are named by digest; which releases are known, nobody says here",
        "{bad} of {all} images are named by tag, so what runs can change without a change of the tree",
        tuple(dict.fromkeys(tagged)),
    )  # fmt: skip


def volumes(index: Index) -> Iterator[Evidence]:
    """DATA-07: volumes that are reused, or that lie on a node."""
    claims = [(m, m.spec) for m in index.of("", "PersistentVolumeClaim")]
    for stateful in index.of("apps", "StatefulSet"):
        claims += ((stateful, mapping(t.get("spec"))) for _, t in entries(stateful.spec.get("volumeClaimTemplates")))
    fields = ("volumeName", "dataSource", "dataSourceRef", "selector")
    facts = [fact(m, field) for m, claim in claims for field in fields if claim.get(field)]
    facts += (fact(m, "is there before anybody claims it") for m in index.of("", "PersistentVolume"))
    for manifest, spec in _workloads(index):
        for _, volume in entries(spec.get("volumes")):
            if "hostPath" in volume:
                facts.append(fact(manifest, f"mounts {dig(volume, 'hostPath', 'path')} of its node"))
    yield Evidence(
        ("DATA-07",), len(claims) + len(facts), "every volume is newly provisioned for its claim",
        "volumes are reused, or lie on a node: what they hold may be another's", tuple(facts),
    )  # fmt: skip
