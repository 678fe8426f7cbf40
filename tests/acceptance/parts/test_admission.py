"""The policies as ValidatingAdmissionPolicies in a real API server: the same verdicts as in their suites.

Kyverno judges Pod controllers by what it adds to a policy; Kubernetes judges the named kinds only, so those are tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.harness.api import Api
from acceptance.harness.control_plane import ControlPlanes
from acceptance.harness.fleet import REPOSITORY
from acceptance.harness.process import NotReadyError, wait_for
from acceptance.harness.tally import Tally

POLICIES = sorted((REPOSITORY / "policies").glob("*/policy.yaml"))
VERSION = "admissionregistration.k8s.io/v1"
HELD = ("matchConstraints", "matchConditions", "variables", "validations", "failurePolicy")
"""What both kinds of policies have in common."""


@dataclass(frozen=True, eq=False)
class Case:
    policy: str
    manifest: dict[str, Any]
    result: str

    def __str__(self) -> str:
        return f"{self.policy}: {self.manifest['kind']} {self.manifest['metadata']['name']}"


def admission_policy(policy: dict[str, Any]) -> dict[str, Any]:
    spec = {key: policy["spec"][key] for key in HELD if key in policy["spec"]}
    metadata = {"name": policy["metadata"]["name"]}
    return {"apiVersion": VERSION, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": spec}


def binding(name: str) -> dict[str, Any]:
    spec = {"policyName": name, "validationActions": ["Deny"]}
    metadata = {"name": name}
    return {"apiVersion": VERSION, "kind": "ValidatingAdmissionPolicyBinding", "metadata": metadata, "spec": spec}


def cases(api: Api, policy: Path) -> Iterator[Case]:
    """Objects of the policy's suite whose kinds it names itself."""
    spec = yaml.safe_load(policy.read_text())["spec"]
    named = {resource for rule in spec["matchConstraints"]["resourceRules"] for resource in rule["resources"]}
    test = yaml.safe_load((policy.parent / "kyverno-test.yaml").read_text())
    values = [v for file in test["resources"] for v in yaml.safe_load_all((policy.parent / file).read_text())]
    found = {(v["kind"], v["metadata"].get("namespace", ""), v["metadata"]["name"]): v for v in values}
    for result in test["results"]:
        for resource in result["resources"]:
            namespace, _, name = resource.rpartition("/")
            manifest = found[result["kind"], namespace, name]
            if api.resources[manifest["apiVersion"], manifest["kind"]].plural in named:
                yield Case(policy.parent.name, manifest, result["result"])


@pytest.fixture(scope="module")
def api(control_planes: ControlPlanes) -> Api:
    """A server with all kinds, the suites' namespaces, and what its own admission wants to see there."""
    api = control_planes.start("admission", groups=["*"]).api
    values = [yaml.safe_load((policy.parent / "values.yaml").read_text()) for policy in POLICIES]
    spaces = {space["name"]: space["labels"] for suite in values for space in suite["namespaceSelector"]}
    everything = [case.manifest for policy in POLICIES for case in cases(api, policy)]
    for name in sorted({m["metadata"]["namespace"] for m in everything if "namespace" in m["metadata"]}):
        labels = spaces.get(name, {})
        made = api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        assert made.accepted, made.message
    for pod in (m for m in everything if m["kind"] == "Pod"):
        add_what_a_pod_names(api, pod)
    return api


def add_what_a_pod_names(api: Api, pod: dict[str, Any]) -> None:
    account = pod["spec"].get("serviceAccountName", "default")
    metadata = {"name": account, "namespace": pod["metadata"]["namespace"]}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    priority = pod["spec"].get("priorityClassName")
    if priority and not priority.startswith("system-"):
        kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": priority}}
        api.apply({**kind, "value": 100, "preemptionPolicy": "Never"})  # as the rendered ones


