"""The proofs on clusters' files, beside the policies' verdicts: what `render`, `check` and `explain` ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenantry.core.assurance import Objective
from tenantry.core.findings import Finding, Place
from tenantry.core.manifest import Manifest
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.model.policy import Policy
from tenantry.prove import readings
from tenantry.prove import template_conformance as standard
from tenantry.prove.cluster_state import State
from tenantry.prove.policies import ask
from tenantry.prove.promises import Promises
from tenantry.prove.proofs import Proved, prove_fleet
from tenantry.prove.report import objectives_of
from tenantry.runtime.plain_file import NotPlainError, read_plain
from tenantry.runtime.processes import side_by_side
from tenantry.verify.folder import MAX_FILE_BYTES, read_files
from tenantry.verify.judge import Blame, to_findings
from tenantry.verify.locate import Locator
from tenantry.verify.references.index import Index

Files = Mapping[str, Sequence[str]]
"""Files of rendered/ by cluster."""
Content = Callable[[str], str]
"""Text of a file, wherever it lies."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class PairProof:
    """What was found in a cluster and its DR partner."""

    pair: tuple[str, ...]
    findings: list[Finding]
    used: frozenset[str]
    """Exceptions that lift something."""


def prove_pairs(
    known: Promises, blame: Blame, pairs: Sequence[tuple[str, ...]], files: Files, content: Content, say: Say
) -> Iterator[PairProof]:
    """The proofs of each pair of clusters, several pairs side by side when there is much to read."""

    def work(pair: tuple[str, ...]) -> PairProof:
        states = read_states(known, {name: files.get(name, ()) for name in pair}, content, say)
        if not states:
            return PairProof(pair, [], frozenset())
        proved, more = prove(known, states, say)
        findings = [*more, *to_findings(proved.breaches, Locator(content), blame)]
        return PairProof(pair, findings, frozenset(lift.name for lift, _ in proved.lifted))

    def amount(pair: tuple[str, ...]) -> int:
        return sum(len(files.get(name, ())) for name in pair)

    yield from side_by_side(work, pairs, amount, lambda: engine_build.ensure_all(say))


def prove(
    known: Promises, states: Mapping[str, State], say: Say, judge: Callable[[], Sequence[Manifest]] = tuple
) -> tuple[Proved, list[Finding]]:
    """The proofs and the policies' verdicts, side by side.

    `judge` is done while Kyverno judges; it gives the objects of which it tells something.
    """
    differences = standard.begin(known, states)
    if not known.fleet.all(Policy):
        judged = judge()
        proved = prove_fleet(known, states, None, differences, judged)
        hint = "'tenantry init' lays those of the example"
        none = Finding(
            "V073", Place("policies"), "the fleet has no policies, so Kyverno would guard nothing", hint, "warning"
        )
        return proved, [none]
    with PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, say)) as policies:
        verdicts = ask(policies, known, states)
        judged = judge()
        proved = prove_fleet(known, states, verdicts, differences, judged)
        return proved, verdicts.findings


def objectives(known: Promises, root: Path, tenant: str, say: Say) -> tuple[Objective, ...]:
    """Objectives of a tenant, derived from rendered/ below `root`."""

    def content(file: str) -> str:
        try:
            return read_plain(root, file, MAX_FILE_BYTES).decode(errors="replace")
        except (NotPlainError, OSError):
            return ""  # `check` tells of links and pipes in a file's place

    files = {
        name: sorted(path.relative_to(root).as_posix() for path in (root / "rendered" / name).rglob("*.yaml"))
        for name in known.clusters
    }
    return tuple(objectives_of(read_states(known, files, content, say), tenant))


def read_states(known: Promises, files: Files, content: Content, say: Say) -> dict[str, State]:
    """The clusters that have files, with their objects and what the engine reads in them."""
    states: dict[str, State] = {}
    with Engine(engine_build.ensure_engine(say)) as engine:
        for name, cluster in known.clusters.items():
            manifests = read_files(engine, files.get(name, ()), content)
            if manifests:
                states[name] = State(known, cluster, Index(manifests), f"rendered/{name}", states)
        readings.read(engine, states)
    return states
