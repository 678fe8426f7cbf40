"""What a person does at the edge, and what of it stays the tenant's own."""

from __future__ import annotations

import json

from websockets.sync.client import ClientConnection

from cluster.asking import Visit, database_of, password, redis_says, sql, upload
from cluster.plugin import Show
from cluster.service import EDGE_PORT, Service
from cluster.trees import TENANTS
from images.person import Person

ONE, OTHER = TENANTS
CONTENT = b"a file of one tenant, of which there is no other copy"
STARRED = "mail.message/toggle_star"


def test_a_person_logs_in_over_tls(service: Service, visit: Visit, show: Show) -> None:
    for tenant in TENANTS:
        assert not visit(tenant).log_in("admin", "admin")
        assert not visit(tenant).log_in("admin", password(service, TENANTS[TENANTS.index(tenant) - 1]))
        person = visit(tenant)
        assert person.log_in("admin", password(service, tenant))
        assert person.is_logged_in()
        show(f"{service.host(tenant)}: first password yes; admin/admin and the neighbour's password no")


def test_a_session_of_one_tenant_is_none_of_the_other(service: Service, visit: Visit, show: Show) -> None:
    person, stranger = visit(ONE), visit(OTHER)
    assert person.log_in("admin", password(service, ONE))
    stranger.session = person.session
    assert not stranger.is_logged_in()
    assert person.is_logged_in()
    seen = [redis_says(service, tenant, "EXISTS", f"session::{ONE}:{person.session[:42]}") for tenant in TENANTS]
    assert seen[0].strip() == "1"
    assert "NOPERM" in seen[1]
    show(f"Valkey: 1 for {ONE}; {seen[1].strip()[:60]} for {OTHER}")


def test_an_uploaded_file_lies_in_the_tenants_own_prefix(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    identifier, path = upload(service, person, ONE, CONTENT)
    assert path.read_bytes() == CONTENT
    assert ONE.removesuffix("-production") in str(path.relative_to(service.store.folder))
    assert person.get(f"/web/content/{identifier}").content == CONTENT
    stranger = visit(OTHER)
    assert stranger.log_in("admin", password(service, OTHER))
    assert CONTENT not in stranger.get(f"/web/content/{identifier}").content
    show(f"{path.relative_to(service.store.folder)}; the neighbour gets another answer")


def test_a_report_is_printed(service: Service, visit: Visit, show: Show) -> None:
    person = visit(ONE)
    assert person.log_in("admin", password(service, ONE))
    module = sql(service, database_of(ONE), "SELECT id FROM ir_module_module WHERE name = 'web'")
    answer = person.get(f"/report/pdf/base.report_irmodulereference/{module}")
    assert answer.content.startswith(b"%PDF"), answer.text[:200]
    show(f"{len(answer.content) >> 10} KiB of PDF")


def test_a_websocket_brings_a_message_to_its_person_only(service: Service, visit: Visit, show: Show) -> None:
    person, neighbour = visit(ONE), visit(OTHER)
    assert person.log_in("admin", password(service, ONE))
    assert neighbour.log_in("admin", password(service, OTHER))
    with person.websocket(EDGE_PORT) as own, neighbour.websocket(EDGE_PORT) as other:
        for bus in (own, other):
            bus.send(json.dumps({"event_name": "subscribe", "data": {"channels": [], "last": 0}}))
        star(person)
        assert heard(own) == [STARRED]
        # What is the neighbour's own comes, and comes alone.
        star(neighbour)
        assert heard(other) == [STARRED]
    show("one message each, through the database's notifications and the edge; none of the neighbour's")


def test_a_person_logs_out_another_device(service: Service, visit: Visit, show: Show) -> None:
    person, lost = visit(ONE), visit(ONE)
    for one in (person, lost):
        assert one.log_in("admin", password(service, ONE))
        one.get("/odoo")
    person.revoke(password(service, ONE), lost)
    assert not lost.is_logged_in()
    assert person.is_logged_in()
    show("the other session ended at once, one's own goes on")


def test_what_the_edge_keeps_closed(visit: Visit, show: Show) -> None:
    person = visit(ONE)
    answers = {path: person.get(path).status_code for path in ("/web/login", "/web/database/manager", "/metrics")}
    assert answers == {"/web/login": 200, "/web/database/manager": 404, "/metrics": 404}
    show(", ".join(f"{path} {status}" for path, status in answers.items()))


def star(person: Person) -> None:
    """Mark a message of one's own, of which the bus tells all devices of the person."""
    (mine,) = person.model("res.users", "read", [person.user], ["partner_id"])
    message = person.model("res.partner", "message_post", [mine["partner_id"][0]], body="a note")
    identifier = message[0] if isinstance(message, list) else message
    person.model("mail.message", "toggle_message_starred", [identifier])


def heard(bus: ClientConnection) -> list[str]:
    """Types of the notifications that came until the first of a star."""
    found: list[str] = []
    while STARRED not in found:
        found += [one["message"]["type"] for one in json.loads(bus.recv(30))]
    return found
