"""Which loss a name means."""

from __future__ import annotations

import pytest

from controls.laboratory import example
from simulate.lossy import lost
from tenantry.core.findings import UsageError
from tenantry.simulate.loss import LossKind
from tenantry.simulate.simulation import loss_of


@pytest.mark.parametrize(("kind", "name", "full", "clusters"), [
    ("region-loss", "eu-west", "eu-west", ("euw1-a", "euw1-globex")),
    ("zone-loss", "eu-central/b", "eu-central/b", ("euc1-a", "euc1-globex")),
    ("node-loss", "shared-db", "euw1-a/shared-db", ("euw1-a",)),
    ("node-loss", "euc1-a/segment-a", "euc1-a/segment-a", ("euc1-a",)),
])  # fmt: skip
def test_a_name_means_one_place(kind: LossKind, name: str, full: str, clusters: tuple[str, ...]) -> None:
    loss = loss_of(kind, name, example()[0].clusters)
    assert (loss.name, loss.clusters) == (full, clusters)


@pytest.mark.parametrize(("kind", "name", "said", "hint"), [
    ("region-loss", "eu-wset", "there is no region 'eu-wset'", "did you mean 'eu-west'?"),
    ("zone-loss", "eu-west/z", "there is no zone 'eu-west/z'", "zones: "),
    ("zone-loss", "a", "'a' is not the only zone of that name", "name one: eu-central/a, eu-west/a"),
    ("node-loss", "segment-a", "'segment-a' is not the only node pool of that name", "euc1-a/segment-a, euw1-a/segment-a"),
])  # fmt: skip
def test_a_name_that_means_none_or_several_is_refused(kind: LossKind, name: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        loss_of(kind, name, example()[0].clusters)
    assert said in str(refused.value) and hint in refused.value.hint


@pytest.mark.parametrize(
    ("kind", "name"), [("region-loss", "us-east"), ("zone-loss", "us-east/a"), ("node-loss", "use1-globex/app")]
)
def test_each_instance_is_said_once(kind: LossKind, name: str) -> None:
    found = lost(kind, name)
    said = [*(one.instance for one in found.courses), *found.untouched]
    assert sorted(said) == sorted(example()[0].instances)
