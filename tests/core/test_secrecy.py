"""No secret of an object is in any output: of no command, in no format, whatever is wrong with the object."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY, Ran
from mutation import TIMES
from tenantry.cli import bug
from tenantry.core.findings import FieldChange, Finding, ObjectChange, ObjectId, Result
from tenantry.core.manifest import Manifest, Problem
from tenantry.core.secrecy import LAST_APPLIED, Concealed, concealed
from tenantry.core.secret_words import hide_user_information, says_secret
from tenantry.core.veil import redacted
from tenantry.diff.fields import field_changes
from tenantry.engine.kustomize import Engine
from tenantry.publish.drift import describe
from tenantry.report import WRITERS
from tenantry.runtime.listing import Change
from tenantry.verify.index import Index
from tenantry.verify.judge import judge, no_blame, to_findings
from tenantry.verify.locate import Locator

Run = Callable[..., Ran]
WORD = "Zq7hunter2Xw"


def secret(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "shop"}, **more}


def with_annotation(value: dict[str, Any], key: str, content: str) -> dict[str, Any]:
    return {**value, "metadata": {**value["metadata"], "annotations": {key: content}}}


def pod(**container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "a", "image": "b", **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}, "spec": spec}


def external(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"secretStoreRef": {"name": "s"}, "target": {"template": {"data": data}}, "data": []},
    }  # fmt: skip


def config(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}, "data": data}


PLACES: dict[str, Callable[[Any], Any]] = {
    "data": lambda s: secret(data={"pin": s}),
    "stringData": lambda s: secret(stringData={"pin": s}),
    "encoded data": lambda s: secret(data={"pin": base64.b64encode(str(s).encode()).decode()}),
    "a list": lambda s: secret(data={"pin": [1, s, 3]}),
    "a list for all data": lambda s: secret(data=[s, s]),
    "data that is text": lambda s: secret(stringData=s),
    "a misspelt field": lambda s: secret(stringdata={"pin": s}),
    "an unknown key": lambda s: secret(data={"a b": {"c": s}}),
    "a List": lambda s: {"apiVersion": "v1", "kind": "List", "items": [secret(data={"pin": [s]})]},
    "a Secret's last applied": lambda s: with_annotation(secret(), LAST_APPLIED, json.dumps(secret(data={"pin": s}))),
    "a broken last applied": lambda s: with_annotation(secret(), LAST_APPLIED, f'{{"data": {{"pin": "{s}"'),
    "a Secret's annotation": lambda s: with_annotation(secret(stringData={"pin": s}), "note", f"pin is {s}"),
    "a Pod's last applied": lambda s: with_annotation(pod(), LAST_APPLIED, json.dumps(pod(env=[{"name": "TOKEN", "value": s}]))),
    "a variable": lambda s: pod(env=[{"name": "DB_PASSWORD", "value": s}]),
    "a variable of the wrong type": lambda s: pod(env=[{"name": "API_KEY", "value": {"a": [s]}}]),
    "a variable twice": lambda s: pod(env=[{"name": "TOKEN", "value": s}, {"name": "TOKEN", "value": s, "x": s}][:1]),
    "an argument": lambda s: pod(args=[f"--db-password={s}", 5]),
    "an argument of its own": lambda s: pod(args=["--token", s]),
    "a command line": lambda s: pod(command=["sh", "-c", f"PGPASSWORD={s} psql"]),
    "an address": lambda s: pod(env=[{"name": "DATABASE", "value": f"postgres://odoo:{s}@db/odoo"}]),
    "a key of a ConfigMap": lambda s: config(password=s),
    "a line of a file": lambda s: config(**{"odoo.conf": f"[options]\nadmin_passwd = {s}\nworkers = 2\n"}),
    "JSON in a file": lambda s: config(**{"a.json": json.dumps({"clientSecret": s, "x": 1})}),
    "a Redis user": lambda s: config(**{"users.acl": f"user default off\nuser app on >{s} ~* +@all\n"}),
    "a template": lambda s: external({"password": s}),
    "a template's number": lambda s: external({"password": [s]}),
    "a line of a template": lambda s: external({"odoo.conf": f"db = {{{{ .db }}}}\nadmin_passwd = {s}\n"}),
    "a Helm value": lambda s: {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a", "namespace": "argocd"},
        "spec": {"source": {"repoURL": f"https://bot:{s}@git.example/x", "helm": {"parameters": [{"name": "db.password", "value": s}]}}},
    },
}  # fmt: skip


def told(parser: Engine, value: Any) -> Result:
    """What `verify` finds on one file."""
    manifests, problems = parser.parsed(parser.parse(json.dumps(value)), "a.yaml")
    text = json.dumps(value)
    found = list(to_findings(judge(Index(manifests), "1.34"), Locator(lambda _: text), no_blame))
    found += [Finding("V001", place, message) for place, message in problems]
    return Result("verify", tuple(found))


def all_formats(result: Result) -> str:
    return "".join(write(result) for write in WRITERS.values())


def pieces(text: str) -> set[str]:
    return {text[i : i + 6] for i in range(len(text) - 5)}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "value", [WORD, 73019561, f"${WORD}", f"{WORD}(1", f"two {WORD} words", f'"{WORD}\\', f"{WORD}é\n{WORD}"], ids=repr
)
def test_verify_shows_no_secret(place: str, value: Any, parser: Engine) -> None:
    output = all_formats(told(parser, PLACES[place](value)))
    assert WORD not in output
    assert str(value) not in output
    assert base64.b64encode(str(value).encode()).decode() not in output


@pytest.mark.parametrize("place", PLACES)
def test_diff_shows_no_secret_and_that_it_changed(place: str) -> None:
    before, after = (PLACES[place](value) for value in (WORD, WORD[::-1]))
    kind = ObjectId("", before["kind"], "shop", "a")
    changes = tuple(field_changes(Manifest(kind, "v1", before), Manifest(kind, "v1", after)))
    assert changes
    change = ObjectChange("changed", kind, "acme", "c", "app", "u", changes)
    output = all_formats(Result("diff", changes=(change,)))
    assert WORD not in output
    assert WORD[::-1] not in output
    assert "(hidden)" in output


@pytest.mark.parametrize("place", PLACES)
def test_a_manual_edit_is_reported_without_the_secret(place: str, tmp_path: Path) -> None:
    (tmp_path / "rendered/c").mkdir(parents=True)
    for dumped in (yaml.safe_dump(PLACES[place](WORD)), json.dumps(PLACES[place](WORD), indent=1)):
        lines = dumped.splitlines(keepends=True)
        (tmp_path / "rendered/c/a.yaml").write_text(dumped)
        for number, _ in enumerate(lines):
            wanted = "".join([*lines[:number], "other: line\n", *lines[number + 1 :]])
            changes = [Change("rendered/c/a.yaml", "changed", wanted.encode())]
            (finding,) = describe(tmp_path, changes)
            assert WORD not in finding.message


MESSAGES: tuple[Callable[[str], str], ...] = (
    lambda s: f"'{s}' is no name", lambda s: f"{s!r} is none of a, b", lambda s: f"value {json.dumps(s)} is too long",
    lambda s: f"Invalid value: {s}: must be", lambda s: f"'{s[:80]}' is long", lambda s: f"{json.dumps([s, s])[:20]}...",
    lambda s: f"is {s[:4]}... and more", lambda s: f"encoded {base64.b64encode(s.encode()).decode()}",
)  # fmt: skip


@settings(deadline=None, max_examples=100 * TIMES)
@given(
    st.text(min_size=6, max_size=60),
    st.sampled_from(range(len(MESSAGES))),
    st.sampled_from([("data", "k"), ("metadata",)]),
)
@example("a\tb\nc'\"\\d", 1, ("metadata",))
def test_no_piece_of_a_secret_is_left_in_a_sentence_about_its_object(
    text: str, which: int, path: tuple[str, ...]
) -> None:
    """Whoever wrote the sentence: a schema, an operator's rule, a policy; quoted, escaped or cut off."""
    encoded = base64.b64encode(text.encode()).decode()
    message = MESSAGES[which](text)
    frame = pieces(MESSAGES[which]("") + " the value is invalid; it is not shown because it may be a secret '(hidden)'")
    for value in (secret(stringData={"k": text}), secret(data={"k": encoded})):
        if "encoded" in message and "stringData" in value:
            continue  # nobody encodes what stands there in clear
        clean = redacted(Manifest(ObjectId("", "Secret", "n", "a"), "v1", value), Problem("V021", path, message))
        assert not (pieces(text.strip()) - frame) & pieces(clean.message), clean.message


