"""The proofs on clusters' objects, beside the policies' verdicts: what `render`, `check` and `explain` ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import Manifest
from tenantry.core.paths import rendered_folder
from tenantry.engine.engines import Engines
from tenantry.engine.kustomize import Engine
from tenantry.model.policy import Policy
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.pairs import PairObjects, PairProof
from tenantry.prove.policies import Verdicts, ask
from tenantry.prove.promises import Promises
from tenantry.prove.proofs import Proved, prove_fleet
from tenantry.prove.template_conformance import Conformance, Templates, all_differences
from tenantry.verify.folder import read_files
from tenantry.verify.index import Index
from tenantry.verify.judge import Blame, to_findings
from tenantry.verify.locate import Locator

Content = Callable[[str], str]
"""Reads a file's text, wherever it is stored."""


@dataclass(frozen=True)
class Prover:
    """Proves pairs of clusters, one after the other, by what one fleet promises."""

    known: Promises
    templates: Templates
    blame: Blame
    engines: Engines

    def prove_pair(self, objects: PairObjects, content: Content) -> PairProof:
        """The proofs of the objects that a pair will hold; files that were not read are read by `content`."""
        states = read_states(self.engines.engine, self.known, objects.files, content, objects.made)
        if not states:
            return PairProof((), frozenset())
        proved, more = self.prove(states, compared=objects.compared)
        findings = [*more, *to_findings(proved.breaches, Locator(content), self.blame)]
        return PairProof(findings, frozenset(lift.name for lift, _ in proved.lifted))

    def prove(
        self,
        states: Mapping[str, State],
        judge: Callable[[], Sequence[Manifest]] = tuple,
        compared: Mapping[str, Conformance] | None = None,
    ) -> tuple[Proved, list[Finding]]:
        """The proofs, and the verdicts of the policies.

        `judge` is done while Kyverno judges; it gives the objects that something is reported of.
        """
        verdicts = self._ask(states)
        judged = judge()
        differing = all_differences(states, self.templates, compared or {})
        proved = prove_fleet(self.known, states, verdicts, differing, judged)
        return proved, verdicts.findings if verdicts else [NO_POLICIES]

    def _ask(self, states: Mapping[str, State]) -> Verdicts | None:
        return ask(self.engines.policies, self.known, states) if self.known.fleet.all(Policy) else None


NO_POLICIES = Finding(
    "V073", Place("policies"), "the fleet has no policies, so Kyverno would enforce nothing",
    "'tenantry init' creates those of the example", "warning",
)  # fmt: skip


def read_states(
    engine: Engine,
    known: Promises,
    files: Mapping[str, Sequence[str]],
    content: Content,
    made: Mapping[str, Manifest] | None = None,
) -> dict[str, State]:
    """The clusters that have files, with their objects and what the engine reads in them.

    A file whose object is among the `made` is not read.
    """
    made = made or {}
    states: dict[str, State] = {}
    for name, cluster in known.clusters.items():
        there = files.get(name, ())
        read = read_files(engine, [file for file in there if file not in made], content)
        manifests = _in_order(there, made, read) if made else read
        if manifests:
            states[name] = State(known, cluster, Index(manifests), rendered_folder(name), states)
    readings.read(engine, states)
    return states


def _in_order(files: Sequence[str], made: Mapping[str, Manifest], read: Sequence[Manifest]) -> list[Manifest]:
    """Objects in the order of their files, whichever way they came here."""
    by_file: dict[str, list[Manifest]] = {}
    for manifest in read:
        by_file.setdefault(manifest.file, []).append(manifest)
    return [m for file in files for m in ((made[file],) if file in made else by_file.get(file, ()))]
