"""`tenantry verify` on trees that somebody made to break it: each fault is reported at its place, and the rest is checked."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY, Ran
from fake_engine import fake
from tenantry.commands.verify import verify
from tenantry.core.findings import Finding, ToolError
from tenantry.engine import build
from tenantry.engine.kustomize import Engine
from tenantry.runtime.workspace import Workspace
from tenantry.verify.folder import MAX_FILE_BYTES
from tenantry.verify.judge import MOST

Run = Callable[..., Ran]
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {k: v}\n"
THING = "apiVersion: a.example/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: big}\n"


def findings(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    return found


def told(ran: Ran) -> list[tuple[str, str, int]]:
    return [(f["code"], Path(f["file"]).name, f["line"]) for f in findings(ran)]


def definition(size: Any, name: str = "things.a.example") -> dict[str, Any]:
    """A CustomResourceDefinition of Things with a size."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": size}}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
        "spec": {
            "group": "a.example", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip


# --- definitions


BROKEN: dict[str, Any] = {
    "versions that are a text": {**definition({}), "spec": {**definition({})["spec"], "versions": "none"}},
    "a specification that is a list": {**definition({}), "spec": []},
    "a type that is a list": definition({"type": ["integer"]}),
    "a type that is missing": definition({"minimum": 1}),
    "a pattern that is none": definition({"type": "string", "pattern": "("}),
    "a rule that is none": definition({"type": "integer", "x-kubernetes-validations": [{"rule": "self >"}]}),
    "a default of another type": definition({"type": "integer", "default": "big"}),
    "a name of another kind": definition({"type": "integer"}, "others.a.example"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_definition_is_reported_at_its_place_and_everything_else_is_judged(
    case: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "definition.yaml").write_text(json.dumps(BROKEN[case], indent=1))
    (tmp_path / "thing.yaml").write_text(THING)
    (tmp_path / "config.yaml").write_text(CONFIG.replace("k: v", "k: 1"))
    ran = run("verify", tmp_path, "--format", "json")
    by_file = {file: {code for code, name, _ in told(ran) if name == file} for _, file, _ in told(ran)}
    assert by_file["config.yaml"] == {"V021"}
    assert by_file["definition.yaml"] <= {"V020", "V021"} and by_file["definition.yaml"]
    assert by_file["thing.yaml"] <= {"V010", "V024"} and by_file["thing.yaml"], "no verdict is not a good one"


def test_a_good_definition_beside_a_broken_one_still_judges(run: Run, tmp_path: Path) -> None:
    other = json.loads(json.dumps(definition({"type": "object", "minimum": "x"})).replace("hing", "hong"))
    (tmp_path / "a.json").write_text(json.dumps(other))
    (tmp_path / "b.json").write_text(json.dumps(definition({"type": "integer"})))
    (tmp_path / "thing.yaml").write_text(THING)
    ran = run("verify", tmp_path, "--format", "json")
    assert ("V021", "thing.yaml", 4) in told(ran)
    assert ("V021", "a.json", 1) in told(ran)


def bomb(depth: int) -> dict[str, Any]:
    """A list whose default has a hundred entries, each of which has such a list by default, and so on."""
    inner = bomb(depth - 1) if depth else {"type": "string", "default": "x"}
    return {"type": "array", "default": [{}] * 100, "items": {"type": "object", "properties": {"a": inner}}}


def test_defaults_that_grow_without_bound_are_reported_and_not_applied(run: Run, tmp_path: Path) -> None:
    (tmp_path / "definition.json").write_text(json.dumps(definition(bomb(6))))
    (tmp_path / "thing.yaml").write_text(THING.replace("size: big", ""))
    (tmp_path / "config.yaml").write_text(CONFIG)
    ran = run("verify", tmp_path, "--format", "json")
    (finding,) = findings(ran)
    assert (ran.code, finding["code"], Path(finding["file"]).name) == (1, "V024", "thing.yaml")
    assert "by its defaults the object grows over all bounds" in finding["message"]


# --- texts


def test_files_that_would_fill_the_memory_are_reported_and_the_others_are_judged(run: Run, tmp_path: Path) -> None:
    names = "abcdefgh"
    aliases = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 40)}]\n" for a, b in itertools.pairwise(names))
    texts = {
        "aliases.yaml": f"a: &a [{', '.join(['x'] * 40)}]\n{aliases}",
        "deep.yaml": "[" * 1000 + "]" * 1000,
        "long.yaml": f"{CONFIG}  {'x' * (4 << 20)}: y\n".replace("data: {k: v}", "data:"),
        "many.yaml": f"[{'1,' * 3_100_000}1]",
        "wrong.yaml": CONFIG.replace("k: v", "k: 1"),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    ran = run("verify", tmp_path, "--format", "json")
    codes = {name: {code for code, file, _ in told(ran) if file == name} for name in texts}
    assert codes == {
        "aliases.yaml": {"V024"}, "deep.yaml": {"V024"}, "many.yaml": {"V024"}, "wrong.yaml": {"V021"}, "long.yaml": codes["long.yaml"],
    }  # fmt: skip
    assert codes["long.yaml"] <= {"V001", "V024"} and codes["long.yaml"]


def test_an_object_that_is_wrong_everywhere_is_reported_in_part_and_counted(run: Run, tmp_path: Path) -> None:
    fields = "".join(f"field{n}: 1\n" for n in range(20_000))
    (tmp_path / "a.yaml").write_text(CONFIG + fields)
    ran = run("verify", tmp_path, "--format", "json")
    assert len(findings(ran)) == MOST + 1
    assert [f["message"] for f in findings(ran) if f["code"] == "V024"] == [
        "ConfigMap shop/a: 19900 more problems of the object are not listed"
    ]


# --- what is no file


def test_what_is_no_ordinary_file_is_refused_and_never_waited_for(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.yaml"))
        for path in (tmp_path / "pipe.yaml", tmp_path / "socket.yaml", Path("/dev/zero"), Path("/dev/null")):
            ran = run("verify", path)
            assert (ran.code, "is neither a folder nor an ordinary file" in ran.err) == (2, True), path
        ran = run("verify", tmp_path, "--format", "json")
    assert told(ran) == [("V004", "pipe.yaml", 0), ("V004", "socket.yaml", 0)]


def test_a_file_that_says_it_is_empty_is_read_to_its_end_or_to_the_limit(run: Run) -> None:
    """Files of the kernel have no size."""
    ran = run("verify", "/proc/self/status", "--format", "json")
    assert (ran.code, findings(ran)[0]["code"]) == (0, "V002")


def test_manifests_come_from_standard_input(tmp_path: Path) -> None:
    def verify(content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "tenantry", "verify", "-", *arguments]
        return subprocess.run(command, input=content, capture_output=True, timeout=120, cwd=tmp_path)

    good = verify(CONFIG.encode())
    assert (good.returncode, b"1 objects in 1 files: all are valid." in good.stdout) == (0, True)
    bad = verify(CONFIG.replace("k: v", "k: 1").encode())
    assert (bad.returncode, bad.stdout.startswith(b"stdin:4:8: V021 ConfigMap shop/a: data.k")) == (1, True), bad
    old = verify(b"apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec: {}\n", "--kubernetes", "1.25")
    assert (old.returncode, b"not served by Kubernetes 1.25" in old.stdout) == (1, True), old
    for content, words in (
        (b"", b"contains no manifests"),
        (b"\xff", b"is not UTF-8"),
        (b" " * (MAX_FILE_BYTES + 1), b"exceeds 16 MiB"),
    ):
        refused = verify(content)
        assert (refused.returncode, words in refused.stderr) == (2, True), refused


def test_a_folder_that_can_not_be_opened_is_reported(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may open everything, so the refusal is played."""
    (tmp_path / "shut").mkdir()
    (tmp_path / "a.yaml").write_text(CONFIG)
    opened = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = verify(Workspace(tmp_path, "2026-11-24"), tmp_path, "")
    assert [(f.code, f.place.file) for f in result.findings] == [("V004", "shut")]


# --- what lies beside the clusters


def test_anything_next_to_the_clusters_is_reported_and_links_are_not_followed(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    elsewhere = tmp_path / "elsewhere"
    for folder in (root / "one/platform/common", root / "loose", elsewhere / "platform/common"):
        folder.mkdir(parents=True)
        (folder / "a.yaml").write_text(CONFIG.replace("namespace: shop", "namespace: shop, labels: {a: 1}"))
    (root / "stray.yaml").write_text(CONFIG)
    (root / "README.md").write_text("read me\n")
    (root / "two").symlink_to(elsewhere)
    ran = run("verify", root, "--format", "json")
    beside = [(code, name) for code, name, _ in told(ran) if name != "a.yaml"]
    assert beside == [("V075", "loose"), ("V075", "stray.yaml"), ("V004", "two")]
    assert [code for code, name, _ in told(ran) if name == "a.yaml"] == ["V021"]


def test_rendered_is_not_judged_through_a_link(run: Run, fleet: Path, tmp_path: Path) -> None:
    (fleet / "rendered").symlink_to(REPOSITORY / "rendered")
    ran = run("verify", "-C", fleet)
    assert (ran.code, "rendered/ is a link" in ran.err) == (2, True)


# --- an engine that breaks over a file


DIES = """
def request():
    header = sys.stdin.buffer.read(4)
    if len(header) < 4:
        sys.exit(0)
    return json.loads(sys.stdin.buffer.read(struct.unpack(">I", header)[0]))
def answer(result, id):
    body = json.dumps({"id": id, "result": result}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()
answer({"protocol": PROTOCOL}, request()["id"])
while True:
    asked = request()
    texts = asked["params"]["texts"]
    if any("deadly" in text for text in texts):
        sys.stderr.write("fatal error: stack overflow\\n")
        sys.exit(2)
    answer({"files": [{"objects": [], "problems": [{"line": 1, "column": 1, "kind": "object", "message": text}]} for text in texts]}, asked["id"])
"""


def verified(program: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Finding, ...]:
    monkeypatch.setattr(build, "ensure", lambda *_: program)
    return verify(Workspace(root, "2026-11-24"), root, "").findings


def test_a_file_over_which_the_engine_ends_is_reported_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    for number in range(100):
        (root / f"{number:02}.yaml").write_text("deadly" if number in (7, 70) else f"text {number}")
    found = verified(fake(tmp_path, DIES), root, monkeypatch)
    assert [(f.code, f.place.file) for f in found if f.code != "V002"] == [("V024", "07.yaml"), ("V024", "70.yaml")]
    assert "what judges it gave up: the engine ended: fatal error: stack overflow" in found[7].message
    assert sum(f.code == "V002" for f in found) == 98


def test_an_engine_that_ends_again_and_again_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    for number in range(9):
        (root / f"{number}.yaml").write_text("deadly")
    with pytest.raises(ToolError, match="stack overflow, now for the 4th time"):
        verified(fake(tmp_path, DIES), root, monkeypatch)


def test_a_request_that_no_engine_takes_is_reported(engine: Engine) -> None:
    with pytest.raises(ToolError, match="a request of 257 MiB is over the engine's limit"):
        engine.parse(" " * (257 << 20))
    assert engine.alive
