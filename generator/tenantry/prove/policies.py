"""Kyverno's verdicts on rendered objects. What stock Kyverno silently ignores is reported here: a policy that can't be
used, that could not judge an object, that skipped one without an exception, or that no object of its kinds meets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import Manifest, Problem, dig, entries, items, mapping, text
from tenantry.core.paths import folder_of
from tenantry.core.veil import Veil
from tenantry.engine.kyverno import PolicyEngine, PolicyOutcome
from tenantry.model.policy import Policy
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.promises import Promises

_BATCH = 100
_POD_CONTROLLERS = frozenset({"deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"})


@dataclass
class Verdicts:
    """Requested from the policy engine at once; fetched when the proofs are done."""

    engine: PolicyEngine
    policies: Mapping[str, Policy]
    places: Mapping[str, Place]
    findings: list[Finding] = field(default_factory=list)
    met: set[tuple[str, str]] = field(default_factory=set)
    """(policy, folder) where a policy matched an object; known once the verdicts were fetched."""
    _asked: list[tuple[Sequence[Manifest], Future[Any]]] = field(default_factory=list)
    _kinds: set[tuple[str, str, bool]] = field(default_factory=set)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "policies"))
    _asking: Future[None] = field(default_factory=Future)

    def start(self, states: Mapping[str, State]) -> None:
        """Ask beside what the caller does meanwhile: sending waits for the engine."""

        def ask_all() -> None:
            for state in states.values():
                self.ask(state)

        self._asking = self._pool.submit(ask_all)

    def breaches(self) -> Iterator[Breach]:
        """Waits for the verdicts; yields what policies reject or can't decide."""
        self._asking.result()
        self._pool.shutdown()
        for manifests, started in self._asked:
            for manifest, outcomes in zip(manifests, self.engine.outcomes(started), strict=True):
                for outcome in outcomes:
                    self.met.add((outcome.policy, folder_of(manifest.file)))
                    problem = self._problem(outcome)
                    if problem is not None:
                        yield manifest, problem
        self.findings += self._unmet()

    def _problem(self, outcome: PolicyOutcome) -> Problem | None:
        control = self.policies[outcome.policy].control
        if outcome.status == "pass" or (outcome.status == "skip" and outcome.excepted):
            return None
        if outcome.status == "fail":
            return Problem(
                "V070",
                ("metadata", "name"),
                outcome.message,
                f"policy '{outcome.policy}' keeps {control}",
                control=control,
            )
        message = f"the policy '{outcome.policy}' gave no verdict ({outcome.status}): {outcome.message}"
        return Problem(
            "V071",
            ("metadata", "name"),
            message,
            "fix the policy; an object that can't be checked counts as a breach",
            control=control,
        )

    def _unmet(self) -> Iterator[Finding]:
        """A policy whose kinds are in the tree, but that matched none of them, enforces nothing."""
        met = {name for name, _ in self.met}
        for name, policy in self.policies.items():
            places = (True,) if _looks_at_tenants(policy) else (True, False)
            if name not in met and any((*kind, place) in self._kinds for kind in _kinds_of(policy) for place in places):
                place = self.places[name]
                message = f"the policy '{name}' matched no object, although the tree has objects of its kinds"
                yield Finding(
                    "V073", place, message, "its selectors or conditions exclude all of them", control=policy.control
                )

    def ask(self, state: State) -> None:
        """Check every object of a cluster."""
        spaces = {m.identity.name: {str(k): str(v) for k, v in m.labels.items()} for m in state.of("", "Namespace")}
        wanted = {kind for policy in self.policies.values() for kind in _kinds_of(policy)}
        everything = any("*" in part for kind in wanted for part in kind)
        manifests = [m for m in state.manifests if everything or (m.identity.group, m.identity.kind.lower()) in wanted]
        for start in range(0, len(manifests), _BATCH):
            batch = manifests[start : start + _BATCH]
            theirs = {m.identity.namespace for m in batch}
            labels = {name: spaces[name] for name in theirs if name in spaces}
            self._asked.append((batch, self.engine.judge([m.value for m in batch], labels)))
            homes = ((manifest, state.home(manifest)) for manifest in batch)
            self._kinds.update(
                (m.identity.group, m.identity.kind.lower(), home is not None and home.instance is not None)
                for m, home in homes
            )


def ask(engine: PolicyEngine, promises: Promises, states: Mapping[str, State]) -> Verdicts:
    """Compile the fleet's policies once, with the PolicyExceptions of the trees, and have every object judged."""
    fleet = promises.fleet
    policies = fleet.all(Policy)
    places = {name: fleet.document(policy).place(("metadata", "name")) for name, policy in policies.items()}
    verdicts = Verdicts(engine, policies, places)
    lifts = [m for s in states.values() for m in s.of("policies.kyverno.io", "PolicyException")]
    errors, lift_errors = engine.load([policy.value() for policy in policies.values()], [m.value for m in lifts])
    for policy, error in zip(policies.values(), errors, strict=True):
        if error:
            message = f"Kyverno can't use the policy '{policy.name}': {error}"
            verdicts.findings.append(
                Finding(
                    "V072",
                    places[policy.name],
                    message,
                    "fix it; at present it enforces nothing",
                    control=policy.control,
                )
            )
    for manifest, error in zip(lifts, lift_errors, strict=True):
        if error:
            message = f"Kyverno can't use the exception: {Veil(manifest.value).text(str(error))}"
            place = Place(manifest.file, manifest.line, 1)
            verdicts.findings.append(
                Finding("V072", place, message, "see policies/exceptions/", object=manifest.identity, control="SUP-03")
            )
    verdicts.start(states)
    return verdicts


def _looks_at_tenants(policy: Policy) -> bool:
    """Whether a policy chooses by labels; then only a tree with tenants in it must hold what it looks for."""
    constraints = mapping(policy.spec.get("matchConstraints"))
    return bool(constraints.get("namespaceSelector") or constraints.get("objectSelector"))


def _kinds_of(policy: Policy) -> Iterator[tuple[str, str]]:
    """(group, kind in lower case) of the resources that a policy names, with those that Kyverno adds for Pods."""
    for _, rule in entries(dig(policy.spec, "matchConstraints", "resourceRules")):
        groups, resources = list(map(text, items(rule.get("apiGroups")))), list(map(text, items(rule.get("resources"))))
        yield from ((group, _singular(resource)) for group in groups for resource in resources)
        if "pods" in resources:
            yield from (("batch" if r in ("jobs", "cronjobs") else "apps", _singular(r)) for r in _POD_CONTROLLERS)


def _singular(resource: str) -> str:
    if resource.endswith("ies"):
        return f"{resource[:-3]}y"
    return resource.removesuffix("es") if resource.endswith("sses") else resource.removesuffix("s")
