"""A lost primary and a killed Pod: what people notice."""

from __future__ import annotations

import time

from acceptance.harness.process import wait_for
from cluster.asking import Visit, answered, odoo, password, primary
from cluster.plugin import Show
from cluster.service import Service
from cluster.trees import CELL, TENANTS

ONE, OTHER = TENANTS


def test_a_lost_primary_interrupts_people_for_seconds(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    before, counts = primary(service), lambda: person.model("res.users", "search_count", [])
    service.cluster.kubectl("-n", CELL, "delete", "pod", before, "--wait=false", "--grace-period=1")
    began = time.monotonic()
    wait_for("another primary", lambda: primary(service) != before, 120, every=0.2)
    promoted = time.monotonic() - began
    wait_for("an answer from the new primary", lambda: answered(counts), 180, every=0.5)
    show(f"another primary after {promoted:.1f} s; the same session works after {time.monotonic() - began:.1f} s")


def test_a_killed_web_pod_is_replaced_and_sessions_go_on(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    before = odoo(service, ONE)
    service.cluster.kubectl("-n", ONE, "delete", "pod", before, "--wait=false", "--grace-period=1")
    began = time.monotonic()

    def serves() -> bool:
        return odoo(service, ONE) != before and answered(person.is_logged_in)

    wait_for("the session on another Pod", serves, 240, every=0.5)
    show(f"one replica of that size: the same session works again after {time.monotonic() - began:.0f} s")
