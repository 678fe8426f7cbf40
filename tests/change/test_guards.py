"""What a change must not do to the state before it: each guard with the change that it refuses, and one that passes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.change.guards import guard
from tenantry.change.guards.registration import GUARDS, Comparison
from tenantry.change.revisions import INPUT_FOLDERS, Revision, texts_of_folder
from tenantry.change.side import read_past, read_side
from tenantry.core.findings import Finding
from tenantry.runtime.cache import Store

AS_OF = "2026-11-29"


@pytest.fixture(scope="module")
def documents() -> Store:
    return Store()


@dataclass(frozen=True)
class Edit:
    """Text of a file replaced; a file without `new` is deleted."""

    file: str
    old: str = ""
    new: str | None = None

    def do(self, root: Path) -> None:
        path = root / self.file
        if self.new is None:
            path.unlink()
            return
        text = path.read_text()
        assert self.old in text, (self.file, self.old)
        path.write_text(text.replace(self.old, self.new, 1))


def lay(root: Path, edits: Sequence[Edit] = ()) -> Path:
    for folder in INPUT_FOLDERS:
        shutil.copytree(REPOSITORY / folder, root / folder)
    for edit in edits:
        edit.do(root)
    return root


@pytest.fixture
def judged(tmp_path: Path, documents: Store) -> Callable[..., list[Finding]]:
    """What the guards say of edits to the example fleet; `earlier` edits were made before."""

    def judge(*edits: Edit, earlier: Sequence[Edit] = (), as_of: str = AS_OF) -> list[Finding]:
        base = lay(tmp_path / "base", earlier) if earlier else REPOSITORY
        return guarded(base, lay(tmp_path / "fleet", [*earlier, *edits]), documents, as_of)

    return judge


def guarded(base: Path, fleet: Path, documents: Store, as_of: str = AS_OF) -> list[Finding]:
    after = read_side(Revision("the change", fleet), as_of, documents)
    before = read_past("the base", after, texts_of_folder(base, fleet), documents)
    return list(guard(Comparison(before, after, as_of)))


def codes(findings: Sequence[Finding]) -> list[str]:
    return [f"{finding.code} {finding.place.file}" for finding in findings]


ACME = "tenants/acme.yaml"
CELL = "platform/cells/euw1-shared-a.yaml"
STANDARD = "platform/releases/standard.yaml"
PLACES = ("database", "archive", "dumps", "attachments", "redis", "secrets", "logs", "metrics", "velero")
ERASED = "step: erase, erased: [" + ", ".join(f'{{place: {p}, date: "2026-11-01", by: A}}' for p in PLACES) + "]"
LEAVING = Edit(
    "tenants/juniper-clinic.yaml",
    "  state: offboarding\n",
    '  state: offboarding\n  offboarding: {{deleteAfter: "{}", approver: A, reason: moved, {}}}\n',
)
JUNIPER_GONE = Edit("tenants/juniper-clinic.yaml")

REFUSED: dict[str, tuple[list[Edit], str, str]] = {
    "tenant deleted": (
        [Edit(ACME)], f"B001 {ACME}",
        "acme (production) would be removed with its data: before this change it is active, not offboarding",
    ),
    "offboarding tenant deleted without approval": (
        [JUNIPER_GONE], "B001 tenants/juniper-clinic.yaml", "nobody approved its deletion",
    ),
    "offboarding and deletion in one change": (
        [Edit(ACME, "  tier: shared\n", "  tier: shared\n  state: offboarding\n"), Edit(ACME)], f"B001 {ACME}", "before this change it is active",
    ),
    "environment removed": (
        [Edit("tenants/northwind-partners.yaml", "    staging: {cell: euw1-seg-np}\n", "")],
        "B001 tenants/northwind-partners.yaml", "northwind-partners (staging) would be removed",
    ),
    "password used before it works": (
        [Edit(ACME, "hosts: [erp.acme.example]}", "hosts: [erp.acme.example], credentials: {redis: {generation: 2, also: 1}}}")],
        f"B016 {ACME}", "acme-production: Pods would have generation 2 of redis while it is refused",
    ),
    "key refused while Pods have it": (
        [Edit(ACME, "hosts: [erp.acme.example]}", "hosts: [erp.acme.example], credentials: {objectStorage: {generation: 2}}}")],
        f"B016 {ACME}", "acme-production: Pods would have generation 2 of objectStorage while it is refused",
    ),
    "cell deleted": ([Edit(CELL)], f"B001 {CELL}", "instances live in it"),
    "cluster deleted": ([Edit("platform/clusters/euw1-a.yaml")], "B001 platform/clusters/euw1-a.yaml", "would be removed with its cells"),
    "cell changed in the tenant": (
        [Edit(ACME, "cell: euw1-shared-a", "cell: euw1-shared-b")], f"B003 {ACME}",
        "acme (production) would open with an empty database: its database would be 'acme_production' on the server in euw1-shared-b-cell",
    ),
    "bucket renamed": (
        [Edit("platform/clusters/euw1-a.yaml", "attachmentBucket: euw1-a-files", "attachmentBucket: euw1-a-attachments")],
        f"B003 {ACME}", "would open with no attachments",
    ),
    "backup bucket renamed": (
        [Edit("platform/clusters/euw1-a.yaml", "backupBucket: euw1-a-backup", "backupBucket: euw1-a-dumps")],
        f"B003 {ACME}", "would open with no backups",
    ),
    "tier's server becomes shared": (
        [Edit("tiers/segmented.yaml", "nodes: cell-segment, postgresql: own", "nodes: cell-segment, postgresql: cell"),
         Edit("tiers/segmented.yaml", "restoreDrill: {scope: tenant", "restoreDrill: {scope: cell")],
        "B003 tenants/northwind-partners.yaml", "would open with an empty database",
    ),
    "Odoo skips a major": (
        [Edit("platform/releases/legacy.yaml", "production: odoo-17.0-20261005", "production: odoo-19.0-20261102")],
        "B004", "Odoo is upgraded one major at a time, from 17.0 to 18.0 to 19.0",
    ),
    "Odoo goes back a major": (
        [Edit(STANDARD, "production: odoo-18.0-20261012", "production: odoo-17.0-20261005")],
        f"B004 {ACME}", "Odoo 17.0 can't read the database of Odoo 18.0",
    ),
    "an older build": (
        [Edit("platform/releases/odoo-18.0-20261012.yaml", 'built: "2026-10-12"', 'built: "2026-10-01"')],
        f"B004 {ACME}", "was built on 2026-10-01, before 'odoo-18.0-20261012' (2026-10-12)",
    ),
    "a module taken away": (
        [Edit("platform/releases/odoo-18.0-20261012.yaml", "purchase, stock", "stock")], f"B005 {ACME}", "installed: purchase",
    ),
    "PostgreSQL goes back": ([Edit(CELL, "major: 17", "major: 16")], f"B004 {CELL}", "PostgreSQL 16 can't read the files of PostgreSQL 17"),
    "a cell's volume shrinks": ([Edit(CELL, "storageGiB: 500", "storageGiB: 400")], f"B006 {CELL}", "'postgresql.storageGiB' would shrink from 500 to 400 GiB"),
    "a cell's WAL shrinks": ([Edit(CELL, "walGiB: 100", "walGiB: 90")], f"B006 {CELL}", "'postgresql.walGiB' would shrink"),
    "users leave, and the volume shrinks": (
        [Edit("tenants/northwind-partners.yaml", "users: 140", "users: 60")], "B006 ", "the data volume of its PostgreSQL would shrink from",
    ),
    "storage class changed": (
        [Edit("platform/clusters/euw1-a.yaml", "database: fast-encrypted", "database: faster-encrypted")],
        "B007 platform/clusters/euw1-a.yaml", "'storageClasses.database' of cluster 'euw1-a' would change from 'fast-encrypted' to 'faster-encrypted'",
    ),
    "Pod network changed": (
        [Edit("platform/clusters/euw1-a.yaml", "pods: [10.16.0.0/16]", "pods: [10.18.0.0/16]")],
        "B007 platform/clusters/euw1-a.yaml", "Kubernetes can't change the Pod network",
    ),
    "a closed channel joined": (
        [Edit(ACME, "channel: standard", "channel: legacy")], f"B008 {ACME}", "channel 'legacy' takes no new tenants",
    ),
    "a closed cell joined": (
        [Edit("platform/cells/euw1-shared-b.yaml", "  cluster: euw1-a\n", "  cluster: euw1-a\n  state: closed\n"), Edit(ACME, "cell: euw1-shared-a", "cell: euw1-shared-b")],
        f"B008 {ACME}", "cell 'euw1-shared-b' is closed",
    ),
    "backups kept for less long": (
        [Edit("tiers/segmented.yaml", "retentionDays: 35", "retentionDays: 20")], "B011 tiers/segmented.yaml",
        "backups of 21 to 35 days ago would be deleted",
    ),
    "region changed": (
        [Edit("platform/clusters/euw1-a.yaml", "region: eu-west", "region: eu-central")], "B007 platform/clusters/euw1-a.yaml", "does not move to another region",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_its_place_and_reason(judged: Callable[..., list[Finding]], name: str) -> None:
    edits, where, text = REFUSED[name]
    found = judged(*edits)
    assert any(f"{f.code} {f.place.file}".startswith(where) and text in f.message and f.hint for f in found), (
        codes(found),
        [f.message for f in found],
    )


PASSES: dict[str, list[Edit]] = {
    "nothing": [],
    "the next password works besides": [
        Edit(
            ACME,
            "hosts: [erp.acme.example]}",
            "hosts: [erp.acme.example], credentials: {redis: {generation: 1, also: 2}}}",
        )
    ],
    "more users": [Edit(ACME, "users: ", "users: 1")],
    "a host more": [Edit(ACME, "displayName: ", "displayName: New ")],
    "a larger volume": [Edit(CELL, "storageGiB: 500", "storageGiB: 600")],
    "the next build": [Edit(STANDARD, "production: odoo-18.0-20261012", "production: odoo-18.0-20261109")],
    "a cell closes under those who are there": [
        Edit(CELL, "  cluster: euw1-a\n", "  cluster: euw1-a\n  state: closed\n")
    ],
    "a channel closes under those who follow it": [
        Edit(STANDARD, "  releases:", "  takesNewTenants: false\n  releases:")
    ],
    "a tenant stops": [Edit(ACME, "  tier: shared\n", "  tier: shared\n  state: suspended\n")],
    "a tenant begins to leave": [Edit(ACME, "  tier: shared\n", "  tier: shared\n  state: offboarding\n")],
}


@pytest.mark.parametrize("name", PASSES)
def test_an_ordinary_change_passes(judged: Callable[..., list[Finding]], name: str) -> None:
    assert codes(judged(*PASSES[name])) == []


def leaving(day: str) -> Edit:
    return Edit(LEAVING.file, LEAVING.old, (LEAVING.new or "").format(day, ERASED))


@pytest.mark.parametrize(("day", "refused"), [("2026-11-28", False), ("2026-11-29", True), ("2027-01-01", True)])
def test_an_approved_tenant_leaves_after_its_day(judged: Callable[..., list[Finding]], day: str, refused: bool) -> None:
    found = judged(JUNIPER_GONE, earlier=[leaving(day)])
    assert codes(found) == (["B001 tenants/juniper-clinic.yaml"] if refused else [])


def test_an_approval_counts_only_if_it_was_there_before(judged: Callable[..., list[Finding]]) -> None:
    assert codes(judged(leaving("2026-11-01"), JUNIPER_GONE)) == ["B001 tenants/juniper-clinic.yaml"]


def test_many_do_not_leave_at_once(judged: Callable[..., list[Finding]]) -> None:
    approved = (
        '  state: offboarding\n  offboarding: {deleteAfter: "2026-11-01", approver: A, reason: moved, ' + ERASED + "}\n"
    )
    names = ["delta-books", "baker-and-sons"]
    earlier = [Edit(f"tenants/{name}.yaml", "  tier: shared\n", f"  tier: shared\n{approved}") for name in names]
    found = judged(*(Edit(f"tenants/{name}.yaml") for name in names), earlier=earlier)
    assert [(f.code, f.message) for f in found] == [
        ("B002", "2 tenants would leave at once (baker-and-sons, delta-books)")
    ]


def test_a_renamed_tenant_is_told_that_it_would_start_empty(tmp_path: Path, documents: Store) -> None:
    text = (REPOSITORY / ACME).read_text()
    renamed = lay(tmp_path / "renamed")
    (renamed / ACME).unlink()
    (renamed / "tenants/acme-group.yaml").write_text(text.replace("name: acme\n", "name: acme-group\n"))
    found, *_ = guarded(REPOSITORY, renamed, documents)
    assert (found.code, found.place.file) == ("B001", ACME)
    assert "'acme-group' looks like its new name" in found.hint


def test_what_could_not_be_compared_is_said(judged: Callable[..., list[Finding]]) -> None:
    broken = Edit(ACME, "users: ", "users: many # ")
    mended = Edit(ACME, "users: many # ", "users: ")
    assert codes(judged(mended, earlier=[broken])) == [f"B009 {ACME}"]


def test_what_could_not_be_resolved_is_said(judged: Callable[..., list[Finding]]) -> None:
    """A base in which a tenant's cell is missing knows nothing of its data; its removal is not passed over."""
    found = judged(Edit(ACME), earlier=[Edit(ACME, "cell: euw1-shared-a", "cell: euw1-shared-x")])
    assert ("B009", "acme (production) contradicts the platform in the base") in [(f.code, f.message) for f in found]