def test_the_server_gives_the_suites_verdicts(api: Api, tally: Tally) -> None:
    every = [case for policy in POLICIES for case in cases(api, policy)]
    tried = {case: api.create(case.manifest, dryRun="All") for case in every}
    # What the server's own checks refuse never comes to a policy; verify has those checks, too.
    reached = [case for case, answer in tried.items() if answer.accepted or answer.status == 409]
    for case, answer in tried.items():
        if case not in reached:
            print(f"refused without a policy: {case}: {answer.message[:200]}")  # noqa: T201 - seen with -rP
    for policy in POLICIES:
        held = yaml.safe_load(policy.read_text())
        for manifest in (admission_policy(held), binding(policy.parent.name)):
            made = api.create(manifest)
            tally.check(made.accepted, f"{policy.parent.name}: {made.message}")
    for case in (c for c in reached if c.result == "fail"):
        told = refusal(api, case)
        tally.attack(f"ValidatingAdmissionPolicy '{case.policy}'" in told, f"{case}: {told or 'accepted'}")
        tally.without_protection(tried[case].accepted, str(case))
    for case in (c for c in reached if c.result == "pass"):
        answer = api.create(case.manifest, dryRun="All")
        tally.control(answer.accepted or answer.status == 409, f"{case}: {answer.message}")
    tally.check(bound_pod_changes(api), "a Pod that runs may be changed, as operators do")
    tally.check(claim_is_bound(api), "a claim may be bound to its volume")
    both = {(c.policy, c.result) for c in reached}
    tally.check(len(both) >= 60, f"few of the suites came to a policy: {len(both)}")


def good_pod(api: Api, **metadata: object) -> dict[str, Any]:
    pod = next(c.manifest for c in cases(api, REPOSITORY / "policies/node-pool/policy.yaml") if c.result == "pass")
    return {**pod, "metadata": {**pod["metadata"], **metadata}}


def bound_pod_changes(api: Api) -> bool:
    """The server has added tolerations, and the scheduler a node."""
    pod = good_pod(api, name="bound")
    made = api.create(pod)
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "bound"},
        "target": {"kind": "Node", "name": "node-1"},
    }
    bound = api.request("POST", f"{api.path(pod)}/binding", body=binding)
    changed = api.merge(pod, {"metadata": {"labels": {"cnpg.io/instanceRole": "primary"}}})
    return made.accepted and bound.accepted and changed.accepted


def claim_is_bound(api: Api) -> bool:
    """As the volume controller does it: by writing the volume's name into the claim."""
    found = (c.manifest for c in cases(api, REPOSITORY / "policies/volumes-own/policy.yaml") if c.result == "pass")
    claim = next(m for m in found if m["kind"] == "PersistentVolumeClaim")
    made = api.create(claim)
    return made.accepted and api.merge(claim, {"spec": {"volumeName": "pvc-1"}}).accepted


def operators_suites(api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Policy, user, object that the policy's own kinds name: what operators make, and as whom."""
    for suite in sorted((REPOSITORY / "policies").glob("*/*/kyverno-test.yaml")):
        test = yaml.safe_load(suite.read_text())
        if "userinfo" not in test:
            continue
        user = yaml.safe_load((suite.parent / test["userinfo"]).read_text())["userInfo"]["username"]
        rules = yaml.safe_load((suite.parent.parent / "policy.yaml").read_text())["spec"]["matchConstraints"][
            "resourceRules"
        ]
        named = {resource for rule in rules for resource in rule["resources"]}
        for manifest in yaml.safe_load_all((suite.parent / "made.yaml").read_text()):
            if api.resources[manifest["apiVersion"], manifest["kind"]].plural in named:
                yield suite.parent.parent.name, user, manifest


def test_operators_get_what_they_ask_for_and_others_with_their_labels_do_not(api: Api, tally: Tally) -> None:
    for policy, user, manifest in operators_suites(api):
        if manifest["kind"] == "Pod":
            add_what_a_pod_names(api, manifest)
        path = api.path(manifest).rpartition("/")[0]
        asked = {
            who: api.request("POST", path, body=manifest, user=who, groups=["system:masters"], dryRun="All")
            for who in (user, "system:serviceaccount:argocd:argocd-application-controller")
        }
        told = f"{policy}: {manifest['kind']} {manifest['metadata']['name']}"
        tally.control(asked.pop(user).accepted, f"{told} for {user}")
        for other, answer in asked.items():
            tally.attack(not answer.accepted and "ValidatingAdmissionPolicy" in answer.message, f"{told} for {other}")


def refusal(api: Api, case: Case) -> str:
    """What the server says when it refuses; a new policy is in force some moments after it was made."""
    said: list[str] = []

    def refused() -> bool:
        answer = api.create(case.manifest, dryRun="All")
        said[:] = [answer.message]
        return not answer.accepted and "ValidatingAdmissionPolicy" in answer.message

    try:
        wait_for(str(case), refused, seconds=10)
    except NotReadyError:
        return ""
    return said[0]
