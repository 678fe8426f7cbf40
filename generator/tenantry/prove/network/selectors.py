"""Label selectors as values that can be asked, not only matched (k8s.io/apimachinery, pkg/labels/selector.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenantry.core.manifest import Value, entries, items, mapping, text

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. `matchLabels` are those with the operator In and one value."""

    key: str
    operator: str
    values: frozenset[str]

    def matches(self, labels: Labels) -> bool:
        """Whether the labels meet this requirement."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values if self.key in labels else False
            case "NotIn":  # a missing key matches
                return self.key not in labels or labels[self.key] not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        return False


@dataclass(frozen=True, slots=True)
class Selector:
    """All requirements must hold; without any it takes everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether the labels meet every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def pinned(self, key: str) -> frozenset[str] | None:
        """The only values of a label that are taken; None when others, or none, are taken too."""
        found = [r.values for r in self.requirements if r.key == key and r.operator == "In"]
        return frozenset.intersection(*found) if found else None

    def demands(self, key: str) -> bool:
        """Whether something without the label can't be taken."""
        return any(r.key == key and r.operator in ("In", "Exists") for r in self.requirements)

    def __str__(self) -> str:
        return ", ".join(map(_show, self.requirements)) or "everything"


EVERYTHING = Selector()


def selector(value: object) -> Selector:
    """A LabelSelector's value as a Selector. Nothing but an empty mapping takes everything; the caller knows absence."""
    content: Value = mapping(value)
    found = [Requirement(k, "In", frozenset((text(v),))) for k, v in mapping(content.get("matchLabels")).items()]
    for _, entry in entries(content.get("matchExpressions")):
        values = frozenset(map(text, items(entry.get("values"))))
        found.append(Requirement(text(entry.get("key")), text(entry.get("operator")), values))
    return Selector(tuple(sorted(found, key=lambda r: (r.key, r.operator, sorted(r.values)))))


def _show(requirement: Requirement) -> str:
    values = " or ".join(sorted(requirement.values))
    return {
        "In": f"{requirement.key}={values}",
        "NotIn": f"{requirement.key} other than {values}",
        "Exists": f"any {requirement.key}",
        "DoesNotExist": f"no {requirement.key}",
    }.get(requirement.operator, requirement.key)
