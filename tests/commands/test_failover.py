"""A failover is written step by step: each an edit that the schema and the rules take, with the commands of the step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from change.test_guards import lay
from conftest import Ran
from plan.test_failovers import TOKEN

Run = Callable[..., Ran]
BEGIN = ("--to", "euc1-globex", "--reason", "Region lost, incident 12")


@pytest.fixture
def failover(run: Run, tmp_path: Path) -> Callable[..., Ran]:
    fleet = lay(tmp_path / "fleet")
    return lambda *arguments: run("failover", *arguments, "--as-of", "2026-11-29", "-C", fleet)


@pytest.mark.parametrize(("more", "steps"), [
    (("--lost",), (("promote", ()), ("rebuild", ()), ("done", ()))), ((), (("demote", ("--token", TOKEN)), ("promote", ()), ("done", ()))),
])  # fmt: skip
def test_it_goes_from_step_to_step(
    failover: Callable[..., Ran], more: tuple[str, ...], steps: tuple[tuple[str, tuple[str, ...]], ...]
) -> None:
    ran = failover("globex-eu", *BEGIN, *more)
    for step, token in steps:
        assert ran.code == 0, ran
        assert ran.out.startswith("globex-eu-production: failover 2 to euc1-globex (Region lost, incident 12).\n")
        assert f"Step {step}: " in ran.out
        assert failover("globex-eu").out.splitlines()[1] == ran.out.splitlines()[1]
        ran = failover("globex-eu", "--next", *token)
    assert ran.code == 2 and "does not fail over" in ran.err


def test_commands_name_the_two_places(failover: Callable[..., Ran]) -> None:
    failover("globex-eu", *BEGIN, "--lost")
    out = failover("globex-eu", "--next").out
    assert (
        "--context euw1-globex --namespace globex-eu-production --for=condition=Ready --timeout=8h cluster.postgresql.cnpg.io/postgresql-r2\n"
        in out
    )
    assert (
        "kubectl delete --context euw1-globex --namespace globex-eu-production cluster.postgresql.cnpg.io/postgresql\n"
        in out
    )
    failover("globex-eu", "--next")
    back = json.loads(failover("globex-eu", "--to", "euw1-globex", "--reason", "Home", "--format", "json").out)
    assert back["step"] == "demote"
    assert back["commands"][0] == (
        "kubectl get --context euc1-globex --namespace globex-eu-production cluster.postgresql.cnpg.io/postgresql "
        "--output=jsonpath={.status.demotionToken}"
    )


def test_one_that_was_not_promoted_is_given_up(failover: Callable[..., Ran]) -> None:
    failover("globex-eu", *BEGIN)
    assert (
        "globex-eu-production serves in euw1-globex; its other place is euc1-globex"
        in failover("globex-eu", "--drop").out
    )
    failover("globex-eu", *BEGIN, "--lost")
    ran = failover("globex-eu", "--drop")
    assert ran.code == 2 and "back is a failover, too: --to euw1-globex" in ran.err


@pytest.mark.parametrize(("given", "said"), [
    (("nobody",), "there is no tenant 'nobody' with production"), (("globex-eu", "--next"), "does not fail over"),
    (("globex-eu", "--to", "euw1-a", "--reason", "R"), "F045 cluster 'euw1-a' has no copy of it"),
    (("acme", "--to", "euc1-a", "--reason", "R", "--lost"), "F045 acme-production can't fail over: tier 'shared' keeps no replica"),
    (("globex-eu", "--to", "euc1-globex"), "--to needs --reason WHY"), (("globex-eu", "--lost"), "--reason and --lost need --to CLUSTER"),
    (("globex-eu", "--token", TOKEN), "--token needs --next"), (("globex-eu", *BEGIN, "--next"), "one of these"),
])  # fmt: skip
def test_what_can_not_be_done_is_said(failover: Callable[..., Ran], given: tuple[str, ...], said: str) -> None:
    ran = failover(*given)
    assert ran.code == 2 and said in ran.err, ran


def test_a_token_is_asked_for_where_it_is_needed(failover: Callable[..., Ran]) -> None:
    failover("globex-eu", *BEGIN)
    assert "say where the demoted server ends" in failover("globex-eu", "--next").err
    assert "fails over already; it is in the step 'demote'" in failover("globex-eu", *BEGIN).err
    assert failover("globex-eu", "--next", "--token", TOKEN).code == 0
    assert "a token belongs to the step 'promote'" in failover("globex-eu", "--next", "--token", TOKEN).err
