"""A restore is written step by step: each an edit that the schema and the rules take, with the commands of the step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

Run = Callable[..., Ran]
AS_OF = "2026-11-29"
BEGIN = ("--to", "2026-11-20T10:15:00Z", "--reason", "An import went wrong")
SUBJECTS = ("northwind", "euw1-shared-a")


def errors(fleet: Path, as_of: str = AS_OF) -> list[str]:
    return [f"{f.code} {f.message}" for f in read_inputs(fleet, as_of, Store()).findings if f.severity == "error"]


@pytest.fixture
def restore(run: Run, fleet: Path) -> Callable[..., Ran]:
    return lambda *arguments, as_of=AS_OF: run("restore", *arguments, "--as-of", as_of, "-C", fleet)


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(("more", "steps"), [((), ("recover", "switch", "done")), (("--in-place",), ("save", "recover", "switch", "done"))])  # fmt: skip
def test_it_goes_from_step_to_step(restore: Callable[..., Ran], fleet: Path, subject: str, more: tuple[str, ...], steps: tuple[str, ...]) -> None:  # fmt: skip
    ran = restore(subject, *BEGIN, *more)
    for step in steps:
        assert ran.code == 0, ran
        assert f"Step {step}: " in ran.out
        assert errors(fleet) == []
        assert restore(subject).out.splitlines()[1] == ran.out.splitlines()[1]
        ran = restore(subject, "--next", as_of="2027-01-01")
    assert ran.code == 2 and "is not being restored" in ran.err


def test_the_next_one_has_a_number_of_its_own_and_reads_what_serves(restore: Callable[..., Ran], fleet: Path) -> None:
    restore("northwind", *BEGIN)
    restore("northwind", "--drop")
    restore("northwind", *BEGIN)
    for _ in range(2):
        ran = restore("northwind", "--next", as_of="2027-01-01")
        assert ran.code == 0, ran.err
    ran = restore("northwind", "--backup", "20261228T013000", "--reason", "Again", as_of="2027-01-01")
    assert (
        "generation 4 beside the server that serves, from generation 3, as of the end of base backup 20261228T013000"
        in ran.out
    )
    assert "cluster.postgresql.cnpg.io/postgresql-g4" in ran.out


def test_a_wrong_moment_in_place_is_followed_by_another(restore: Callable[..., Ran], fleet: Path) -> None:
    restore("northwind", *BEGIN, "--in-place")
    restore("northwind", "--next")
    ran = restore("northwind", "--to", "2026-11-20T09:00:00Z", "--reason", "An hour earlier", "--in-place")
    assert ran.code == 0, ran.err
    assert "generation 3 from generation 1, as of 2026-11-20T09:00:00Z" in ran.out
    text = (fleet / "tenants/northwind.yaml").read_text()
    assert "generation: 2, source: 1, way: in-place, step: dropped" in text
    assert "generation: 3, source: 1, way: in-place, step: recover" in text


@pytest.mark.parametrize(("given", "said"), [
    (("nobody", *BEGIN), "there is no instance, tenant or cell 'nobody'"),
    (("acme", *BEGIN), "its database is on the server of cell 'euw1-shared-a', with those of others"),
    (("northwind", "--to", "2027-11-20T10:15:00Z", "--reason", "R"), "is not over yet"),
    (("northwind", "--to", "2026-01-20T10:15:00Z", "--reason", "R"), "and backups are kept for 35"),
    (("northwind", "--to", "yesterday", "--reason", "R"), "S023"),
    (("northwind", "--to", "2026-11-20T10:15:00Z"), "need --reason"),
    (("northwind", *BEGIN, "--backup", "20261120T013000"), "both are given"),
    (("northwind", *BEGIN, "--next"), "one of these"),
    (("northwind", "--in-place"), "need --to, --backup or --out-of-cell"),
    (("northwind", "--next"), "is not being restored"), (("northwind",), "was never restored"),
])  # fmt: skip
def test_what_can_not_be_restored_is_refused_and_nothing_is_written(restore: Callable[..., Ran], fleet: Path, given: tuple[str, ...], said: str) -> None:  # fmt: skip
    before = {path: path.read_text() for path in fleet.rglob("*.yaml")}
    ran = restore(*given)
    assert ran.code == 2 and said in ran.err, ran
    assert {path: path.read_text() for path in fleet.rglob("*.yaml")} == before


def test_a_step_has_a_way_back_only_where_something_is_kept(restore: Callable[..., Ran], fleet: Path) -> None:
    restore("northwind", *BEGIN)
    assert "there is no way back from the step 'recover'" in restore("northwind", "--back").err
    restore("northwind", "--next")
    assert "can't be given up in the step 'switch'" in restore("northwind", "--drop").err
    assert "is kept until 2026-12-29" in restore("northwind", "--next").err
    assert "Step recover: " in restore("northwind", "--back").out
    assert errors(fleet) == []


def test_one_database_comes_out_of_its_cell(restore: Callable[..., Ran], fleet: Path) -> None:
    refused = restore("acme", "--out-of-cell", "--reason", "A table was dropped")
    assert refused.code == 2 and "beside the server that serves there is none" in refused.err
    restore("euw1-shared-a", *BEGIN)
    ran = restore("acme", "--out-of-cell", "--reason", "A table was dropped")
    assert (
        "acme-production: generation 2 of its database, from generation 2, as of the moment of the cell's generation 2."
        in ran.out
    )
    assert errors(fleet) == []
    refused = restore("euw1-shared-a", "--drop")
    assert any("F042" in line and "beside the server that serves there is none" in line for line in errors(fleet)), (
        refused
    )
    restored = restore("northwind", "--out-of-cell", "--reason", "R")
    assert restored.code != 0


def test_its_commands_end_with_the_database_that_nobody_uses(restore: Callable[..., Ran], fleet: Path) -> None:
    restore("euw1-shared-a", *BEGIN)
    restore("acme", "--out-of-cell", "--reason", "A table was dropped")
    for step in ("switch", "done"):
        ran = restore("acme", "--next", as_of="2027-01-01")
        assert f"Step {step}: " in ran.out, ran
    assert "kubectl delete --namespace euw1-shared-a-cell database.postgresql.cnpg.io/acme-production\n" in ran.out
    assert errors(fleet, "2027-01-01") == []
