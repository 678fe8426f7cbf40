"""`tenantry set`"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import REPOSITORY, Ran
from tenantry.commands.set import set_values
from tenantry.core.findings import MachineError, UsageError
from tenantry.inputs import source
from tenantry.inputs.fleet import input_files
from tenantry.inputs.paths import leaves, shown
from tenantry.inputs.shape import Shape, shape_of
from tenantry.inputs.source import Path_
from tenantry.runtime.confined import Confined
from tenantry.runtime.workspace import Workspace

Run = Callable[..., Ran]


def test_one_value_changes_and_every_other_byte_stays(run: Run, fleet: Path) -> None:
    path = fleet / "tenants/acme.yaml"
    path.write_bytes(
        b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n").replace(b"users: 24", b"users:  24  # counted")
    )
    before = path.read_bytes()
    ran = run("set", "acme", "spec.users=30", "-C", fleet)
    assert (ran.code, ran.out) == (0, "tenants/acme.yaml: spec.users was 24, is 30\n"), ran.err
    assert path.read_bytes() == before.replace(b"users:  24", b"users:  30")


def test_several_values_are_one_change(run: Run, fleet: Path) -> None:
    ran = run(
        "set", "acme", "spec.displayName=12: a", 'spec.residency=["eu-west","eu-central"]', "spec.owner.team=sales",
        'spec.access={"adminGroups": ["a"]}', "spec.access.sources[0]=203.0.113.0/27", "spec.classification.obligations-",
        "--format", "json", "-C", fleet,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    spec = yaml.safe_load((fleet / "tenants/acme.yaml").read_text())["spec"]
    assert spec["displayName"] == "12: a"
    assert spec["access"] == {"adminGroups": ["a"], "sources": ["203.0.113.0/27"]}
    assert "obligations" not in spec["classification"]
    answer = json.loads(ran.out)
    assert [change["path"] for change in answer["changes"]][-2:] == [
        "spec.access.sources[0]",
        "spec.classification.obligations",
    ]
    assert answer["changes"][-1] == {"path": "spec.classification.obligations", "before": ["gdpr"], "after": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("spec.users=abc", "tenants/acme.yaml was not changed, for it would not be right:\n  tenants/acme.yaml:16:10: S022 'spec.users' must be a whole number, not text"),
        ("spec.users=0", "S023 'spec.users' is 0, but must be at least 1"),
        ("spec.users-", "S021 missing field 'spec.users'"),
        ("spec.state=actve", "S023 'spec.state' is \"actve\", which is not a known value (did you mean 'active'?)"),
        ("spec.residency=eu-west", "S022 'spec.residency' must be a list, not text"),
        ("spec.residency=[eu-west", "the value for 'spec.residency' can't be read: opens a bracket that is not closed\n  write a list as JSON: '[\"a\", \"b\"]'"),
        ("spec.usres=1", "'spec' has no field 'usres'\n  did you mean 'users'?"),
        ("spec.users", "'spec.users' has no value\n  write FIELD=VALUE, or FIELD- to remove it"),
        ("spec.freezes-", "'spec.freezes' is not set in tenants/acme.yaml\n  'spec' has no such entry; see 'tenantry get'"),
        ("spec.residency[5]=eu-west", "'spec.residency[5]' is not set in tenants/acme.yaml"),
        ("metadata.name=other", "'metadata.name' says what the file is and is not changed by 'set'"),
        ("=1", "'=1' names no field"),
        ("spec.displayName=a\u200bb", "S012"),
        ("spec.displayName=a\nb", "S023 'spec.displayName'"),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_is_not_written(change: str, message: str, run: Run, fleet: Path) -> None:
    before = (fleet / "tenants/acme.yaml").read_bytes()
    ran = run("set", "acme", change, "-C", fleet)
    assert ran.code == 2
    assert message in ran.err
    assert (fleet / "tenants/acme.yaml").read_bytes() == before


def test_what_the_fleet_says_about_it_is_told(run: Run, fleet: Path) -> None:
    ran = run("set", "acme", "spec.users=300", "-C", fleet)
    assert ran.code == 0
    assert (
        "'tenantry check' now also says:\n  tenants/acme.yaml:16:10: F013 300 users do not fit tier 'shared'" in ran.out
    )
    assert "users: 300\n" in (fleet / "tenants/acme.yaml").read_text()


def test_a_broken_file_can_be_mended_step_by_step(run: Run, fleet: Path) -> None:
    path = fleet / "tenants/acme.yaml"
    path.write_text(path.read_text().replace("users: 24", "users: many").replace("tier: shared", "tier: on"))
    assert run("set", "acme", "spec.users=24", "-C", fleet).code == 0
    assert run("set", "acme", "spec.tier=shared", "-C", fleet).code == 0
    assert run("set", "acme", "spec.tier=shared", "-C", fleet).out == "tenants/acme.yaml says so already.\n"
    assert "tier: shared\n" in path.read_text()


def other(shape: Shape, value: Any, chance: random.Random) -> Any:
    """Another value of the same type, right by the schema or not."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.randrange(1, 4)
    if isinstance(value, list):
        return value[:-1] if len(value) > 1 else value
    return chance.choice([*map(str, shape.here.get("enum", [])), f"{value}-b", "x y", "12", "a: #b"])


