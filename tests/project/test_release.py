"""`make release`: wheels with the Go programs inside, tags that hold, the same bytes twice, and what keeps a commit from release."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import platform_wheel
import pytest
import release
from packaging.utils import parse_wheel_filename

from conftest import CACHE
from tenantry import __version__
from tenantry.core.findings import ToolError
from tenantry.engine import build, go_toolchain
from tenantry.engine.build import BuildTarget

LINUX, ARM, MAC = BuildTarget("linux", "amd64"), BuildTarget("linux", "arm64"), BuildTarget("darwin", "arm64")
NAME = "tenantry/engine/built/key/tenantry-engine"


def elf(machine: int, kind: int = 1) -> bytes:
    """The head of an ELF program, with one entry in its table of segments."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHI3QI6H", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    return head + struct.pack("<I", kind).ljust(56, b"\0")


def mach(processor: int, version: tuple[int, int], command: int = 0x32) -> bytes:
    """The head of a Mach-O program, with another load command before the one that names macOS."""
    named = version[0] << 16 | version[1] << 8
    fields = (1, named, 0, 0) if command == 0x32 else (named, 0, 0, 0)
    return struct.pack("<8I", 0xFEEDFACF, processor, 0, 2, 2, 40, 0, 0) + struct.pack("<4I", 0x1B, 16, 0, 0) + struct.pack(
        "<6I", command, 24, *fields
    )  # fmt: skip


INTEL, APPLE = 0x01000007, 0x0100000C


@pytest.mark.parametrize(
    ("target", "programs", "expected"),
    [
        (LINUX, [elf(62)], ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "musllinux_1_1_x86_64"]),
        (ARM, [elf(183)], ["manylinux2014_aarch64", "manylinux_2_17_aarch64", "musllinux_1_1_aarch64"]),
        (MAC, [mach(APPLE, (12, 0)), mach(APPLE, (13, 1))], ["macosx_13_1_arm64"]),
        (BuildTarget("darwin", "amd64"), [mach(INTEL, (11, 0), 0x24)], ["macosx_11_0_x86_64"]),
    ],
)
def test_the_tag_is_what_the_programs_need(target: BuildTarget, programs: list[bytes], expected: list[str]) -> None:
    assert platform_wheel.tags(target, programs) == expected


@pytest.mark.parametrize(
    ("target", "program", "message"),
    [
        (LINUX, elf(183), "this is no program for linux/amd64"),
        (LINUX, mach(INTEL, (12, 0)), "this is no program for linux/amd64"),
        (LINUX, elf(62, 3), "a program for linux/amd64 needs shared libraries"),
        (LINUX, elf(62, 2), "a program for linux/amd64 needs shared libraries"),
        (MAC, mach(INTEL, (12, 0)), "this is no program for darwin/arm64"),
        (MAC, mach(APPLE, (12, 0), 0x1B), "a program for darwin/arm64 does not say which macOS it needs"),
    ],
)
def test_a_program_of_another_kind_gets_no_tag(target: BuildTarget, program: bytes, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        platform_wheel.tags(target, [program])


@pytest.fixture
def pure(tmp_path: Path) -> Path:
    path = tmp_path / f"tenantry-{__version__}-py3-none-any.whl"
    information = f"tenantry-{__version__}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("tenantry/__init__.py", (2026, 11, 29, 0, 0, 0)), "")
        about = "Wheel-Version: 1.0\nGenerator: hatchling 1.33.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{information}/WHEEL", about)
        wheel.writestr(f"{information}/RECORD", "")
    return path


def test_a_wheel_of_one_system_holds_programs_that_run_and_says_what_it_is(pure: Path) -> None:
    path = platform_wheel.write(pure, LINUX, {NAME: elf(62)})
    _, version, _, found = parse_wheel_filename(path.name)
    wheel = zipfile.ZipFile(path)
    about = wheel.read(f"tenantry-{version}.dist-info/WHEEL").decode().splitlines()
    assert {line.removeprefix("Tag: ") for line in about if line.startswith("Tag: ")} == set(map(str, found))
    assert "Root-Is-Purelib: false" in about
    assert "Root-Is-Purelib: true" not in about
    modes = {entry.filename: stat.S_IMODE(entry.external_attr >> 16) for entry in wheel.infolist()}
    assert modes == {name: 0o755 if name == NAME else 0o644 for name in wheel.namelist()}
    rows = list(csv.reader(io.StringIO(wheel.read(f"tenantry-{version}.dist-info/RECORD").decode())))
    assert {name for name, *_ in rows} == set(wheel.namelist())
    for name, digest, size in rows:
        if digest:
            content = wheel.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={expected}", len(content))


