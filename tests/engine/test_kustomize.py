"""The engine's answer is stock Kustomize's, for every overlay of the example fleet and for hostile values."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY
from native_pairs import NATIVES, pair, readable
from stock import KUSTOMIZE
from tenantry.engine.kustomize import Engine
from tenantry.render.environment import yaml_text
from tenantry.render.kustomizations import kustomization_text
from tenantry.render.patches import change

OVERLAYS = sorted(
    str(path.parent.relative_to(REPOSITORY / "overlays"))
    for path in (REPOSITORY / "overlays").rglob("kustomization.yaml")
)


@pytest.fixture(scope="session")
def stock() -> Path:
    return KUSTOMIZE.build()


class _Loader(yaml.CSafeLoader):
    """PyYAML gives `=` a tag of YAML 1.1 and then knows none; stock Kustomize writes it without quotes."""


_Loader.add_constructor("tag:yaml.org,2002:value", _Loader.construct_yaml_str)


def objects(text: str | bytes) -> dict[tuple[str, str, str, str], Any]:
    found = [value for value in yaml.load_all(text, Loader=_Loader) if value is not None]
    keyed = {(o["apiVersion"], o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in found}
    assert len(keyed) == len(found)
    return keyed


def rendered(folder: Path) -> dict[tuple[str, str, str, str], Any]:
    return objects(b"\n---\n".join(path.read_bytes() for path in sorted(folder.glob("*.yaml"))))


def test_stock_kustomize_gives_what_rendered_holds_for_every_overlay(stock: Path) -> None:
    def build(overlay: str) -> bytes:
        return subprocess.run(
            [stock, "build", REPOSITORY / "overlays" / overlay], check=True, capture_output=True, timeout=120
        ).stdout

    assert len(OVERLAYS) > 90
    with ThreadPoolExecutor(2) as pool:
        for overlay, text in zip(OVERLAYS, pool.map(build, OVERLAYS), strict=True):
            assert objects(text) == rendered(REPOSITORY / "rendered" / overlay), overlay


def test_rendered_holds_a_folder_for_each_overlay_and_no_other() -> None:
    folders = {
        str(path.parent.relative_to(REPOSITORY / "rendered")) for path in (REPOSITORY / "rendered").rglob("*.yaml")
    }
    assert folders == set(OVERLAYS)


HOSTILE = "\n".join(
    f"  k{number:02}: {text}"
    for number, text in enumerate([
        '"yes"', '"0x1F"', '"1e3"', '"a: b"', '"#"', '"a\\nb\\n"', '"a\\n\\n b "', '" lead"', '"trail "', '"\\ttab"', '"🦜"', '"{{ x }}"', '"12:30"', '"null"', '"~"', '""', '"\\u2028"', '"\\u0007"', '"- a"', '"|"', "'%'", '"\\n"', '"\\n\\nx\\n"', '"a\\r\\nb"', '"2026-01-01"', '"é"',
    ])
)  # fmt: skip


def test_hostile_values_come_out_as_stock_kustomize_gives_them(engine: Engine, stock: Path, tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "namespace: hostile\nresources: [a.yaml]\n",
        "a.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{HOSTILE}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    plain = subprocess.run([stock, "build", tmp_path], check=True, capture_output=True, timeout=120).stdout
    ours = engine.objects(engine.build("x", {f"x/{name}": text for name, text in files.items()}))
    assert objects(ours[0][1]) == objects(plain)


def test_stock_kustomize_applies_patches_of_random_pairs_to_the_wanted_objects(
    stock: Path, parser: Engine, tmp_path: Path
) -> None:
    random = Random(0)
    wanted, files, patches = {}, {}, []
    for number in range(150):
        base, changed = pair(random.choice(NATIVES), random)
        if not readable(parser, base, changed):
            continue
        for value in (base, changed):
            value["metadata"]["name"] = f"n{number}"
        patches += change(base, changed)
        files[f"{number}.yaml"] = base
        wanted[f"{number}.yaml"] = changed
    for folder, values, found in (("patched", files, patches), ("plain", wanted, [])):
        (tmp_path / folder).mkdir()
        for name, value in values.items():
            (tmp_path / folder / name).write_text(yaml_text(value))
        (tmp_path / folder / "kustomization.yaml").write_text(kustomization_text(sorted(files), patches=found))
    built = [
        subprocess.run([stock, "build", tmp_path / folder], check=True, capture_output=True, timeout=120).stdout
        for folder in ("patched", "plain")
    ]
    assert len(patches) > 80
    assert objects(built[0]) == objects(built[1])