def test_random_fields_of_the_example(tmp_path: Path) -> None:
    """Each is changed in its own line alone, or refused with the file as it was."""
    for folder in ("platform", "tiers", "tenants", "policies/exceptions"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    space = Workspace(tmp_path, "2026-11-26", cached=False)
    chance = random.Random(17)
    changed = 0
    for _ in range(50):
        file = chance.choice(input_files(tmp_path))
        text = (tmp_path / file).read_text()
        data = yaml.safe_load(text)
        path, value = chance.choice([leaf for leaf in leaves(data) if leaf[0][0] == "spec"])
        shape = shape_of(data["kind"]).at(path)
        assert shape is not None
        wanted = other(shape, value, chance)
        written = wanted if isinstance(wanted, str) else json.dumps(wanted)
        changed += _one(space, file, text, path, wanted, written)
        (tmp_path / file).write_text(text)
    assert changed > 20


def _one(space: Workspace, file: str, text: str, path: Path_, wanted: Any, written: str) -> int:
    try:
        set_values(space, file, [f"{shown(path)}={written}"])
    except UsageError as error:
        assert "would not be right" in error.message, error.message
        assert (space.root / file).read_text() == text
        return 0
    result = (space.root / file).read_text()
    place = source.Document(file, text, None).place(path)
    assert yaml.safe_load(result) != yaml.safe_load(text) or result == text
    document, _ = source.parse(file, result)
    assert document is not None
    here = document.data
    for step in path:
        here = here[step]
    assert here == wanted
    old, new = text.split("\n"), result.split("\n")
    length = max(1, len(old) - len(new) + 1)
    assert new[: place.line - 1] == old[: place.line - 1]
    assert new[place.line :] == old[place.line - 1 + length :]
    return 1


def test_a_file_changed_in_the_meantime_is_not_overwritten(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fleet / "tenants/acme.yaml"
    real = source.read_text
    texts = iter([path.read_text()])
    monkeypatch.setattr(source, "read_text", lambda root, file: next(texts, None) or real(root, file))
    path.write_text(path.read_text() + "# by somebody else\n")
    with pytest.raises(MachineError, match="was changed by another program"):
        set_values(Workspace(fleet, "2026-11-26", cached=False), "acme", ["spec.users=30"])
    assert "users: 24\n" in path.read_text()


def test_a_failed_write_leaves_the_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_text("old")
    (tmp_path / "a/link").symlink_to("file")
    with Confined(tmp_path) as folder:
        folder.replace("a/file", b"new")
        assert (tmp_path / "a/file").read_text() == "new"
        with pytest.raises(OSError):
            folder.replace("a/link", b"x")
        with pytest.raises(FileNotFoundError):
            folder.replace("a/none", b"x")

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError):
            folder.replace("a/file", b"newer")
    assert (tmp_path / "a/file").read_text() == "new"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["file", "link"]
