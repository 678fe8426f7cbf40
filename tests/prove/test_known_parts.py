"""A run that proves changed parts only says and writes what a run without any memory does, whatever was edited."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran, add_tenant, tree

Run = Callable[..., Ran]
Edit = Callable[[Path, random.Random], None]


@pytest.fixture
def parts(fleet: Path) -> Path:
    """A fleet with four parts."""
    add_tenant(fleet, "birch", "shared", "euw1-shared-a", users=20)
    add_tenant(fleet, "cedar", "shared", "euw1-shared-b", users=30)
    add_tenant(fleet, "delta", "segmented", "euc1-seg-a", users=40)
    return fleet


def some_tenant(root: Path, chance: random.Random) -> Path:
    return chance.choice(sorted((root / "tenants").glob("*.yaml")))


def users(root: Path, chance: random.Random) -> None:
    path = some_tenant(root, chance)
    path.write_text(re.sub(r"users: \d+", f"users: {chance.choice([5, 35, 60, 400])}", path.read_text()))


def integration(root: Path, chance: random.Random) -> None:
    path = some_tenant(root, chance)
    cidr = f"203.0.113.{chance.randint(0, 15) * 16}/28"
    line = f"  integrations:\n    - {{name: feed, host: api.feed.example, cidrs: [{cidr}], port: 443}}\n"
    if "integrations" not in path.read_text():
        path.write_text(path.read_text() + line)


def staging(root: Path, chance: random.Random) -> None:
    """Connects two parts."""
    path = root / "tenants/birch.yaml"
    if "staging" not in path.read_text():
        path.write_text(path.read_text() + "    staging: {cell: euw1-shared-np}\n")


def newcomer(root: Path, chance: random.Random) -> None:
    cell = chance.choice(["euw1-shared-a", "euw1-shared-b"])
    add_tenant(root, f"new-{chance.randint(0, 99)}", "shared", cell, users=chance.choice([10, 90]))


def region(root: Path, chance: random.Random) -> None:
    """A promise that the objects don't keep, or that the inputs refuse."""
    path = some_tenant(root, chance)
    path.write_text(path.read_text().replace("residency: [eu-west, eu-central]", "residency: [eu-west]"))


def by_hand(root: Path, chance: random.Random) -> None:
    """In a policy of somebody, which `render` puts right."""
    path = chance.choice(sorted((root / "rendered").rglob("networkpolicy*.yaml")))
    path.write_text(path.read_text().replace("policyTypes", "policyTypo"))


def price(root: Path, chance: random.Random) -> None:
    """Shared by all parts."""
    path = root / "tiers/shared.yaml"
    path.write_text(re.sub(r"maxEuro: \d+", f"maxEuro: {chance.choice([1, 900])}", path.read_text()))


EDITS: tuple[Edit, ...] = (users, integration, staging, newcomer, region, by_hand, price)


def inputs(root: Path) -> dict[Path, str]:
    return {path: path.read_text() for folder in ("tenants", "tiers") for path in (root / folder).glob("*.yaml")}


def restore(root: Path, kept: dict[Path, str]) -> None:
    for path in inputs(root).keys() - kept.keys():
        path.unlink()
    for path, text in kept.items():
        path.write_text(text)


@pytest.mark.parametrize("seed", range(2))
def test_any_edits_end_as_without_memory(run: Run, parts: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    assert run("render", "-C", parts).code == 0
    for number in range(3):
        kept = inputs(parts)
        for edit in chance.sample(EDITS, chance.choice([1, 1, 2])):
            edit(parts, chance)
        other = tmp_path / f"other-{number}"
        shutil.copytree(parts, other)
        warm, cold = run("render", "-C", parts), run("render", "--no-cache", "-C", other)
        assert (warm.code, warm.out) == (cold.code, cold.out)
        assert tree(parts) == tree(other)
        if warm.code:
            restore(parts, kept)
