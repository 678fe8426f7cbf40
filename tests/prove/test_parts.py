"""A pair is proved by its changed parts only where nothing in the other parts could answer otherwise."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Iterable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pytest

from controls.laboratory import example, mutate, policy_engine, running_engine, templates
from controls.table import MUTANTS, Mutant
from tenantry.core.file_names import file_name
from tenantry.core.manifest import Manifest
from tenantry.core.paths import folder_of, rendered_folder
from tenantry.engine.engines import Engines
from tenantry.prove.cluster_state import State
from tenantry.prove.known_parts import is_enough
from tenantry.prove.pairs import PairObjects, PairProof
from tenantry.prove.parts import Border, PairPart, Partition, apart, partition
from tenantry.prove.run import Prover, read_states
from tenantry.verify.judge import no_blame

PAIR = ("euc1-a", "euw1-a")
DEDICATED = ("euc1-globex", "euw1-globex")
NAME = "kubernetes.io/metadata.name"
Objects = Mapping[str, Iterable[Manifest]]


@cache
def prover() -> Prover:
    known, _ = example()
    engines = cast(Engines, SimpleNamespace(engine=running_engine(), policies=policy_engine()))
    return Prover(known, templates(), no_blame, engines)


@cache
def whole() -> Partition:
    return partition(prover().known, prover().templates, PAIR)


def placed(manifest: Manifest, folder: str) -> Manifest:
    return dataclasses.replace(manifest, file=f"{folder}/{file_name(manifest.identity)}")


def objects_of(objects: Objects) -> PairObjects:
    """The objects of the pair at their places below rendered/; what a mutant adds stands beside the namespace's others."""
    made = {}
    for cluster in PAIR:
        by_namespace = {m.identity.namespace: folder_of(m.file) for m in example()[1][cluster]}
        for manifest in objects[cluster]:
            folder = folder_of(manifest.file) or by_namespace.get(
                manifest.identity.namespace, f"{cluster}/platform/common"
            )
            found = placed(manifest, rendered_folder(folder))
            made[found.file] = found
    files = {cluster: sorted(f for f in made if f.split("/")[1] == cluster) for cluster in PAIR}
    return PairObjects(PAIR, files, (), made)


def proved(objects: PairObjects, chosen: list[PairPart] | None = None) -> PairProof:
    return prover().prove_parts(objects, lambda _: "", whole(), chosen)


@cache
def clean() -> PairProof:
    """The proof of the example's pair."""
    return proved(objects_of(example()[1]))


def enough(objects: PairObjects, chosen: list[PairPart]) -> bool:
    known = clean()
    assert known.borders is not None
    others = [border for part, border in known.borders.items() if part not in chosen]
    return is_enough(proved(objects, chosen), known.met, others)


def changed_parts(objects: PairObjects) -> list[PairPart] | None:
    """The parts of the objects that are not the example's; None when one is no part's."""
    before = objects_of(example()[1]).made
    files = {f for f in before.keys() | objects.made.keys() if not same(before.get(f), objects.made.get(f))}
    owners = {whole().owners.get(folder_of(file)) for file in files}
    return None if None in owners else [part for part in whole().parts if part in owners]


def same(one: Manifest | None, other: Manifest | None) -> bool:
    return one is not None and other is not None and one.value == other.value


def test_the_example_falls_into_what_shares_a_tenant_or_a_cell() -> None:
    assert sorted(tuple(sorted(part.cells)) for part in whole().parts) == [
        ("euc1-seg-a",), ("euw1-seg-a", "euw1-seg-np"), ("euw1-shared-a", "euw1-shared-b", "euw1-shared-np")
    ]  # fmt: skip
    assert {"acme", "harbor-logistics"} < next(p.tenants for p in whole().parts if "euw1-shared-a" in p.cells)
    assert sum(len(part.folders) for part in whole().parts) == len(whole().owners)


def test_who_has_a_cluster_alone_is_proved_with_everybody_in_it() -> None:
    assert len(partition(prover().known, prover().templates, DEDICATED).parts) == 1


def test_each_part_of_the_example_is_proved_without_the_others() -> None:
    objects = objects_of(example()[1])
    assert set(clean().borders or ()) == set(whole().parts)
    for part in whole().parts:
        assert enough(objects, [part])
        assert proved(objects, [part]).borders == {part: (clean().borders or {})[part]}


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.cluster in PAIR], ids=str)
def test_no_mutant_passes_for_clean_where_its_part_alone_is_proved(mutant: Mutant) -> None:
    objects = objects_of(mutate(mutant))
    chosen = changed_parts(objects)
    assert chosen is None or not enough(objects, chosen)


def test_an_object_in_the_namespace_of_another_part_is_not_taken_for_its_own() -> None:
    moved = next(m for m in example()[1]["euw1-a"] if m.identity.namespace == "acme-production")
    foreign = next(f for f, part in whole().owners.items() if "kestrel-insurance" in part.tenants and "euw1" in f)
    objects = objects_of(example()[1])
    copy = placed(moved, foreign)
    files = {**objects.files, "euw1-a": sorted([*objects.files["euw1-a"], copy.file])}
    there = dataclasses.replace(objects, files=files, made={**objects.made, copy.file: copy})
    assert not enough(there, [whole().owners[foreign]])


@pytest.mark.parametrize("twice", [True, False])
def test_what_lies_in_a_namespace_of_the_platform_has_no_others_name(twice: bool) -> None:
    objects = objects_of(example()[1])
    schedule = next(m for m in objects.made.values() if m.identity.kind == "Schedule" and "acme" in m.identity.name)
    foreign = next(f for f, part in whole().owners.items() if "kestrel-insurance" in part.tenants and "platform" in f)
    copy = placed(schedule, foreign)
    files = {**objects.files, "euw1-a": sorted([*objects.files["euw1-a"], *([copy.file] if twice else [])])}
    # Only the name of the second file is known: it is another part's, which is not read.
    chosen = [whole().owners[folder_of(schedule.file)]]
    assert enough(dataclasses.replace(objects, files=files), chosen) is not twice


def test_a_proof_leaves_no_objects_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[State]] = []

    def noticed(*arguments: Any) -> dict[str, State]:
        states = read_states(*arguments)
        seen.extend(map(weakref.ref, states.values()))
        return states

    objects = objects_of(example()[1])
    monkeypatch.setattr("tenantry.prove.run.read_states", noticed)
    gc.disable()
    try:
        proved(objects, list(whole().parts[:1]))
        assert seen and not any(ref() for ref in seen)
    finally:
        gc.enable()


def border(labels: dict[str, dict[str, str]], *selectors: Any) -> Border:
    return Border({"c": labels}, {"c": list(selectors)})


@pytest.mark.parametrize(("selector", "free"), [
    ({"matchLabels": {NAME: "b"}}, False),
    ({"matchLabels": {NAME: "c"}}, True),
    ({}, False),
    ({"matchLabels": {"team": "x"}}, False),
    ({"matchExpressions": [{"key": NAME, "operator": "NotIn", "values": ["a"]}]}, False),
    ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, True),
    ({"matchExpressions": [{"key": NAME, "operator": "In", "values": ["c", "b"]}]}, False),
])  # fmt: skip
def test_parts_are_apart_when_neither_selects_a_namespace_of_the_other(selector: Any, free: bool) -> None:
    one, other = border({"a": {NAME: "a"}}, selector), border({"b": {NAME: "b", "team": "x"}})
    assert apart([one], [other]) is free
    assert apart([other], [one]) is free
    assert apart([one, other], [])
