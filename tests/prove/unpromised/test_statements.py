"""What is said of the controls without promises: on the example's objects, and on each after one change that opens something."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controls.laboratory import example, mutate, running_engine
from controls.table import ACME, CELL, DENY, POD, STORAGE, WEB, A, Mutant, new, then
from mutation import GONE, TIMES, mutated
from tenantry.core.assurance import ControlStatement
from tenantry.core.controls import CONTROLS
from tenantry.core.manifest import Manifest
from tenantry.model import names
from tenantry.prove.unpromised.statements import evidence, statements
from tenantry.verify import readings
from tenantry.verify.folder import read_texts
from tenantry.verify.index import Index

ANYTHING = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    ["x"],
    [{}],
    {},
    {"x": {}},
    [[1]],
    {"matchLabels": {"a": 1}},
    "10.0.0.0/8",
    2**40,
)
"""What a field may hold that nobody expects."""
EXAMINED = frozenset(control for one in evidence(Index(())) for control in one.controls)


def said(*clusters: tuple[Manifest, ...], reason: str = "") -> Mapping[str, ControlStatement]:
    """What is said of each control."""
    indexes = [Index(manifests) for manifests in clusters]
    for index in indexes:
        index.readings = readings.read(running_engine(), [index])
    found = statements([one for index in indexes for one in evidence(index)], reason)
    return {control: one for one in found for control in one.controls}


def parsed(text: str) -> tuple[Manifest, ...]:
    return tuple(read_texts(running_engine(), [("tree.yaml", text)]).manifests)


def test_every_control_is_answered_once_and_what_rests_on_promises_is_never_proved() -> None:
    _, objects = example()
    found = said(objects[A])
    assert set(found) == set(CONTROLS)
    assert {control for control, one in found.items() if one.standing == "unknown"} == set(CONTROLS) - EXAMINED
    everything = statements(evidence(Index(objects[A])))
    assert sorted(control for one in everything for control in one.controls) == sorted(CONTROLS)


def test_the_ways_between_namespaces_of_the_example_are_those_from_instances_to_their_cell() -> None:
    known, objects = example()
    wanted = {
        f"{home.namespace} -> {names.cell_namespace(home.site.cell.name)}"
        for home in known.homes_of(A).values()
        if home.instance and not home.instance.leaving and home.role == "instance" and not home.own_postgresql
    }
    assert {fact.sentence.partition(":")[0] for fact in said(objects[A])["NET-02"].facts} == wanted


OPEN_ALREADY = {
    "NET-02": "euw1-shared-a-cell",  # cells are shared
    "NET-03": "euw1-shared-a-cell",
    "BKP-01": "redis",  # a cell's Redis holds nothing that must be kept
    "OBS-01": "monitoring",  # platform components' monitors
    "SUP-03": "iberia-travel",  # the example's exception
}


def test_everything_else_that_can_be_examined_holds_on_the_example() -> None:
    _, objects = example()
    found = said(objects[A])
    assert {control for control in EXAMINED if found[control].standing == "open"} == set(OPEN_ALREADY)
    for control, part in OPEN_ALREADY.items():
        assert all(part in fact.sentence or control.startswith("NET") for fact in found[control].facts)
    assert {control for control in EXAMINED if found[control].standing == "holds"} == EXAMINED - set(OPEN_ALREADY)


@dataclass(frozen=True)
class Opened:
    """A change of one object, the control that is open then, and what a fact says that was not said before."""

    control: str
    object: str
    path: str
    to: Any
    fact: str

    def __str__(self) -> str:
        return f"{self.control} {self.object} {self.path}"[:110]


_O = Opened
RBAC = "rbac.authorization.k8s.io/v1"
SUPPORT = f"Role {ACME}/x"
ROUTE = f"IngressRoute {ACME}/odoo-public"
OPENED = (
    _O("NET-01", DENY, "spec.podSelector", {"matchLabels": {"app": "none"}}, "a Pod that the tree does not make"),
    _O("NET-06", STORAGE, "spec.egress[0].to[0].ipBlock.cidr", "0.0.0.0/0", WEB.replace("Deployment", "Deployment.apps")),
    _O("NET-06", STORAGE, "spec.egress[0].to", then({"ipBlock": {"cidr": "::ffff:a9fe:a9fe/128"}}), "odoo-web"),
    _O("NET-09", WEB, f"{POD}.hostPID", True, "hostPID"),
    _O("NET-09", WEB, f"{POD}.containers[0].ports[0].hostPort", 8069, "hostPort 8069"),
    _O("NET-10", f"Service {ACME}/odoo-web", "spec.type", "NodePort", "type NodePort"),
    _O("NET-10", f"Service {ACME}/odoo-web", "spec.externalIPs", ["192.0.2.9"], "externalIPs"),
    _O("NET-10", f"Service {ACME}/odoo-web", "spec.selector", GONE, "selects no Pods"),
    _O(
        "NET-12", "CiliumNetworkPolicy acme-production/x", "",
        new("CiliumNetworkPolicy", "cilium.io/v2", "x", ACME, spec={}), "CiliumNetworkPolicy",
    ),
    _O("IAM-01", WEB, f"{POD}.automountServiceAccountToken", True, "odoo-web"),
    _O(
        "IAM-01", WEB, f"{POD}.volumes",
        then({"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}), "odoo-web",
    ),
    _O(
        "IAM-02", "ClusterRoleBinding x", "",
        new("ClusterRoleBinding", RBAC, "x", roleRef={"apiGroup": RBAC[:-3], "kind": "ClusterRole", "name": "view"},
            subjects=[{"kind": "ServiceAccount", "name": "odoo-web", "namespace": ACME}]),
        "ServiceAccount acme-production/odoo-web get 'view'",
    ),
    _O(
        "IAM-02", "ClusterRoleBinding x", "",
        new("ClusterRoleBinding", RBAC, "x", roleRef={"apiGroup": RBAC[:-3], "kind": "ClusterRole", "name": "view"},
            subjects=[{"kind": "Group", "name": "system:authenticated"}]),
        "Group system:authenticated",
    ),
    _O("IAM-03", SUPPORT, "", new("Role", RBAC, "x", ACME, rules=[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]),
       "reads every Secret"),
    _O("IAM-03", SUPPORT, "", new("Role", RBAC, "x", ACME, rules=[{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]),
       "opens a shell"),
    _O("IAM-03", SUPPORT, "", new("Role", RBAC, "x", ACME, rules=[{"apiGroups": ["*"], "resources": ["roles"], "verbs": ["escalate"]}]),
       "can grant itself more"),
    _O("IAM-08", f"Secret {ACME}/x", "", new("Secret", "v1", "x", ACME, stringData={"a": "b"}), "holds values"),
    _O("IAM-08", WEB, f"{POD}.containers[0].env", then({"name": "DB_PASSWORD", "value": "hunter2"}), "'DB_PASSWORD'"),
    _O("DATA-07", f"StatefulSet {CELL}/redis", "spec.volumeClaimTemplates[0].spec.volumeName", "old", "volumeName"),
    _O("DATA-07", WEB, f"{POD}.volumes", then({"name": "n", "hostPath": {"path": "/var"}}), "mounts /var"),
    _O("RUN-01", WEB, f"{POD}.containers[0].securityContext.privileged", True, "privileged"),
    _O("RUN-01", WEB, f"{POD}.containers[0].securityContext.capabilities", GONE, "drop ALL"),
    _O("EDGE-01", ROUTE, "spec.routes[0].match", "Host(`erp.northwind.example`) || PathPrefix(`/`)", "takes requests for any host"),
    _O("EDGE-02", ROUTE, "spec.routes[0].services[0].namespace", "acme-corp-production", "'odoo-web' of acme-corp-production"),
    _O("EDGE-02", ROUTE, "spec.routes[0].middlewares[0].name", "open@file", "'open@file' of another provider"),
    _O("EDGE-05", ROUTE, "spec.tls", GONE, "odoo-public"),
    _O("BKP-01", f"Cluster {CELL}/postgresql", "spec.plugins", GONE, "archives no WAL"),
    _O("BKP-01", f"ScheduledBackup {CELL}/postgresql", "spec.suspend", True, "no ScheduledBackup takes base backups"),
    _O("BKP-02", "Schedule velero/acme-production", "spec.template.includedNamespaces", [ACME, "x"], f"{ACME}, x"),
    _O("BKP-02", "Schedule velero/acme-production", "spec.template.includedNamespaces", GONE, "every namespace"),
    _O("BKP-03", "Restore velero/x", "", new("Restore", "velero.io/v1", "x", "velero", spec={"backupName": "b"}), "Restore"),
    _O("OBS-01", f"PodMonitor {ACME}/odoo", "spec.namespaceSelector", {"any": True}, "every namespace"),
    _O("SUP-01", WEB, f"{POD}.containers[0].image", "registry.example/odoo:18.0", "odoo:18.0"),
    _O("SUP-03", "PolicyException kyverno/x", "",
       new("PolicyException", "policies.kyverno.io/v1", "x", "kyverno", spec={"policyRefs": []}), "kyverno/x"),
)  # fmt: skip


@pytest.mark.parametrize("opened", OPENED, ids=str)
def test_a_change_that_opens_something_is_a_fact_of_its_control(opened: Opened) -> None:
    _, objects = example()
    before = {fact.sentence for fact in said(objects[A])[opened.control].facts}
    after = said(mutate(Mutant("", opened.object, opened.path, opened.to))[A])[opened.control]
    more = [fact for fact in after.facts if fact.sentence not in before]
    assert after.standing == "open" or opened.control == "NET-12"
    assert any(opened.fact in fact.sentence for fact in more), [fact.sentence for fact in after.facts]


def test_every_control_that_is_examined_has_a_change_that_opens_it() -> None:
    elsewhere = {"NET-02", "NET-03", "RUN-03"}  # below: in the example, no single change of an object opens these
    assert {opened.control for opened in OPENED} | elsewhere == EXAMINED


SHOP = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/web:1"}]}
"""
BANK = SHOP.replace("shop", "bank")
CLOSED = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: own, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}], egress: [{to: [{podSelector: {}}]}]}
"""
CILIUM = """\
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: a, namespace: shop}
spec: {endpointSelector: {}}
"""


def test_policies_of_kinds_that_are_not_read_may_close_what_looks_open() -> None:
    assert said(parsed(SHOP))["NET-01"].standing == "open"
    for control in ("NET-01", "NET-06"):
        one = said(parsed(SHOP + CILIUM))[control]
        assert (one.standing, one.facts) == ("unknown", ())
        assert "CiliumNetworkPolicy, which are not read" in one.sentence


def test_what_a_tree_has_no_objects_of_is_not_called_proved() -> None:
    found = said(parsed(SHOP))
    empty = [
        control for control in CONTROLS if found[control].sentence == "the tree has no objects that they are about"
    ]
    assert empty == ["NET-02", "NET-03", "NET-10", "NET-12", "IAM-02", "IAM-03", "DATA-07", "EDGE-01", "EDGE-02", "EDGE-05",
                     "BKP-01", "BKP-02", "BKP-03", "OBS-01", "SUP-03"]  # fmt: skip
    assert all(found[control].standing == "unknown" for control in empty)


def test_clusters_of_one_tree_are_counted_together() -> None:
    both = said(parsed(SHOP), parsed(SHOP.replace("name: web", "name: api")))["NET-01"]
    assert both.sentence == "some Pods are not isolated by any NetworkPolicy (2 workloads)"
    assert [fact.sentence.partition(":")[0] for fact in both.facts] == [
        "Deployment.apps shop/web",
        "Deployment.apps shop/api",
    ]


def test_a_fleet_that_promises_nothing_about_the_objects_is_the_reason() -> None:
    assert {said(parsed(SHOP), reason="why")[control].sentence for control in set(CONTROLS) - EXAMINED} == {"why"}


def test_one_closed_end_keeps_namespaces_apart_and_an_open_way_is_named_with_its_ports() -> None:
    assert said(parsed(f"{SHOP}---\n{BANK}{CLOSED}"))["NET-02"].standing == "holds"
    through = CLOSED.replace(
        "[{podSelector: {}}]}], egress", "[{namespaceSelector: {}}], ports: [{port: 80}]}], egress"
    )
    one = said(parsed(f"{SHOP}---\n{BANK}{through}"))["NET-02"]
    assert [fact.sentence for fact in one.facts] == ["bank -> shop: bank/web -> shop/web, 80/TCP"]
    both = said(parsed(f"{SHOP}---\n{BANK}"))["NET-03"]
    assert [fact.sentence.partition(":")[0] for fact in both.facts] == ["bank -> shop", "shop -> bank"]


@pytest.mark.parametrize(
    ("cidr", "standing"),
    [("10.0.0.0/8", "open"), ("0.0.0.0/0", "open"), ("203.0.113.0/24", "holds"), ("fd12::/64", "open")],
)
def test_a_range_of_private_addresses_may_hold_pods(cidr: str, standing: str) -> None:
    policy = CLOSED.replace("from: [{podSelector: {}}]", f"from: [{{ipBlock: {{cidr: '{cidr}'}}}}]")
    assert said(parsed(f"{SHOP}---\n{BANK}{policy}"))["NET-02"].standing == standing


def test_requests_and_limits_may_come_from_the_namespace() -> None:
    assert "no requests.cpu and no requests.memory" in said(parsed(SHOP))["RUN-03"].facts[0].sentence
    ranged = """\
---
apiVersion: v1
kind: LimitRange
metadata: {name: a, namespace: shop}
spec: {limits: [{type: Container, default: {memory: 1Gi}, defaultRequest: {cpu: 100m, memory: 1Gi}}]}
"""
    assert said(parsed(SHOP + ranged))["RUN-03"].standing == "holds"


@settings(max_examples=150 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**31), st.integers(0, 2**31), st.sampled_from(ANYTHING))
def test_any_mutation_of_a_real_object_is_answered(which: int, where: int, other: object) -> None:
    _, objects = example()
    one = objects[A][which % len(objects[A])]
    changed = dataclasses.replace(one, value=mutated(one.value, where, other))
    near = [m for m in objects[A] if m.identity.namespace in ("", one.identity.namespace)]
    index = Index([changed if m is one else m for m in near])
    assert {control for e in statements(evidence(index)) for control in e.controls} == set(CONTROLS)
