"""Platform components are not below the version that fixed a known fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tenantry.core.findings import Finding
from tenantry.plan.scope import Scope

FLOORS: Mapping[str, tuple[tuple[int, ...], str]] = {
    "argocd": ((3, 1, 2), "CVE-2025-55190: project tokens read repository credentials"),
    "cloudnative_pg": (
        (1, 30, 0),
        "CVE-2026-44477, CVE-2026-55769, GHSA-7qwx-x8ff-3px9: the operator as a ladder to superuser",
    ),
    "external_secrets": ((2, 4, 0), "CVE-2026-22822, CVE-2026-42875, CVE-2026-42876: secrets of other namespaces"),
    "keda": ((2, 18, 3), "CVE-2025-68476: files of the operator read through its login at a secret store"),
    "kyverno": ((1, 19, 2), "CVE-2026-122303, CVE-2026-122313: policies bypassed"),
    "traefik": ((3, 7, 13), "CVE-2026-112778, CVE-2026-85594, CVE-2026-54761: routes across namespaces"),
    "velero": ((1, 4, 3), "CVE-2020-3996: restores into other namespaces"),
}
"""Component -> (lowest version, why). From the advisories of the projects."""


def version(value: str) -> tuple[int, ...]:
    """Up to three numbers of a version or tag, to be compared."""
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", value[:100])[:3])


def floors(scope: Scope) -> Iterator[Finding]:
    """F025: a component below the version that fixed a known fault."""
    components = scope.fleet.platform.components
    given = scope.fleet.document(scope.fleet.platform).data["spec"]["components"]
    for field, (floor, why) in FLOORS.items():
        found = getattr(components, field)
        if version(found) < floor:
            key = next(key for key in given if key.lower() == field.replace("_", ""))
            message = f"{key} {found} is below {'.'.join(map(str, floor))}"
            place = scope.fleet.place(scope.fleet.platform, "components", key)
            yield Finding("F025", place, message, why, control="SUP-04")
