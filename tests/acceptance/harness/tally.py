"""Counts what a part did, and keeps its promises: an attack needs a positive control beside it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """What one test counted; what did not hold makes the test fail when it has seen everything."""

    checks: int = 0
    attacks: int = 0
    controls: int = 0
    unprotected: int = 0
    broken: list[str] = field(default_factory=list)

    def check(self, holds: object, what: str, count: int = 1) -> None:
        """Something that must be so; `count` for a program that answers several at once."""
        self.checks += count
        self._note(holds, what)

    def attack(self, refused: object, what: str) -> None:
        """Something that an attacker or a tired engineer would try; it must be refused."""
        self.attacks += 1
        self._note(refused, f"not refused: {what}")

    def control(self, works: object, what: str) -> None:
        """The allowed thing beside an attack; it must work, or a dead server would look like a safe one."""
        self.controls += 1
        self._note(works, f"should work, does not: {what}")

    def without_protection(self, succeeds: object, what: str) -> None:
        """The same attack after the protection was taken out of the rendered objects; it must succeed."""
        self.unprotected += 1
        self._note(succeeds, f"refused even without its protection: {what}")

    def _note(self, holds: object, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def verdict(self) -> str | None:
        """Why the test fails, or None."""
        if self.attacks and not self.controls:
            return "attacks without a positive control beside them"
        shown = self.broken[:40]
        more = [f"... and {len(self.broken) - len(shown)} more"] if len(self.broken) > len(shown) else []
        return "\n".join((*shown, *more)) or None
