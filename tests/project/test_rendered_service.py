"""What a running service needs of the rendered objects, held for every tenant of every tier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conftest import Ran
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


def test_what_pods_write_on_a_node_is_bounded_and_fits_their_own_limit() -> None:
    sizes = {"Mi": 1, "Gi": 1024}
    mebibytes = lambda text: int(text[:-2]) * sizes[text[-2:]]  # noqa: E731 - of the quantities that templates write
    for manifest, spec in specs():
        containers = [
            *spec["containers"],
            *(c for c in spec.get("initContainers", ()) if c.get("restartPolicy") == "Always"),
        ]
        limit = sum(mebibytes(c["resources"]["limits"]["ephemeral-storage"]) for c in containers)
        volumes = [v["emptyDir"] for v in spec["volumes"] if "emptyDir" in v]
        assert all("sizeLimit" in volume for volume in volumes), manifest.identity
        assert sum(mebibytes(v["sizeLimit"]) for v in volumes if v.get("medium") != "Memory") < limit, manifest.identity


def test_processes_that_together_outgrow_their_pod_need_kubelets_that_end_one_of_them(
    run: Callable[..., Ran], fleet: Path
) -> None:
    assert run("render", "-C", fleet).code == 0
    cluster = fleet / "platform/clusters/euw1-a.yaml"
    cluster.write_text(cluster.read_text().replace("  singleProcessOomKill: true\n", ""))
    ran = run("render", "-C", fleet)
    assert ran.code == 1
    assert "RUN-03" in ran.out
    assert "the kernel would end all of them" in ran.out
