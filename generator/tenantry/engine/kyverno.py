"""The policy engine: Kyverno's own packages, with each policy compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from tenantry.core.manifest import Value
from tenantry.engine.protocol import Peer

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one policy says of one object: pass, fail, skip or error. None where it does not match."""

    policy: str
    status: str
    message: str


class PolicyEngine(Peer):
    """A running policy engine. Use it as a context manager."""

    called = "policy engine"

    def load(self, policies: Sequence[Value], exceptions: Sequence[Value] = ()) -> tuple[list[str], list[str]]:
        """Compile ValidatingPolicies, lifted by PolicyExceptions; say why each can't be used (empty when it can)."""
        answer = self.finish(self.send("policies", {"policies": list(policies), "exceptions": list(exceptions)}))
        return tuple([entry.get("error", "") for entry in answer[kind]] for kind in ("policies", "exceptions"))  # type: ignore[return-value]

    def judge(self, objects: Sequence[Value], namespaces: Mapping[str, Labels]) -> Future[Any]:
        """Start judging; `outcomes` waits. `namespaces` are the labels of those that the objects lie in."""
        return self.send("judge", {"objects": list(objects), "namespaces": dict(namespaces)})

    def outcomes(self, started: Future[Any]) -> list[list[Outcome]]:
        """For each object, what each policy that matches says of it."""
        answer = self.finish(started)["outcomes"]
        return [[Outcome(o["policy"], o["status"], o["message"]) for o in of_object] for of_object in answer]
