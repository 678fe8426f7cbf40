"""Kyverno's policies: their suites, and the policy engine's verdicts against those of the released Kyverno CLI."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran
from controls.laboratory import example
from stock import KYVERNO
from tenantry.core.controls import CONTROLS
from tenantry.core.manifest import Manifest
from tenantry.engine import build as engine_build
from tenantry.engine.kyverno import PolicyEngine

POLICIES = {path.parent.name: path for path in sorted((REPOSITORY / "policies").glob("*/policy.yaml"))}
_FOUND = sorted((REPOSITORY / "policies").rglob("kyverno-test.yaml"))
AS_OPERATOR = [path for path in _FOUND if "userinfo:" in path.read_text()]
"""Suites of what operators make, with the user that they ask as."""
SUITES = [path for path in _FOUND if path not in AS_OPERATOR]
MADE_BY_HAND = {"velero-restore-home"}
"""Policies over kinds that are not rendered: only their suites try them."""
Key = tuple[str, str, str]
"""Kind, namespace, name."""


@pytest.fixture(scope="module")
def kyverno() -> Path:
    return KYVERNO.build()


@pytest.fixture(scope="module")
def judges(engine_program: Path) -> Iterator[PolicyEngine]:
    """All policies of the example fleet, loaded once."""
    with PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, lambda _: None)) as running:
        errors, _ = running.load([document(path) for path in POLICIES.values()], exceptions())
        assert not any(errors)
        yield running


def document(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())  # type: ignore[no-any-return]


@cache
def objects() -> tuple[Manifest, ...]:
    """Every object of the example fleet, those that several clusters hold alike once."""
    _, found = example()
    return tuple({json.dumps(m.value, sort_keys=True): m for own in found.values() for m in own}.values())


def exceptions() -> list[Mapping[str, Any]]:
    return [m.value for m in objects() if m.identity.kind == "PolicyException"]


@cache
def namespaces() -> Mapping[str, dict[str, str]]:
    return {m.identity.name: dict(m.labels) for m in objects() if m.identity.kind == "Namespace"}


def key(value: Mapping[str, Any]) -> Key:
    return value["kind"], value["metadata"].get("namespace", ""), value["metadata"]["name"]


def verdicts(
    judges: PolicyEngine, values: list[Mapping[str, Any]], labels: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, Key], str]:
    """(policy, object) -> verdict; no entry where the policy does not match."""
    outcomes = judges.outcomes(judges.judge(values, labels))
    return {
        (o.policy, key(value)): o.status for value, told in zip(values, outcomes, strict=True) for o in told
    }  # fmt: skip


def test_there_are_enough_policies_each_with_a_suite_and_a_control() -> None:
    assert len(POLICIES) >= 25
    for name, path in POLICIES.items():
        policy = document(path)
        assert policy["metadata"]["name"] == name
        assert policy["metadata"]["annotations"]["tenantry.io/control"] in CONTROLS
        results = {r["result"] for suite in path.parent.rglob("kyverno-test.yaml") for r in document(suite)["results"]}
        assert {"pass", "fail"} <= results, f"{name} needs objects that pass and objects that fail"


def test_what_a_policy_passes_by_is_decided_by_who_asks_and_its_suite_holds_what_they_make() -> None:
    """Anybody who may create a Pod may label it; nobody else acts as an operator's ServiceAccount."""
    for name, path in POLICIES.items():
        conditions = [c["expression"] for c in document(path)["spec"].get("matchConditions", [])]
        assert all("request.?userInfo.?username" in c for c in conditions), name
        trusted = {
            user
            for c in conditions
            for user in re.findall(r"'(system:serviceaccount:(?:cnpg-system|velero):[^']+)'", c)
        }
        tried = {document(suite.parent / document(suite)["userinfo"])["userInfo"]["username"] for suite in AS_OPERATOR
                 if suite.parent.parent.name == name}  # fmt: skip
        assert trusted <= tried, f"{name} lets pass {trusted - tried}, of whom its suite holds nothing"


def test_no_policy_judges_a_claim_that_is_bound() -> None:
    """The volume controller writes the volume's name into it by an update, and nothing else of a claim can be changed."""
    seen = 0
    for name, path in POLICIES.items():
        for rule in document(path)["spec"]["matchConstraints"]["resourceRules"]:
            if "persistentvolumeclaims" in rule["resources"]:
                seen += 1
                assert rule["operations"] == ["CREATE"], name
    assert seen


