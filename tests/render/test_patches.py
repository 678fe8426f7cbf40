"""A patch turns its base into the wanted object when Kustomize applies it, whatever native object both are."""

from __future__ import annotations

from random import Random
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from mutation import TIMES
from native_pairs import NATIVES, built, pair, readable
from tenantry.engine.kustomize import Engine
from tenantry.render.kustomizations import kustomization_text
from tenantry.render.merge_keys import is_native
from tenantry.render.patches import change
from tenantry.verify import native


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400 * TIMES)
@given(st.sampled_from(NATIVES), st.integers(0, 2**32))
def test_any_base_and_its_patch_give_the_wanted_object(parser: Engine, original: dict[str, Any], seed: int) -> None:
    base, wanted = pair(original, Random(seed))
    assume(readable(parser, base, wanted))
    patched = kustomization_text(["object.yaml"], patches=list(change(base, wanted)))
    assert built(parser, base, patched) == built(parser, wanted, kustomization_text(["object.yaml"])), patched


def patches_of_the_fleet() -> list[tuple[dict[str, Any], str]]:
    files = sorted((REPOSITORY / "overlays").rglob("kustomization.yaml"))
    texts = (yaml.load(file.read_text(), Loader=yaml.CSafeLoader) for file in files)
    return [(patch, patch["patch"]) for text in texts for patch in text.get("patches", [])]


def test_the_fleet_has_json_patches_for_custom_resources_alone_each_operation_with_the_name_of_its_field() -> None:
    seen = {"strategic": 0, "json": 0}
    for patch, text in patches_of_the_fleet():
        value = yaml.load(text, Loader=yaml.CSafeLoader)
        if isinstance(value, dict):
            seen["strategic"] += 1
            assert "$patch" in value or is_native(value["apiVersion"].rpartition("/")[0]), text
            continue
        seen["json"] += 1
        assert not is_native(patch["target"].get("group", "")), text
        lines = text.splitlines()
        assert len(lines) == 2 * len(value)
        for comment, operation in zip(lines[::2], value, strict=False):
            last = operation["path"].rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            assert comment.startswith("# ")
            assert comment.endswith((f".{last}", f"[{last}]")), (comment, operation)
    assert seen["strategic"] > 100
    assert seen["json"] > 50


def test_each_base_can_be_deployed_by_itself(parser: Engine) -> None:
    """Kustomize builds it without an overlay, and no schema refuses what comes out."""
    folders = {path.parent for path in (REPOSITORY / "base").rglob("kustomization.yaml")}
    files = {
        str(path.relative_to(REPOSITORY)): path.read_text() for folder in folders for path in folder.glob("*.yaml")
    }
    schemas = native.schemas("1.34")
    for folder in sorted(str(folder.relative_to(REPOSITORY)) for folder in folders):
        for manifest, _ in parser.objects(parser.build(folder, files)):
            if schemas.knows(manifest.identity.group, manifest.version, manifest.identity.kind):
                assert not list(schemas.problems(manifest)), manifest.identity
            else:
                assert manifest.verdict is not None
                assert not manifest.verdict.problems, manifest.identity
            assert not manifest.syntax, manifest.identity
