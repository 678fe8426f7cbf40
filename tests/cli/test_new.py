"""`tenantry new` writes only what `check` takes: any argument gives a file without errors, or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.plan.inputs import read_inputs
from tenantry.runtime.cache import Store

Run = Callable[..., Ran]
EXCEPTION = ("--tenant", "acme", "--control", "EDGE-04", "--compensating-control", "c")
PEOPLE = ("--owner", "a@x.example", "--approver", "b@x.example")


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (["tenant", "a1", "--tier", "shared"], ""),
        (["tenant", "a1", "--tier", "shared", "--display-name", 'x: y "z" # {{ a }}'], ""),
        (["tenant", "yes", "--tier", "shared"], ""),
        (["tenant", "y", "--tier", "shared"], ""),
        (["tenant", "a1", "--tier", "shared", "--display-name", "a\nb"], "S023 'spec.displayName'"),
        (["tenant", "a1", "--tier", "shared", "--display-name", "a\u202eb"], "S012"),
        (["tenant", "a1", "--tier", "shared", "--contact", "nobody"], "S023 'spec.owner.contact'"),
        (["tenant", "a1", "--tier", "shared", "--users", "5000"], "F013"),
        (["tenant", "a1", "--tier", "shared", "--channel", "none"], "there is no channel 'none'"),
        (["tenant", "a1", "--tier", "shared", "--channel", "legacy"], "takes no new tenant"),
        (["tenant", "a1", "--tier", "shared", "--cell", "euw1-seg-a"], "F004"),
        (["tenant", "a1", "--tier", "shared", "--cell", "euw1-shared-np"], "F005"),
        (["tenant", "a1", "--tier", "none"], "there is no tier 'none'"),
        (["tenant", "a--1", "--tier", "shared"], "can't be a name"),
        (["tenant", "../a1", "--tier", "shared"], "can't be a name"),
        (["tenant", "acme", "--tier", "shared"], "is there already"),
        (["cell", "c1", "--cluster", "euw1-a", "--tier", "shared"], ""),
        (["cell", "c1", "--cluster", "euc1-a", "--tier", "shared"], "has no node pools"),
        (["cell", "c1", "--cluster", "none", "--tier", "shared"], "there is no cluster"),
        (["exception", "e1", *EXCEPTION, *PEOPLE, "--reason", "r", "--expires", "2027-01-31"], ""),
        (["exception", "e1", *EXCEPTION, *PEOPLE, "--reason", "no: #", "--expires", "2027-01-31"], ""),
        (["exception", "e1", *EXCEPTION, *PEOPLE, "--reason", "r", "--expires", "2026-11-25"], "F028"),
        (["exception", "e1", *EXCEPTION, *PEOPLE, "--reason", "r", "--expires", "2027-02-31"], "S023 'spec.expires'"),
        (["exception", "e1", *EXCEPTION, *PEOPLE[:2], "--approver", "a@x.example", "--reason", "r", "--expires", "2027-01-31"], "F021"),
        (["exception", "e1", "--tenant", "none", *EXCEPTION[2:], *PEOPLE, "--reason", "r", "--expires", "2027-01-31"], "there is no tenant"),
    ],
)  # fmt: skip
def test_a_file_without_errors_or_none(arguments: list[str], refused: str, run: Run, fleet: Path) -> None:
    before = {path: path.read_bytes() for path in fleet.rglob("*.yaml")}
    ran = run("new", *arguments, "--as-of", "2026-11-26", "-C", fleet)
    after = {path: path.read_bytes() for path in fleet.rglob("*.yaml")}
    if refused:
        assert ran.code == 2
        assert refused in ran.err
        assert after == before
        return
    assert ran.code == 0, ran.err
    assert len(after) == len(before) + 1
    inputs = read_inputs(fleet, "2026-11-26", Store(None))
    assert not [finding for finding in inputs.findings if finding.severity == "error"]


def test_nothing_new_comes_into_a_closed_cell(run: Run, fleet: Path) -> None:
    assert run("set", "cell/euw1-shared-a", "spec.state=closed", "-C", fleet).code == 0
    ran = run("new", "tenant", "a1", "--tier", "shared", "--cell", "euw1-shared-a", "-C", fleet)
    assert (ran.code, ran.err) == (
        2, "tenantry: cell 'euw1-shared-a' is closed, so nothing new comes into it\n  open cells of tier 'shared': euw1-shared-b\n",
    )  # fmt: skip
    assert not (fleet / "tenants/a1.yaml").exists()
