"""A plan as a page, in a real browser: on a desk, on a phone and on paper; nothing is fetched, nothing of the fleet runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.harness.browser import Page, environment
from acceptance.harness.packages import CHROMEDRIVER
from acceptance.harness.process import Processes, free_port, listens
from acceptance.harness.tally import Tally
from tenantry.core.changes import Approval, Effect, Plan, PlanStep, Subject, SubjectChange, SyncedBy
from tenantry.core.findings import FieldChange, Finding, ObjectChange, ObjectId, Place, Result
from tenantry.report import WRITERS

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
LONG = "ghcr.example/" + "a-very-long-path/" * 12 + "odoo:18.0@sha256:" + "0" * 300
PHONE, DESK = 390, 1280


def plan() -> Result:
    """A removal, a hostile text and a line that is far longer than a phone is wide."""
    changes = []
    for name, action in (("acme", "changed"), ("delta", "removed")):
        subject = Subject("instance", f"{name}-production", "euw1-a", name, "production", "shared", "euw1-shared-a")
        fields = (FieldChange("spec.template.spec.containers[odoo].image", LONG, HOSTILE),)
        unit = f"euw1-a/production/{name}/app"
        identity = ObjectId("apps", "Deployment", f"{name}-production", "odoo-web")
        objects = (ObjectChange("changed", identity, name, "euw1-a", "app", unit, fields),)
        effect = Effect("data" if action == "removed" else "availability", f"image {LONG} -> {HOSTILE}", "odoo-web")
        synced = (SyncedBy(f"{name}-production-app", "app", "euw1-a", "at once"),)
        changes.append(SubjectChange(subject, action, (effect,), objects, synced_by=synced))  # type: ignore[arg-type]
    steps = (PlanStep("production: app", ("acme (production)",), "at once"),)
    approvals = (Approval("operations", f"availability: {HOSTILE}"),)
    made = Plan("main (abc)", "the working tree", ("tenants/acme.yaml",), tuple(changes), steps, approvals, ())
    return Result(
        "plan", (Finding("B001", Place("tenants/delta.yaml", 1, 1), f"is gone: {HOSTILE}"),), {}, (), plan=made
    )


@pytest.fixture(scope="module")
def driver(processes: Processes) -> str:
    port = free_port()
    processes.start(
        "chromedriver", [CHROMEDRIVER.path(), f"--port={port}"], ready=listens(port), environment=environment()
    )
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    path = folder / "plan.html"
    path.write_text(WRITERS["html"](plan()), encoding="utf-8")
    return path


@pytest.fixture(params=[(DESK, False), (PHONE, True)], ids=["desk", "phone"])
def page(driver: str, file: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, mobile = request.param
    with Page(driver, file, width=width, mobile=mobile) as shown:
        yield shown


def test_it_fits_and_shows_what_is_grave(page: Page, tally: Tally) -> None:
    page.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
    tally.check(page.ask("document.documentElement.scrollWidth <= window.innerWidth"), "a reader must scroll sideways")
    text = page.ask("document.body.innerText")
    for wanted in ("REMOVED: delta (production).", "B001", "operations", "spec.template.spec.containers[odoo].image"):
        tally.check(wanted in text, f"{wanted} can't be read")


def test_nothing_is_fetched_and_nothing_runs(page: Page, tally: Tally) -> None:
    tally.attack(page.ask("document.title") == "tenantry plan", "a text of the fleet runs as a script")
    tally.attack(
        page.ask("document.querySelectorAll('img, script, iframe, link').length") == 0, "a text becomes an element"
    )
    tally.attack(page.ask("performance.getEntriesByType('resource').length") == 0, "the page fetches something")
    tally.control(page.ask("document.body.innerText.includes('onerror=')"), "the same text is shown as it is")
    complaints = page.messages()
    tally.check(not complaints, f"the browser complains: {complaints}")


def test_on_paper_all_objects_are_there(page: Page, tally: Tally) -> None:
    """Nobody can unfold what is printed."""
    hidden = "[...document.querySelectorAll('td')].filter(one => one.getClientRects().length === 0 || !one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})).length"  # fmt: skip
    tally.check(page.ask(hidden) > 0, "the objects are folded on a screen")
    page.emulate("print")
    tally.check(page.ask(hidden) == 0, "objects are folded on paper")
    page.emulate("screen")
    tally.check(page.printed().startswith("JVBERi"), "it can't be printed")  # %PDF
