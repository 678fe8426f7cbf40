"""What a running service needs of the rendered objects, held for every tenant of every tier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controls.laboratory import example
from tenantry.core.manifest import Manifest
from tenantry.verify.references.index import pod_specs


def objects(*kinds: str) -> Iterator[Manifest]:
    _, clusters = example()
    found = [m for own in clusters.values() for m in own if m.identity.kind in kinds]
    assert found
    return iter(found)


def specs() -> Iterator[tuple[Manifest, dict[str, Any]]]:
    """Pod templates of our own workloads."""
    for manifest in objects("Deployment", "StatefulSet", "Job"):
        for _, _, spec in pod_specs(manifest):
            yield manifest, dict(spec)


def test_no_database_has_the_extension_that_turns_trigram_indexes_off() -> None:
    for database in objects("Database"):
        states = {e["name"]: e["ensure"] for e in database.spec["extensions"]}
        assert states == {"pg_trgm": "present", "unaccent": "absent"}, database.identity


def test_a_zone_without_usable_nodes_keeps_no_pod_from_being_placed() -> None:
    seen = 0
    for manifest, spec in specs():
        for constraint in spec.get("topologySpreadConstraints", ()):
            if constraint["whenUnsatisfiable"] == "DoNotSchedule":
                seen += 1
                assert constraint.get("nodeTaintsPolicy") == "Honor", manifest.identity
    assert seen


def test_pages_may_use_camera_microphone_and_place_themselves_and_let_no_other_site() -> None:
    for headers in (m for m in objects("Middleware") if m.identity.name == "security-headers"):
        policy = headers.spec["headers"]["permissionsPolicy"]
        assert policy == "camera=(self), microphone=(self), geolocation=(self)"