@pytest.mark.parametrize("suite", AS_OPERATOR, ids=lambda path: str(path.parent.relative_to(REPOSITORY / "policies")))
def test_what_operators_make_passes_when_they_ask_and_is_refused_when_others_do(
    judges: PolicyEngine, suite: Path
) -> None:
    """The stock command line asks as they do (`skip` in the suite); the policy engine asks as nobody."""
    test = document(suite)
    labels = {s["name"]: s["labels"] for s in document(suite.parent / test["variables"])["namespaceSelector"]}
    values = [v for file in test["resources"] for v in yaml.safe_load_all((suite.parent / file).read_text())]
    given = verdicts(judges, values, labels)
    for result in test["results"]:
        assert result["result"] == "skip"
        for resource in result["resources"]:
            assert given[result["policy"], named(resource, result["kind"])] == "fail", resource


def test_all_suites_pass_in_stock_kyverno(kyverno: Path) -> None:
    done = subprocess.run(
        [kyverno, "test", REPOSITORY / "policies", "--require-tests"], capture_output=True, text=True, timeout=600
    )
    wanted = sum(len(result["resources"]) for suite in _FOUND for result in document(suite)["results"])
    assert done.returncode == 0, done.stdout[-3000:]
    summary = re.search(r"Test Summary: (\d+) tests passed and 0 tests failed", done.stdout)
    # For Pod controllers a row comes for each rule that Kyverno adds.
    assert summary and int(summary[1]) >= wanted, done.stdout[-3000:]


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: str(path.parent.relative_to(REPOSITORY / "policies")))
def test_the_policy_engine_gives_the_suites_verdicts_and_a_wrong_object_breaks_one_policy_only(
    judges: PolicyEngine, suite: Path
) -> None:
    test = document(suite)
    spaces = document(suite.parent / test["variables"])["namespaceSelector"] if "variables" in test else []
    labels = {space["name"]: space["labels"] for space in spaces}
    values = [v for file in test["resources"] for v in yaml.safe_load_all((suite.parent / file).read_text())]
    given = verdicts(judges, values, labels)
    wanted = {
        (result["policy"], named(resource, result["kind"])): result["result"]
        for result in test["results"]
        for resource in result["resources"]
    }
    assert {pair: given.get(pair) for pair in wanted} == wanted
    failed = {pair for pair, status in given.items() if status != "pass"}
    assert failed == {pair for pair, status in wanted.items() if status == "fail"}


def named(resource: str, kind: str) -> Key:
    namespace, _, name = resource.rpartition("/")
    return kind, namespace, name


@pytest.mark.parametrize("policy", [name for name in POLICIES if name not in MADE_BY_HAND])
def test_stock_kyverno_gives_the_policy_engines_verdicts_on_the_example_fleet(
    judges: PolicyEngine, kyverno: Path, policy: str, tmp_path: Path
) -> None:
    """On every object of the kinds that the policy names, and that Kyverno adds for Pods."""
    kinds = kinds_of(document(POLICIES[policy]))
    chosen = [m.value for m in objects() if m.identity.kind.lower() in kinds]
    assert chosen
    for values in rounds(chosen):
        ours = {name: v for (by, name), v in verdicts(judges, values, namespaces()).items() if by == policy}
        assert stock_verdicts(kyverno, [POLICIES[policy]], values, tmp_path)[policy] == ours


def test_stock_kyverno_leaves_out_the_objects_that_the_policy_engine_leaves_out(
    judges: PolicyEngine, kyverno: Path, tmp_path: Path
) -> None:
    """All policies over objects of every kind: a few of each, as stock Kyverno needs 4 ms for each pair."""
    by_kind: dict[str, Mapping[str, Any]] = {}
    for manifest in objects():
        by_kind.setdefault(manifest.identity.kind, manifest.value)
    values = list(by_kind.values())
    theirs = stock_verdicts(kyverno, list(POLICIES.values()), values, tmp_path)
    ours: dict[str, dict[Key, str]] = {name: {} for name in POLICIES}
    for (policy, name), status in verdicts(judges, values, namespaces()).items():
        ours[policy][name] = status
    assert ours == theirs