def test_a_file_that_is_broken_now_is_not_said_to_vanish(judged: Callable[..., list[Finding]]) -> None:
    assert codes(judged(Edit(ACME, "users: ", "users: many # "))) == []


def test_each_guard_refuses_something() -> None:
    """The table above names a change for each, those of moves, restores, erasures and failovers apart; a guard without one was never seen to work."""
    said = {found for function in GUARDS for found in _codes_of(function)}
    tried = {where.split(" ")[0] for _, where, _ in REFUSED.values()} | {"B002", "B009", "B012", "B013", "B014", "B015"}
    assert said == tried


def _codes_of(function: Callable[..., Iterator[Finding]]) -> set[str]:
    return set(re.findall(r"\b(B\d{3})\b", function.__doc__ or ""))


def test_a_tenant_stays_until_all_of_its_data_is_recorded_as_erased(judged: Callable[..., list[Finding]]) -> None:
    kept = Edit(LEAVING.file, LEAVING.old, (LEAVING.new or "").format("2026-11-01", "step: keep"))
    (found,) = judged(JUNIPER_GONE, earlier=[kept])
    assert found.code == "B001"
    assert f"nobody recorded that it was erased ({', '.join(PLACES)}; see 'tenantry erase')" in found.message


BEGINS = "2026-11-01"
RECORD = 'erased: [{place: dumps, date: "2026-11-02", by: A}]'


