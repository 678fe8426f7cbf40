"""The kinds that a project permits are those that the templates make."""

from __future__ import annotations

from collections import defaultdict

import pytest
import yaml

from conftest import REPOSITORY
from tenantry.render import kinds
from tenantry.render.kinds import kinds_of
from tenantry.render.registry import TREES, Tree


def rendered_kinds(tree: Tree) -> set[tuple[str, str]]:
    """What the example fleet has of a tree."""
    folders = {
        "platform": "*/platform",
        "delivery": "*/platform",
        "cell": "*/cells",
        "argocd": "*/platform",
        "charts": "*/platform",
    }
    found = defaultdict(set)
    for path in (REPOSITORY / "rendered").glob(f"{folders.get(tree, f'*/*/*/{tree}')}/**/*.yaml"):
        document = yaml.safe_load(path.read_text())
        group, _, _ = document["apiVersion"].rpartition("/")
        found[tree].add((group, document["kind"]))
    return found[tree]


@pytest.mark.parametrize("tree", TREES)
def test_no_object_of_the_example_has_another_kind(tree: Tree) -> None:
    platform = ("platform", "delivery", "argocd", "charts")
    known = {*kinds_of(tree), *(kinds_of(*platform) if tree in platform else ())}
    there = rendered_kinds(tree)
    assert there
    assert there <= known


def test_a_template_that_shows_no_kind_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("templates")
    (folder / "odd.yaml.j2").write_text("kind: {{ kind | yaml }}\n")
    monkeypatch.setattr(kinds, "_TEMPLATES", folder)
    with pytest.raises(ValueError, match="the template odd shows no apiVersion and kind"):
        kinds._made_by("odd")
