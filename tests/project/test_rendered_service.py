"""What a running service needs of the rendered objects, held for every tenant of every tier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conftest import Ran
from controls.laboratory import example
from tenantry.core.manifest import Manifest
from tenantry.prove.probes import LONGEST_REQUEST
from tenantry.verify.index import pod_specs


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


def test_odoo_ends_a_request_when_probes_and_edge_expect_it() -> None:
    options = [m.value["data"]["options.conf"] for m in objects("ConfigMap") if m.identity.name == "odoo-config"]
    assert options
    for text in options:
        assert f"limit_time_real = {LONGEST_REQUEST}\n" in text


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


def test_an_office_behind_one_address_gets_in_at_nine_o_clock_and_a_guesser_no_faster() -> None:
    known, _ = example()
    users = {i.names.namespace: i.tenant.users for i in known.instances.values()}
    lifted = {e.tenant for e in known.exceptions if e.control == "EDGE-04"}
    for limit in (m for m in objects("Middleware") if m.identity.name in ("rate-limit", "login-rate-limit")):
        rate, there = limit.spec["rateLimit"], users[limit.identity.namespace]
        login = limit.identity.name == "login-rate-limit"
        assert rate["burst"] >= (there / 20 if login else 6 * there), limit.identity
        assert not login or rate["average"] == 1 or limit.identity.namespace.rpartition("-")[0] in lifted, (
            limit.identity
        )


def test_a_customers_own_domain_gets_its_certificate_by_a_record_that_explain_names(
    run: Callable[..., Ran], fleet: Path
) -> None:
    tenant = fleet / "tenants/acme.yaml"
    text = tenant.read_text()
    assert "[erp.acme.example]" in text
    tenant.write_text(text.replace("[erp.acme.example]", "[erp.acme.example, shop.acme.example]"))
    said = run("explain", "acme", "-C", fleet)
    for host in ("erp.acme.example", "shop.acme.example"):
        assert f"_acme-challenge.{host} CNAME {host}.acme.provider.example" in said.out, said.out
    assert run("render", "-C", fleet).code == 0
    names = [path.name for path in (fleet / "rendered").rglob("certificate*odoo-tls*")]
    assert "certificate.cert-manager.io_acme-production_odoo-tls-2.yaml" in names
    for issuer in objects("ClusterIssuer"):
        for solver in issuer.spec.get("acme", {}).get("solvers", ()):
            assert solver["dns01"]["cnameStrategy"] == "Follow"


def test_odoo_finds_the_add_ons_of_its_image_though_its_own_configuration_is_replaced() -> None:
    known, _ = example()
    paths = {i.names.namespace: i.release.addons_path for i in known.instances.values()}
    for config in (m for m in objects("ConfigMap") if m.identity.name in ("odoo-config", "odoo-migration")):
        assert f"addons_path = {','.join(paths[config.identity.namespace])}\n" in config.value["data"]["options.conf"]