def rounds(values: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Objects that differ, but are called alike on different clusters, are not judged in one run: the report names no cluster."""
    left = list(values)
    while left:
        first = {key(value): value for value in reversed(left)}
        left = [value for value in left if first[key(value)] is not value]
        yield list(first.values())


def kinds_of(policy: Mapping[str, Any]) -> set[str]:
    """Kinds in lower case."""
    resources = {r for rule in policy["spec"]["matchConstraints"]["resourceRules"] for r in rule["resources"]}
    if "pods" in resources:
        resources |= {"deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"}
    known = {m.identity.kind.lower() for m in objects()}
    plurals = {plural: kind for kind in known for plural in (f"{kind}s", f"{kind}es", f"{kind[:-1]}ies")}
    return {plurals[resource] for resource in resources if resource in plurals}


def stock_verdicts(
    kyverno: Path, policies: list[Path], values: list[Mapping[str, Any]], folder: Path
) -> dict[str, dict[Key, str]]:
    """What `kyverno apply` reports."""
    resources, lifts, variables = folder / "resources.yaml", folder / "exceptions.yaml", folder / "values.yaml"
    resources.write_text(yaml.safe_dump_all(values))
    lifts.write_text(yaml.safe_dump_all(exceptions()))
    spaces = [{"name": name, "labels": labels} for name, labels in namespaces().items()]
    variables.write_text(yaml.safe_dump({
        "apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "metadata": {"name": "namespaces"}, "namespaceSelector": spaces,
    }))  # fmt: skip
    done = subprocess.run(
        [kyverno, "apply", *policies, "-r", resources, "-f", variables, "-e", lifts, "-p", "--output-format", "json"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.stdout or not (done.returncode or done.stderr), done.stderr
    found: dict[str, dict[Key, str]] = {path.parent.name: {} for path in policies}
    for result in (
        json.loads(done.stdout)["results"] if done.stdout else ()
    ):  # nothing, when no policy is for any of them
        for resource in result["resources"]:
            name = resource["kind"], resource.get("namespace", ""), resource["name"]
            assert name not in found[result["policy"]]
            found[result["policy"]][name] = result["result"]
    return found


POLICY = """\
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata:
  name: own
  annotations:
    tenantry.io/control: NET-11
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [services]}
    %s
  validations:
    - expression: %s
      message: a Service needs an owner
"""


@pytest.mark.parametrize(
    ("constraint", "expression", "said"),
    [
        ("", '"object.metadata.labels.owner == \'x\'"', "the policy 'own' gave no verdict (error)"),
        ("", '"object.metadata.nothing("', "policies/own/policy.yaml:4:9: V072 Kyverno can't use the policy 'own'"),
        ("namespaceSelector: {matchLabels: {a: b}}", '"true"', "policies/own/policy.yaml:4:9: V073 the policy 'own' matched no object"),
        ("", '"has(object.metadata.labels.owner)"', "a Service needs an owner (policy 'own' keeps NET-11"),
    ],
)  # fmt: skip
def test_a_policy_that_guards_nothing_or_fails_is_reported_and_nothing_is_written(
    run: Callable[..., Ran], fleet: Path, constraint: str, expression: str, said: str
) -> None:
    own = fleet / "policies/own/policy.yaml"
    own.parent.mkdir()
    own.write_text(POLICY % (constraint, expression))
    ran = run("render", "-C", fleet)
    assert ran.code == 1
    assert said in ran.out
    assert "Nothing was written." in ran.out
    assert not (fleet / "rendered").exists()


def test_an_exception_lifts_its_control_for_its_tenant_and_an_unused_one_is_reported(
    run: Callable[..., Ran], fleet: Path
) -> None:
    ran = run(
        "new", "exception", "login", "-C", fleet, "--tenant", "acme", "--control", "EDGE-04", "--reason", "One address.",
        "--owner", "a@provider.example", "--approver", "b@provider.example", "--expires", "2027-01-31",
        "--compensating-control", "Logins are counted.",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    unused = run("render", "-C", fleet)
    assert unused.code == 0
    assert (
        "policies/exceptions/login.yaml:8:12: F023 warning: acme complies with EDGE-04, so nothing needs the exception now "
        "(remove it, unless the change that needs it is about to follow)"
    ) in unused.out
    tenant = fleet / "tenants/acme.yaml"
    tenant.write_text(tenant.read_text() + "  overrides: {loginRequestsPerSecond: {value: 5, reason: One address.}}\n")
    assert run("render", "-C", fleet).code == 0
    (fleet / "policies/exceptions/login.yaml").unlink()
    alone = run("render", "-C", fleet)
    assert alone.code == 1
    assert "EDGE-04" in alone.out
    assert "acme" in alone.out


def test_a_policy_that_asks_the_network_gives_no_verdict(engine_program: Path) -> None:
    """Kyverno's library for expressions can call any address with what it sees; here it reaches none."""
    policy = document(POLICIES["images-by-digest"])
    policy["spec"]["validations"] = [{"expression": 'http.Get("http://192.0.2.1/") == null', "message": "asked"}]
    pod = next(m.value for m in objects() if m.identity.kind == "Deployment")
    with PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, lambda _: None)) as running:
        assert running.load([policy]) == ([None], [])
        answers = running.outcomes(running.judge([pod], namespaces()))
    assert {(o.policy, o.status) for o in answers[0]} == {("images-by-digest", "error")}
    assert all("allowlist" in o.message for o in answers[0])
