"""What was proved and has not changed is not proved again; whatever could change the answer makes it be."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY, Ran
from tenantry.core.paths import GENERATED_TREES
from tenantry.engine.engines import Engines
from tenantry.plan.inputs import read_inputs
from tenantry.prove.cache import Proofs
from tenantry.prove.pairs import PairObjects
from tenantry.prove.template_conformance import Templates
from tenantry.render.units import units
from tenantry.runtime.workspace import Workspace
from tenantry.verify.judge import no_blame

Run = Callable[..., Ran]
DAY = "2026-11-24"
ALL = [("euc1-a", "euw1-a"), ("euc1-globex", "euw1-globex"), ("usc1-globex", "use1-globex")]
UNUSED = """\
apiVersion: tenantry.io/v1alpha1
kind: Exception
metadata: {name: acme-plain-logs}
spec:
  tenant: acme
  control: OBS-02
  reason: A try.
  owner: erp-team@acme.example
  approver: security@provider.example
  compensatingControl: none needed
  expires: "2027-01-31"
"""


@pytest.fixture
def made(run: Run, tmp_path: Path) -> Path:
    """A copy of the example fleet."""
    for folder in ("platform", "tiers", "tenants", "policies"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    assert run("render", "-C", tmp_path, "--as-of", DAY).code == 0
    return tmp_path


def proved(root: Path, monkeypatch: pytest.MonkeyPatch, as_of: str = DAY) -> list[tuple[str, ...]]:
    """The pairs that a check on this day would prove."""
    asked: list[tuple[str, ...]] = []

    def take(proofs: Proofs, objects: PairObjects) -> None:
        asked.append(objects.pair)
        proofs._lifting[objects.pair] = []

    monkeypatch.setattr(Proofs, "take", take)
    space = Workspace(root, as_of)
    inputs = read_inputs(root, as_of, space.store("documents"))
    all_units = list(units(inputs.fleet, inputs.resolution.instances))
    templates = Templates(inputs.fleet.platform, all_units)
    with Engines() as engines:
        listing = engines.begin_listing(root, GENERATED_TREES).result()
        Proofs(space, inputs, space.store("units"), engines, listing, templates, no_blame, str).findings(())
    return sorted(asked)


def test_nothing_is_proved_again_until_a_file_an_input_or_the_day_changes(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert proved(made, monkeypatch) == []
    assert proved(made, monkeypatch, "2026-11-25") == ALL
    rendered = next((made / "rendered/euw1-globex").rglob("networkpolicy*.yaml"))
    text = rendered.read_text()
    rendered.write_text(text.replace("policyTypes", "policyType"))
    assert proved(made, monkeypatch) == ALL[1:2]
    rendered.write_text(text)
    assert proved(made, monkeypatch) == ALL[1:2]  # its times have changed; equal bytes are proved once more
    tenant = made / "tenants/globex-us.yaml"
    tenant.write_text(tenant.read_text() + "# one word more\n")
    assert proved(made, monkeypatch) == ALL[1:]
    policy = next((made / "policies").glob("*/policy.yaml"))
    policy.write_text(policy.read_text() + "# one word more\n")
    assert proved(made, monkeypatch) == ALL


def test_an_unused_exception_is_reported_each_time(run: Run, made: Path) -> None:
    (made / "policies/exceptions/acme-plain-logs.yaml").write_text(UNUSED)
    told = [run("check", "-C", made, "--as-of", DAY).out for _ in range(2)]
    assert "F023 unused exception: acme complies with OBS-02" in told[0]
    assert told[0] == told[1]


def test_a_check_that_finds_outdated_trees_forgets_no_proof(
    run: Run, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = made / "tenants/globex-us.yaml"
    text = tenant.read_text()
    tenant.write_text(text.replace("users: ", "users: 1"))
    assert run("check", "-C", made, "--as-of", DAY).code == 1
    tenant.write_text(text)
    assert proved(made, monkeypatch) == []