def offboarding(rest: str, day: str = BEGINS, approver: str = "A") -> str:
    return f'  state: offboarding\n  offboarding: {{deleteAfter: "{day}", approver: {approver}, reason: moved{rest}}}\n'


@pytest.mark.parametrize(("was", "will", "why"), [
    ("  state: offboarding\n", offboarding(", step: erase"), "nobody approved before this change"),
    (offboarding("", "2027-01-01"), offboarding(", step: erase", "2027-01-01"), "its data is kept until 2027-01-01"),
    (offboarding("", "2027-01-01"), offboarding(", step: erase"), "also changes who approved that"),
    (offboarding(""), offboarding(", step: erase", approver="B"), "also changes who approved that"),
    (offboarding(", step: erase"), offboarding(""), "what is being erased can't be brought back"),
    (offboarding(", step: erase"), "  state: active\n", "what is being erased can't be brought back"),
    (offboarding(f", step: erase, {RECORD}"), offboarding(", step: erase"), "the records of dumps were changed"),
    (offboarding(""), offboarding(", step: erase"), ""),
    (offboarding(", step: erase"), offboarding(f", step: erase, {RECORD}"), ""),
])  # fmt: skip
def test_data_is_erased_only_after_an_approval_that_was_there(
    judged: Callable[..., list[Finding]], was: str, will: str, why: str
) -> None:
    state = "  state: offboarding\n"
    found = [
        f for f in judged(Edit(LEAVING.file, was, will), earlier=[Edit(LEAVING.file, state, was)]) if f.code == "B014"
    ]
    assert len(found) == bool(why)
    assert all(why in finding.message for finding in found)