def test_what_is_no_secret_is_shown() -> None:
    """Hiding too much would take a reviewer's eyes: names of Secrets, keys, templates, users of Redis stay."""
    shown: tuple[Any, ...] = (
        pod(env=[{"name": "SECRET_NAME", "value": "odoo"}, {"name": "PASSWORD_FILE", "value": "/run/p"}, {"name": "WORKERS", "value": "4"}]),
        pod(env=[{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}}]),
        pod(args=["--token-file", "/run/token", "--password=$(PASSWORD)"]),
        external({"password": "{{ .password }}", "users.acl": "user a on #{{ .p }} ~a:*\nuser default off\n"}),
        config(**{"odoo.conf": "admin_passwd = {{ .x }}\nworkers = 2\n", "a.py": 'password = os.environ["PASSWORD"]\n'}),
        {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": "a"}, "spec": {"basicAuth": {"secret": "users"}}},
        {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Secret", "name": "reference", "apiVersion": "v1"}]},
        with_annotation(pod(), LAST_APPLIED, json.dumps(pod())),
        {"url": "ssh://git@git.example/x", "image": "odoo:17@sha256:00", "docs": "https://a.example:8080/@x"},
    )  # fmt: skip
    for value in shown:
        assert concealed(value) == value


def test_the_example_fleet_hides_the_literals_of_templates_only(parser: Engine) -> None:
    hidden = set()
    for file in sorted((REPOSITORY / "rendered").rglob("*.yaml")):
        value = yaml.load(file.read_text(), yaml.CSafeLoader)
        if concealed(value) != value:
            hidden.add(value["kind"])
    assert hidden == {"ExternalSecret"}


def test_a_concealed_value_can_be_compared_and_shows_neither() -> None:
    one, same, other = Concealed("(hidden)", "a"), Concealed("(hidden)", "a"), Concealed("(hidden)", "b")
    assert (one == same, one == other, one == "(hidden)", hash(one) == hash(same)) == (True, False, False, True)
    assert f"{one} {one!r} {json.dumps(one)}" == "(hidden) '(hidden)' \"(hidden)\""


@pytest.mark.parametrize(("name", "secret_"), [
    ("DB_PASSWORD", True), ("AWS_SECRET_ACCESS_KEY", True), ("PGPASSWORD", True), ("clientSecret", True), ("api-key", True),
    ("SSH_KEY_2", True), ("ENCRYPTION_KEY", True), ("DB_PASS", True), ("SECRET_NAME", False), ("TOKEN_URL", False), ("PUBLIC_KEY", False), ("key", False),
])  # fmt: skip
def test_names_say_what_they_hold(name: str, secret_: bool) -> None:
    assert says_secret(name) == secret_


@pytest.mark.parametrize(("given_", "shown"), [
    ("https://bot:pw@h/x", "https://(hidden)@h/x"), ("https://token@h", "https://(hidden)@h"), ("git+https://t@h", "git+https://(hidden)@h"),
    ("https://a:b/c@h", "https://(hidden)@h"), ("https://a:p@w@h", "https://(hidden)@h"), ("HTTPS://a:b@h", "HTTPS://(hidden)@h"),
    ("x redis://:pw@h and amqp://u:p@h", "x redis://(hidden)@h and amqp://(hidden)@h"), ("https://(hidden)@h", "https://(hidden)@h"),
    ("ssh://git@h/x", "ssh://git@h/x"), ("https://h/a@b", "https://h/a@b"), ("https://u:$(P)@h", "https://(hidden)@h"),
    ("postgres://u:{{.p}}@h", "postgres://u:{{.p}}@h"),
])  # fmt: skip
def test_user_information_of_addresses_is_hidden(given_: str, shown: str) -> None:
    assert hide_user_information(given_) == shown


TREE = {
    "wrong.yaml": secret(data={"pin": [WORD]}, stringData={"n": 73019561}),
    "list.json": PLACES["a List"](WORD),
    "app.yaml": PLACES["a Helm value"](WORD),
    "pod.yaml": pod(env=[{"name": "DB_PASSWORD", "value": [WORD]}]),
}


ONCE = {"sarif": '"ruleId": "V001"', "junit": 'type="V001"', "gitlab": '"check_name": "V001"'}
"""How a format names the code of a finding, where it does so more than once."""


@pytest.mark.parametrize("form", WRITERS)
def test_the_commands_show_no_secret(form: str, run: Run, tmp_path: Path) -> None:
    for name, value in TREE.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "syntax.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  a: *{WORD}\n"
    )
    (tmp_path / "tag.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  a: !{WORD} b\n"
    )
    (tmp_path / "number.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: 17301956173019561730\n"
    )
    ran = run("verify", tmp_path, "--format", form)
    assert ran.code == 1
    assert WORD not in ran.out + ran.err
    assert "73019561" not in ran.out + ran.err
    assert "V034" in ran.out
    assert ran.out.count(ONCE.get(form, "V001")) == 2  # the number is one to kubectl too, and no text