def test_the_same_programs_give_the_same_wheel(pure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = platform_wheel.write(pure, LINUX, {NAME: elf(62)}).read_bytes()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    before = os.umask(0o077)
    try:
        assert platform_wheel.write(pure, LINUX, {NAME: elf(62)}).read_bytes() == first
    finally:
        os.umask(before)


def test_a_program_is_the_same_bytes_wherever_its_sources_are(
    engine_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = go_toolchain.find_go()
    monkeypatch.setenv("GOCACHE", str(Path(CACHE) / "go-build"))
    found = []
    for place in ("one", "some/where/else"):
        sources = tmp_path / place / "engine"
        shutil.copytree(build.source_folder(), sources)
        monkeypatch.setattr(build, "source_folder", lambda here=sources: here)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / place / "cache"))
        path = build.ensure_for(build.ENGINE, LINUX, go, lambda _: None)
        assert path.is_relative_to(tmp_path / place)
        found.append(path.read_bytes())
        monkeypatch.undo()
        monkeypatch.setenv("GOCACHE", str(Path(CACHE) / "go-build"))
    assert found[0] == found[1]
    assert platform_wheel.tags(LINUX, found[:1])


def test_the_program_of_a_wheel_is_used_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "__file__", str(tmp_path / "build.py"))
    monkeypatch.setattr(build, "find_go", lambda: pytest.fail("nothing is to be built"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    carried = tmp_path / build.SHIPPED / build.ENGINE.key / build.ENGINE.name
    carried.parent.mkdir(parents=True)
    carried.write_bytes(b"")
    assert build.ready(build.ENGINE) is None  # it can't be run
    carried.chmod(0o755)
    assert build.ensure(build.ENGINE, lambda _: None) == carried
    other = carried.parent.rename(carried.parent.with_name("of-other-sources"))
    assert (other / build.ENGINE.name).is_file()
    assert build.ready(build.ENGINE) is None


DATED = f"# Changelog\n\n## Unreleased\n\n## {__version__} - 2026-11-29\n\n- All.\n"


@pytest.mark.parametrize(
    ("changelog", "tag", "changed", "expected"),
    [
        (DATED, f"v{__version__}", "", []),
        (DATED.replace(" - 2026-11-29", ""), f"v{__version__}", "", ["CHANGELOG.md has no section"]),
        (DATED.replace("Unreleased\n", "Unreleased\n\n- More.\n"), f"v{__version__}", "", ["CHANGELOG.md has unreleased"]),
        (DATED, "v9", "", ["the commit's tag is 'v9', but"]),
        (DATED, f"v{__version__}", " M README.md", ["the working tree has changes"]),
    ],
)  # fmt: skip
def test_a_commit_is_released_only_as_what_it_says_it_is(
    changelog: str, tag: str, changed: str, expected: list[str]
) -> None:
    found = list(release.reasons_against(changelog, tag, changed))
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True))


def test_a_system_that_is_not_built_for_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["build", "plan9/386"]) == 4
    assert (
        capsys.readouterr().err
        == "release: 'plan9/386' is none of linux/amd64, linux/arm64, darwin/amd64, darwin/arm64\n"
    )


def test_cutting_a_release_names_and_dates_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "ROOT", tmp_path)
    (tmp_path / "generator/tenantry").mkdir(parents=True)
    code, changes = tmp_path / "generator/tenantry/__init__.py", tmp_path / "CHANGELOG.md"
    code.write_text('"""About."""\n\n__version__ = "0.1.0"\n')
    changes.write_text("# Changelog\n\n## Unreleased\n\n- More.\n")
    assert release.main(["cut", "0.2.0", "2026-11-29"]) == 0
    assert code.read_text() == '"""About."""\n\n__version__ = "0.2.0"\n'
    assert changes.read_text() == "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-11-29\n\n- More.\n"
    monkeypatch.setattr(release, "__version__", "0.2.0")
    assert list(release.reasons_against(changes.read_text(), "v0.2.0", "")) == []
    assert release.main(["cut", "next"]) == 4
