"""A plan in each format: nothing grave is ever left out, and nothing of the fleet acts on its reader."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import jsonschema
import pytest

from tenantry.core.changes import Effect, Plan, Subject, SubjectChange, SyncedBy
from tenantry.core.findings import FieldChange, Finding, ObjectChange, ObjectId, Place, Result
from tenantry.report import WRITERS
from tenantry.report.plan.markdown import LIMIT
from tenantry.report.plan.schema import plan_schema


def change(name: str, *effects: Effect, action: str = "changed", objects: int = 1) -> SubjectChange:
    subject = Subject("instance", f"{name}-production", "euw1-a", name, "production", "shared", "euw1-shared-a")
    there = tuple(
        ObjectChange(
            "changed", ObjectId("apps", "Deployment", f"{name}-production", f"odoo-{number}"), name, "euw1-a", "app",
            f"euw1-a/production/{name}/app", (FieldChange("spec.replicas", 1, 2),),
        )
        for number in range(objects)
    )  # fmt: skip
    synced = (SyncedBy(f"{name}-production-app", "app", "euw1-a", "Sun 2026-11-29 01:00 Europe/Madrid, 4 h"),)
    return SubjectChange(subject, action, effects, there, synced_by=synced)  # type: ignore[arg-type]


def result(*changes: SubjectChange, folded: tuple[tuple[Subject, ...], ...] = ()) -> Result:
    plan = Plan("main (abc)", "the working tree", ("tenants/acme.yaml",), changes, (), (), folded)
    return Result("plan", (), {}, (), plan=plan)


RESTART = Effect("availability", "Pods of odoo-web restart", "odoo-web")
GONE = Effect("data", "the instance is removed: Odoo, database, attachments and backups", downtime="for good")


def test_the_gravest_comes_first_and_removals_are_named_at_the_top() -> None:
    text = WRITERS["text"](result(change("acme", RESTART), change("delta", GONE, action="removed")))
    lines = text.splitlines()
    assert "Risk: data (data may be lost, moved, or no longer come back)." in lines
    assert "REMOVED: delta (production)." in lines
    assert text.index("delta (production) is removed") < text.index("acme (production), tier shared")


def test_instances_that_are_alike_are_one_entry_with_all_names() -> None:
    changes = [change(name, RESTART) for name in ("acme", "birch", "cedar")]
    text = WRITERS["text"](result(*changes, folded=(tuple(c.subject for c in changes),)))
    assert text.count("Pods of odoo-web restart") == 1
    assert (
        "acme (production), tier shared, cell euw1-shared-a, cluster euw1-a and 2 other instances: the same change"
        in text
    )
    assert "birch (production), cedar (production)" in text


@pytest.mark.parametrize("tenants", [1, 40, 400, 1_000, 5_000])
def test_a_comment_fits_and_loses_neither_a_removal_nor_a_risk(tenants: int) -> None:
    changes = [
        change(
            f"tenant-{number:05}", Effect("availability", f"Pods restart for reason {number}", "odoo-web"), objects=4
        )
        for number in range(tenants)
    ]
    changes += [change("delta", GONE, action="removed"), change("ember", Effect("isolation", "a host more"))]
    text = WRITERS["markdown"](result(*changes))
    assert len(text) < LIMIT
    assert "REMOVED: delta (production)" in text
    assert "data" in text
    assert "isolation" in text
    assert ("Too long for a comment" in text) == (tenants > 40)


def test_json_keeps_to_its_schema() -> None:
    schema = json.loads(plan_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(WRITERS["json"](result(change("acme", RESTART), change("delta", GONE, action="removed"))))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert [subject["risk"] for subject in document["plan"]["subjects"]] == ["availability", "data"]
    del document["plan"]["subjects"][0]["effects"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


class Tags(HTMLParser):
    """Which tags and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_a_page_is_self_contained_and_no_text_of_the_fleet_is_markup() -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    found = Finding("B001", Place("tenants/acme.yaml", 1, 1), evil, evil)
    made = result(change("acme", Effect("data", evil)))
    page = WRITERS["html"](Result("plan", (found,), {}, (evil,), plan=made.plan))
    parser = Tags()
    parser.feed(page)
    assert not parser.tags & {"script", "img", "link", "iframe"}
    assert not parser.attributes & {"src", "href", "onerror", "style"}
    assert "default-src 'none'" in page
    assert page.count("&lt;script&gt;") == 4


def test_markdown_escapes_what_would_be_markup() -> None:
    text = WRITERS["markdown"](result(change("acme", Effect("data", "a | b @everyone <b>"))))
    assert "a \\| b @&#8203;everyone \\<b\\>" in text
