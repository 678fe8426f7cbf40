"""The policy engine: Kyverno's own packages, with each policy compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from tenantry.core.manifest import Value
from tenantry.engine.languages import Refusal
from tenantry.engine.protocol import CoProcess

Labels = Mapping[str, str]
Refusals = list[Refusal | None]
"""Why each object can't be used; None if it can. `kind` is kind (another kind or version), field (an unknown
one, or of a wrong type) or expression (CEL that does not compile)."""


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """One policy's verdict on one object: pass, fail, skip or error. None where it does not match.

    `excepted` when a PolicyException decided, and not the policy.
    """

    policy: str
    status: str
    message: str
    excepted: bool = False


class PolicyEngine(CoProcess):
    """A running policy engine. Use it as a context manager."""

    called = "policy engine"

    def load(self, policies: Sequence[Value], exceptions: Sequence[Value] = ()) -> tuple[Refusals, Refusals]:
        """Compile ValidatingPolicies, lifted by PolicyExceptions; say why policies and exceptions can't be used."""
        answer = self.finish(self.send("policies", {"policies": list(policies), "exceptions": list(exceptions)}))
        return _refusals(answer["policies"]), _refusals(answer["exceptions"])

    def judge(self, objects: Sequence[Value], namespaces: Mapping[str, Labels]) -> Future[Any]:
        """Start judging; `outcomes` waits. `namespaces` are the labels of the objects' namespaces."""
        return self.send("judge", {"objects": list(objects), "namespaces": dict(namespaces)})

    def outcomes(self, started: Future[Any]) -> list[list[PolicyOutcome]]:
        """For each object, the verdict of each matching policy."""
        answer = self.finish(started)["outcomes"]
        return [
            [PolicyOutcome(o["policy"], o["status"], o["message"], o.get("excepted", False)) for o in of_object]
            for of_object in answer
        ]


def _refusals(entries: Sequence[Mapping[str, str]]) -> Refusals:
    return [Refusal(entry["kind"], entry["error"]) if "error" in entry else None for entry in entries]