def test_an_input_that_is_a_secret_is_refused_without_its_values(run: Run, fleet: Path) -> None:
    (fleet / "tenants/a.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{pin: 0073, b: {WORD}}}\n"
    )
    ran = run("check", "-C", fleet)
    assert (ran.code, "S024" in ran.out, "S010" in ran.out) == (1, True, True), ran
    assert "0073" not in ran.out
    assert WORD not in ran.out


def test_a_bug_report_holds_no_value(fleet: Path, tmp_path: Path) -> None:
    """Neither from the failure's text, nor of one before it, nor from the command line."""
    code = (
        "import sys, tenantry.inputs.schema as s\n"
        "def broken(kind):\n"
        f"    try: int('{WORD}')\n"
        f"    except ValueError as error: raise KeyError('{WORD}') from error\n"
        "s.schema_text = broken\n"
        f"sys.argv = ['tenantry', 'check', '--no-cache', '--output=/{WORD}', '-C', {str(fleet)!r}, '--as-of', '2026-01-01']\n"
        "from tenantry.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, "TMPDIR": str(tmp_path)}
    )  # fmt: skip
    report = next(tmp_path.glob("tenantry-bug-*.txt")).read_text()
    assert (done.returncode, WORD in report, WORD in done.stderr) == (3, False, False), report
    assert "command: tenantry check --no-cache --output=... -C ... --as-of ...\n" in report
    assert report.index("builtins.ValueError") < report.index("builtins.KeyError")
    assert 'schema.py", line' in report


