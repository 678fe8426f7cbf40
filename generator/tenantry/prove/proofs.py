"""All proofs over all clusters, with the policies' verdicts, minus what approved exceptions allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tenantry.core.manifest import Manifest, Problem, text
from tenantry.model.control_exception import ControlException
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.promises import Promises
from tenantry.prove.registry import prove
from tenantry.verify.judge import tenant_of


class Judgement(Protocol):
    """Verdicts of policies that were asked for and are fetched when the proofs are through."""

    def breaches(self) -> Iterable[Breach]:
        """Waits for the verdicts; what the policies reject."""
        ...


@dataclass
class Proved:
    """What was found: breaches, and those that an exception lifts."""

    breaches: list[Breach] = field(default_factory=list)
    lifted: list[tuple[ControlException, Breach]] = field(default_factory=list)
    met: frozenset[tuple[str, str]] = frozenset()
    """(policy, folder) where a policy matched an object."""


def prove_fleet(
    promises: Promises,
    states: Mapping[str, State],
    verdicts: Judgement | None,
    differences: Iterable[tuple[State, Breach]] = (),
    judged: Sequence[Manifest] = (),
) -> Proved:
    """Prove every cluster's objects.

    `differences` from the templates are reported for objects without other findings, and for those that are missing
    where their namespace has no findings; `judged` are objects with findings from elsewhere.
    """
    result = Proved()
    found = [(state, breach) for state in states.values() for breach in prove(state)]
    told = {(id(manifest), _group(problem.control)) for _, (manifest, problem) in found}
    by_cluster = {id(manifest): state for state in states.values() for manifest in state.manifests}
    for manifest, problem in verdicts.breaches() if verdicts else ():
        if (id(manifest), _group(problem.control)) not in told:  # the proof's own message says more
            found.append((by_cluster[id(manifest)], (manifest, problem)))
    _sort(promises, found, result)
    stand = [*judged, *(manifest for manifest, _ in result.breaches)]
    objects, namespaces = {id(manifest) for manifest in stand}, {_namespace(manifest) for manifest in stand}
    rest = [
        (state, (manifest, problem)) for state, (manifest, problem) in differences
        if id(manifest) not in objects and (manifest.value or _namespace(manifest) not in namespaces)
    ]  # fmt: skip
    _sort(promises, rest, result)
    return result


def _sort(promises: Promises, found: Iterable[tuple[State, Breach]], result: Proved) -> None:
    for state, (manifest, problem) in found:
        lift = _lift(promises, state, manifest, problem)
        if lift is None:
            result.breaches.append((manifest, problem))
        else:
            result.lifted.append((lift, (manifest, problem)))


def _namespace(manifest: Manifest) -> str:
    identity = manifest.identity
    return identity.name if manifest.kind == ("", "Namespace") else identity.namespace


def _group(control: str) -> str:
    return control.partition("-")[0]


def _lift(promises: Promises, state: State, manifest: Manifest, problem: Problem) -> ControlException | None:
    """The exception by which a breach is allowed: same tenant, control and environment, not expired, approved by another."""
    whose, control = tenant_of(manifest, problem), problem.control
    if not control or not whose:
        return None
    home = state.home(manifest)
    environment = (
        home.instance.environment if home and home.instance else text(manifest.labels.get("tenantry.io/environment"))
    )
    for exception in promises.exceptions:
        holds = exception.expires >= promises.as_of and exception.owner != exception.approver
        if (
            holds
            and (exception.tenant, exception.control) == (whose, control)
            and exception.environment in (None, environment)
        ):
            return exception
    return None
