"""The example fleet in memory, one of its objects changed, and what `verify` finds then."""

from __future__ import annotations

import atexit
import dataclasses
from collections.abc import Mapping
from functools import cache

import yaml

from conftest import REPOSITORY
from controls.table import REMOVED, Mutant
from mutation import GONE, changed_at
from tenantry.core.findings import Finding
from tenantry.core.manifest import Manifest, dig, parse_path
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.plan.inputs import read_inputs
from tenantry.prove import readings
from tenantry.prove import template_conformance as standard
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.policies import ask
from tenantry.prove.promises import Promises, promises
from tenantry.prove.proofs import prove_fleet
from tenantry.render.units import units
from tenantry.runtime.cache import Store
from tenantry.verify.folder import read_folder
from tenantry.verify.index import Index
from tenantry.verify.judge import judge, tenant_of

AS_OF = "2026-11-24"


@cache
def example() -> tuple[Promises, Mapping[str, tuple[Manifest, ...]]]:
    """What the example fleet promises, and its rendered objects by cluster."""
    inputs = read_inputs(REPOSITORY, AS_OF, Store(None))
    assert inputs.usable, inputs.findings
    known = promises(inputs.fleet, inputs.resolution.instances, AS_OF)
    objects = {
        name: tuple(read_folder(running_engine(), REPOSITORY / "rendered", name).manifests) for name in known.clusters
    }
    return known, objects


@cache
def templates() -> standard.Templates:
    """What the templates say of the example fleet."""
    known, _ = example()
    return standard.Templates(known.platform, list(units(known.fleet, known.instances)))


def called(manifest: Manifest) -> str:
    """`Kind namespace/name`."""
    identity = manifest.identity
    return (
        f"{identity.kind} {identity.namespace}/{identity.name}"
        if identity.namespace
        else f"{identity.kind} {identity.name}"
    )


def mutate(mutant: Mutant) -> Mapping[str, tuple[Manifest, ...]]:
    """The example's objects with one change."""
    _, objects = example()
    there = objects[mutant.cluster]
    found = [m for m in there if called(m) == mutant.object]
    if mutant.to is REMOVED:
        assert len(found) == 1, f"{len(found)} objects are called {mutant.object}"
        return {**objects, mutant.cluster: tuple(m for m in there if m is not found[0])}
    if not mutant.path:
        assert not found
        return {**objects, mutant.cluster: (*there, _parsed(mutant.to, "added.yaml"))}
    assert len(found) == 1, f"{len(found)} objects are called {mutant.object}"
    to = mutant.to
    if callable(to) and to is not GONE:
        to = to(dig(found[0].value, *parse_path(mutant.path)))
    changed = _parsed(changed_at(found[0].value, mutant.path, to), found[0].file)
    return {**objects, mutant.cluster: tuple(changed if m is found[0] else m for m in there)}


def _parsed(value: object, file: str) -> Manifest:
    manifests, problems = running_engine().parsed(running_engine().parse(yaml.safe_dump(value, sort_keys=False)), file)
    assert not problems, problems
    return manifests[0]


def found_in(objects: Mapping[str, tuple[Manifest, ...]], cluster: str) -> tuple[list[Breach], list[Finding]]:
    """All that `verify` finds: schemas, rules and references of the changed cluster, proofs and policies of all."""
    known, _ = example()
    states: dict[str, State] = {}
    for name, manifests in objects.items():
        facts = known.clusters[name]
        index = Index(manifests, storage_classes=facts.storage_classes.names)
        states[name] = State(known, facts, index, name, states)
    readings.read(running_engine(), states)
    judged = list(judge(states[cluster].index, known.clusters[cluster].kubernetes_version))
    # Only what looks at the changed cluster can find something new: itself, and the one whose DR partner it is.
    near = {name: states[name] for name in dict.fromkeys((cluster, known.clusters[cluster].dr_partner))}
    verdicts = ask(policy_engine(), known, near)
    proved = prove_fleet(
        known, near, verdicts, standard.all_differences(near, templates(), {}), [manifest for manifest, _ in judged]
    )
    return [*judged, *proved.breaches], verdicts.findings


@cache
def policy_engine() -> PolicyEngine:
    """One policy engine for all mutants of a process."""
    return PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, lambda _: None))


@cache
def running_engine() -> Engine:
    """One engine for all mutants of a process."""
    return Engine(engine_build.ensure(engine_build.ENGINE, lambda _: None))


@atexit.register
def _close() -> None:
    for make in (running_engine, policy_engine):
        if make.cache_info().currsize:
            make().close()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was found of a mutant."""

    mutant: Mutant
    breaches: tuple[Breach, ...]
    findings: tuple[Finding, ...]

    def wrong(self) -> list[str]:
        """Why the mutant is not killed as it should be; empty when it is."""
        mutant = self.mutant
        allowed = {mutant.control, *mutant.also}
        told = [
            (problem.control or problem.code, tenant_of(manifest, problem), called(manifest), problem)
            for manifest, problem in self.breaches
        ]
        found = [] if any(control == mutant.control for control, *_ in told) else ["its control is not reported"]
        objects = {mutant.object, mutant.told_of}
        for control, tenant, name, problem in told:
            line = f"{problem.code} {control} {tenant or '-'} {name}: {problem.message}"
            if control == standard.CONTROL and name == mutant.object:
                continue  # the changed object differs from its template, and nothing else is reported about it
            if not problem.control and name == mutant.object:
                continue  # a rule that holds for any tree says of the changed object what is wrong with it
            if control not in allowed and problem.code not in allowed:
                found.append(f"another control: {line}")
            elif control == mutant.control and mutant.tenant not in ("*", tenant):
                found.append(f"another tenant: {line}")
            elif control == mutant.control and name not in objects and "*" not in objects:
                found.append(f"another object: {line}")
        return found + [f"also: {f.code} {f.message}" for f in self.findings]


def attempt(mutant: Mutant) -> Outcome:
    breaches, findings = found_in(mutate(mutant), mutant.cluster)
    return Outcome(mutant, tuple(breaches), tuple(findings))