def test_a_bug_report_names_the_places_of_another_process_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        error = pool.submit(int, WORD).exception(60)
    assert error is not None
    report = Path(bug.write(error, ["tenantry", "verify", WORD])).read_text()
    assert WORD not in report
    assert 'concurrent/futures/process.py", line' in report


def test_a_change_of_a_secret_line_among_others_is_reported() -> None:
    before, after = (config(**{"a.conf": f"a = 1\npassword = {word}\n"}) for word in ("one-word", "other-word"))
    kind = ObjectId("", "ConfigMap", "shop", "a")
    assert list(field_changes(Manifest(kind, "v1", before), Manifest(kind, "v1", after))) == [
        FieldChange("data[a.conf]", "(hidden)", "(hidden)")
    ]


def test_of_an_object_with_very_many_secrets_no_sentence_quotes_anything() -> None:
    manifest = Manifest(ObjectId("", "Secret", "n", "a"), "v1", secret(data={"k": WORD * 30_000, "pin": "Ab1"}))
    for message in ("'Ab1' is none of a, b", "Invalid value: Ab1", "Ab1..."):
        assert redacted(manifest, Problem("V070", ("metadata", "name"), message)).message.startswith(
            "the value is invalid"
        )
    plain = Problem("V032", ("data",), "the data has 360000 bytes; at most 1048576 are taken")
    assert redacted(manifest, plain) == plain
