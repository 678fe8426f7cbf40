"""Judges a fleet's objects group by group while they are made, so that only a group at a time is held.

A group is what is made for one instance in one cluster, or for one cell, or for one cluster. References inside of it are
judged at once. Those that lead out are kept as questions, with the problem that a "no" would mean, and answered from the
names of the cluster's files once all of its groups were judged: a name is enough, since each group is judged by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tenantry.core.findings import Finding, ObjectId
from tenantry.core.manifest import Manifest, Problem
from tenantry.verify import references
from tenantry.verify.index import Index
from tenantry.verify.judge import Blame, judge, to_findings
from tenantry.verify.locate import Locator


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What must be known of a cluster to judge its objects."""

    kubernetes_version: str
    storage_classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Question:
    cluster: str
    wanted: ObjectId
    group: str
    manifest: Manifest
    problem: Problem


@dataclass
class GroupJudge:
    """Takes groups, gives findings by group."""

    facts: Mapping[str, ClusterFacts]
    blame: Blame
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    _questions: list[_Question] = field(default_factory=list)

    def judge(self, cluster: str, group: str, manifests: Sequence[Manifest], content: Callable[[str], str]) -> None:
        """Judge all objects of a group. `content` gives the text of a file."""
        facts = self.facts[cluster]
        index = Index(manifests, lambda _: True, facts.storage_classes, partial=True, pinned=True)
        found = list(judge(index, facts.kubernetes_version))
        known = list(to_findings(found, Locator(content), self.blame))
        if known:
            self.findings.setdefault(group, []).extend(known)
        for identity, askers in index.asked.items():
            answers = Index(manifests, lambda other, no=identity: other != no, facts.storage_classes, partial=True)  # type: ignore[misc]
            meant = [pair for pair in references.problems(answers, askers.values()) if pair not in found]
            self._questions += (_Question(cluster, identity, group, *pair) for pair in meant)

    def answer(self, has: Callable[[str, ObjectId], bool], content: Callable[[str], str]) -> dict[str, list[Finding]]:
        """Findings of the groups since the last answer, the open questions answered by `has(cluster, identity)`."""
        locator = Locator(content)
        for question in self._questions:
            if not has(question.cluster, question.wanted):
                pair = (question.manifest, question.problem)
                self.findings.setdefault(question.group, []).extend(to_findings([pair], locator, self.blame))
        self._questions.clear()
        findings, self.findings = self.findings, {}
        return findings
