"""The proofs on clusters' objects, beside the policies' verdicts: what `render`, `check` and `explain` ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import Manifest
from tenantry.core.paths import rendered_folder
from tenantry.engine.engines import Engines
from tenantry.engine.kustomize import Engine
from tenantry.model.policy import Policy
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.pairs import PairObjects, PairProof
from tenantry.prove.parts import OWN_MATTERS, PairPart, Partition, borders, unchanged
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

    def prove_parts(
        self, objects: PairObjects, content: Content, whole: Partition, chosen: Sequence[PairPart] | None = None
    ) -> PairProof:
        """The proofs of the objects that a pair will hold, or of some of its parts, beside what the clusters hold for all.

        Files that were not read are read by `content`.
        """
        prover = self if chosen is None else self._only(whole, chosen)
        files = objects.files if chosen is None else whole.files(objects.files, chosen)
        states = read_states(self.engines.engine, prover.known, files, content, objects.made)
        if not states:
            return PairProof((), frozenset())
        try:
            return prover._found(whole, chosen, states, objects, content)
        finally:
            release(states)

    def _found(
        self,
        whole: Partition,
        chosen: Sequence[PairPart] | None,
        states: Mapping[str, State],
        objects: PairObjects,
        content: Content,
    ) -> PairProof:
        same = {} if chosen is None else unchanged(states, whole)
        proved, more = self.prove(states, compared={**same, **objects.compared})
        if chosen is not None and (more or proved.breaches):
            return PairProof((), frozenset())  # what is found is looked for in the whole pair, and reported from there
        findings = [*more, *to_findings(proved.breaches, Locator(content), self.blame)]
        used = frozenset(lift.name for lift, _ in proved.lifted)
        clean = not findings and all(problem.control in OWN_MATTERS for _, (_, problem) in proved.lifted)
        parts = whole.parts if chosen is None else chosen
        found = borders(whole, parts, states, objects.files, proved.met) if clean else None
        return PairProof(findings, used, frozenset(name for name, _ in proved.met), found)

    def _only(self, whole: Partition, chosen: Sequence[PairPart]) -> Prover:
        """The same, for some parts."""
        homes = {
            cluster: {name: home for part in chosen for name, home in part.homes.get(cluster, {}).items()}
            for cluster in self.known.homes
        }
        wanted = {None, *chosen}
        templates = self.templates.only(lambda unit: whole.owners.get(rendered_folder(unit.path)) in wanted)
        return replace(self, known=replace(self.known, homes=homes), templates=templates)

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
        proved.met = frozenset(verdicts.met) if verdicts else frozenset()
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


def release(states: dict[str, State]) -> None:
    """Let go of a pair's objects. States know each other, and what they remember knows them: such rings are freed late."""
    for state in states.values():
        state.memory.clear()
    states.clear()


def _in_order(files: Sequence[str], made: Mapping[str, Manifest], read: Sequence[Manifest]) -> list[Manifest]:
    """Objects in the order of their files, whichever way they came here."""
    by_file: dict[str, list[Manifest]] = {}
    for manifest in read:
        by_file.setdefault(manifest.file, []).append(manifest)
    return [m for file in files for m in ((made[file],) if file in made else by_file.get(file, ()))]
