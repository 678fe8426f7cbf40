"""`tenantry verify` on trees that anybody may have made: nothing is passed over, nothing ends in a traceback."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY, Ran
from mutation import TIMES, mutated
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest
from tenantry.engine.kustomize import Engine
from tenantry.verify import native
from tenantry.verify.folder import MAX_FILE_BYTES, read_folder
from tenantry.verify.index import Index
from tenantry.verify.judge import judge, judge_objects

Run = Callable[..., Ran]

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {k: v}\n"


def codes(ran: Ran) -> list[str]:
    return [finding["code"] for finding in json.loads(ran.out)["findings"]]


CASES = {
    "yaml that ends early": ("a: [", "V001", 1, "not valid YAML"),
    "a key twice": (CONFIG + "kind: Secret\n", "V001", 5, 'the key "kind" is written twice'),
    "a merge key": ("a: &a {b: 1}\nc:\n  <<: *a\n", "V001", 3, "merge keys"),
    "a number that is none": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: .inf}\n", "V001", 3, "no JSON number"),
    "a list as document": ("- 1\n", "V002", 1, "a mapping is needed"),
    "no kind": ("apiVersion: v1\n", "V002", 1, "apiVersion and kind are needed"),
    "no name": ("apiVersion: v1\nkind: Secret\n", "V002", 1, "has no metadata.name"),
    "a second document": (CONFIG + "---\nx: 1\n", "V002", 6, "apiVersion and kind are needed"),
    "an object in a List": ("apiVersion: v1\nkind: List\nitems: [{a: 1}]\n", "V002", 1, "items[0]"),
    "one object twice": (CONFIG + "---\n" + CONFIG, "V014", 8, "there twice"),
    "a yes that is a boolean": (CONFIG.replace("k: v", "k: yes"), "V021", 4, "wrong type"),
    "a deprecated version": ("apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n", "V012", 1, "deprecated"),
    "a CronJob of old": (
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec: {}\n", "V011", 1, "not served by Kubernetes 1.34",
    ),
    "alert and record": (
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: a}\n"
        "spec: {groups: [{name: g, rules: [{alert: A, record: b, expr: up}]}]}\n", "V045", 4, "either alert or record",
    ),
    "promql that does not parse": (
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: a}\n"
        "spec: {groups: [{name: g, rules: [{alert: A, expr: 'sum(up'}]}]}\n", "V023", 4, "unclosed left parenthesis",
    ),
    "a wave that is no number": (
        CONFIG.replace("namespace: shop", "annotations: {argocd.argoproj.io/sync-wave: first}"), "V065", 3, "no number",
    ),
    "a Secret from elsewhere": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"
        "spec: {containers: [{name: a, image: b, envFrom: [{secretRef: {name: s}}]}]}\n", "V067", 4, "could not be checked",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_broken_file_is_reported_with_its_line(case: str, run: Run, tmp_path: Path) -> None:
    text, code, line, message = CASES[case]
    (tmp_path / "a.yaml").write_text(text)
    ran = run("verify", tmp_path, "--format", "json")
    (finding,) = json.loads(ran.out)["findings"]
    assert (finding["code"], finding["line"]) == (code, line), finding
    assert message in finding["message"]
    assert ran.code == (0 if finding["severity"] == "warning" else 1)


def test_a_files_mode_is_octal_as_for_kubectl(run: Run, tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"
        "spec: {containers: [{name: a, image: b}], volumes: [{name: c, secret: {secretName: s, optional: true, defaultMode: MODE}}]}\n"
    )
    for mode, told in (("0600", []), ("0o0600", []), ("384", []), ("600", ["V050"]), ("01000", ["V050"])):
        (tmp_path / "a.yaml").write_text(text.replace("MODE", mode))
        assert codes(run("verify", tmp_path, "--format", "json")) == told, mode


def test_files_that_can_not_be_read_are_findings(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(CONFIG)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "good.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    ran = run("verify", tmp_path, "--format", "json")
    assert sorted(codes(ran)) == ["V001", "V003", "V004"]


def test_json_lists_and_several_documents_are_read(run: Run, tmp_path: Path) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    (tmp_path / "a.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [item]}))
    (tmp_path / "b.yaml").write_text(
        CONFIG.replace("name: a", "name: b") + "---\n" + CONFIG.replace("name: a", "name: c")
    )
    ran = run("verify", tmp_path, "--format", "json")
    assert (ran.code, json.loads(ran.out)["counts"]["objects"]) == (0, 3)


def test_a_definition_in_the_tree_makes_its_kind_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "object.yaml").write_text(
        "apiVersion: a.example/v1\nkind: Thing\nmetadata: {name: a}\nspec: {size: big}\n"
    )
    assert codes(run("verify", tmp_path, "--format", "json")) == ["V010"]
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.a.example"},
        "spec": {
            "group": "a.example", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip
    (tmp_path / "definition.json").write_text(json.dumps(definition))
    assert codes(run("verify", tmp_path, "--format", "json")) == ["V021"]


def test_a_folder_without_manifests_or_an_unknown_version_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    assert run("verify", tmp_path).code == 2
    assert run("verify", tmp_path / "missing").code == 2
    (tmp_path / "a.yaml").write_text(CONFIG)
    ran = run("verify", tmp_path, "--kubernetes", "1.2")
    assert (ran.code, "there are no schemas for Kubernetes 1.2" in ran.err) == (2, True)


def test_a_copy_of_the_rendered_tree_is_judged_cluster_by_cluster(run: Run, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "rendered", tmp_path / "copy")
    ran = run("verify", tmp_path / "copy", cwd=tmp_path)
    assert (ran.code, "all are valid." in ran.out, "there are no promises to check" in ran.out) == (0, True, True), (
        ran.out
    )
    victim = next((tmp_path / "copy/euw1-a/production/acme/app").glob("service_*odoo-web.yaml"))
    victim.unlink()
    ran = run("verify", tmp_path / "copy", "--format", "json", cwd=tmp_path)
    assert ran.code == 1
    assert set(codes(ran)) == {"V060"}


def test_check_judges_what_a_template_change_would_render(run: Run, fleet: Path) -> None:
    """A storage class that the cluster does not have is refused before anything is written."""
    assert run("render", "-C", fleet).code == 0
    ran = run("verify", "-C", fleet)
    assert (ran.code, "all are valid." in ran.out) == (0, True), ran.out


class Objects(list[Manifest]):
    """Shown in a word: Hypothesis prints the arguments of what fails."""

    def __repr__(self) -> str:
        return "objects"


@pytest.fixture(scope="module")
def objects(engine_program: Path) -> list[Manifest]:
    with Engine(engine_program) as engine:
        return Objects(read_folder(engine, REPOSITORY / "rendered", "euw1-a/production/acme").manifests)


def test_a_file_of_another_tool_and_a_chart_are_no_errors(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CONFIG)
    (tmp_path / "values.yaml").write_text("image:\n  kind: none\n")
    chart = tmp_path / "chart/templates"
    chart.mkdir(parents=True)
    (chart.parent / "Chart.yaml").write_text("apiVersion: v2\nname: a\n")
    (chart / "a.yaml").write_text("{{ if .Values.a }}\n")
    ran = run("verify", tmp_path, "--format", "json")
    told = [(f["severity"], f["code"], f["file"]) for f in json.loads(ran.out)["findings"]]
    below = [(severity, code, str(Path(file).relative_to(tmp_path))) for severity, code, file in told]
    assert below == [("warning", "V002", "chart/Chart.yaml"), ("warning", "V002", "values.yaml")]
    assert ran.code == 0


def test_a_kind_of_a_foreign_operator_is_told_and_no_error(run: Run, tmp_path: Path) -> None:
    groups = {
        "istio.example/v1": "warning",
        "gateway.networking.k8s.io/v1": "warning",
        "apps/v1": "error",
        "trafik.io/v1": "error",
    }
    for group, severity in groups.items():
        (tmp_path / "a.yaml").write_text(f"apiVersion: {group}\nkind: Gate\nmetadata: {{name: a}}\n")
        (finding,) = json.loads(run("verify", tmp_path, "--format", "json").out)["findings"]
        assert (finding["code"], finding["severity"]) == ("V010", severity), group


def test_the_order_of_files_means_nothing(objects: list[Manifest]) -> None:
    def told(order: list[Manifest]) -> set[tuple[ObjectId, str, str]]:
        return {(m.identity, p.code, p.message) for m, p in judge(Index(order), "1.34")}

    shuffled = [*objects]
    random.Random(3).shuffle(shuffled)
    assert told(objects) == told(shuffled)


RELAXED = settings(deadline=None, max_examples=60 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RELAXED
@given(st.binary(max_size=400))
def test_any_bytes_are_answered(parser: Engine, data: bytes) -> None:
    text = data.decode("utf-8", errors="replace")
    manifests, problems = parser.parsed(parser.parse(text), "a.yaml")
    assert all(problem.place.line > 0 for problem in problems)
    list(judge(Index(manifests), "1.34"))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(RELAXED, max_examples=300 * TIMES)
@given(st.integers(0, 10**6), st.integers(0, 10**6), VALUES)
def test_any_mutation_of_a_real_object_is_answered(
    objects: list[Manifest], parser: Engine, which: int, where: int, other: Any
) -> None:
    """No traceback, whatever stands where; and what the schema of a native kind says equals kubernetes-validate's word."""
    manifest = objects[which % len(objects)]
    value = mutated(dict(manifest.value), where, other)
    manifests, _ = parser.parsed(parser.parse(json.dumps(value)), manifest.file)
    for changed in manifests:
        found = list(judge_objects([changed], "1.34"))
        assert all(problem.message for _, problem in found)
        list(judge(Index([changed, *objects]), "1.34"))
        if native.schemas("1.34").knows(changed.identity.group, changed.version, changed.identity.kind):
            ours = [problem for problem in native.schemas("1.34").problems(changed) if problem.code in ("V020", "V021")]
            refused = any(" is none of " not in problem.message for problem in ours)  # its data has no enumerations
            assert refused == _stock_refuses(dict(changed.value))


def _stock_refuses(value: dict[str, Any]) -> bool:
    try:
        kubernetes_validate.validate(value, "1.34.0", strict=True)
    except kubernetes_validate.ValidationError:
        return True
    return False
