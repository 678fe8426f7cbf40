"""Strategic merge patches name what they change, and hold nothing else."""

from __future__ import annotations

import copy
from textwrap import dedent
from typing import Any

import pytest
import yaml

from tenantry.render.block import block_lines
from tenantry.render.patches import change, deletion
from tenantry.render.strategic import strategic_patch

POD: dict[str, Any] = {
    "containers": [
        {
            "name": "odoo",
            "image": "odoo:18",
            "args": ["--workers=2", "--no-http"],
            "env": [{"name": "HOME", "value": "/tmp"}, {"name": "MODE", "value": "a"}, {"name": "LAST", "value": "z"}],
            "ports": [{"name": "http", "containerPort": 8069}, {"name": "bus", "containerPort": 8072}],
        },
        {"name": "pgbouncer", "image": "pgbouncer:1"},
    ],
    "tolerations": [{"key": "pool", "value": "a"}],
    "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
}


def deployment() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "odoo-web"},
        "spec": {"replicas": 2, "template": {"spec": copy.deepcopy(POD)}},
    }


def pod_patch(wanted: dict[str, Any]) -> Any:
    """What the patch says of the Pod."""
    patch = strategic_patch(deployment(), wanted)
    assert patch is not None
    assert (patch["apiVersion"], patch["kind"], patch["metadata"]) == ("apps/v1", "Deployment", {"name": "odoo-web"})
    return patch["spec"]["template"]["spec"]


def test_a_variable_is_named_with_those_before_it_which_keep_the_order() -> None:
    wanted = deployment()
    wanted["spec"]["template"]["spec"]["containers"][0]["env"][1]["value"] = "b"
    env = [{"name": "HOME"}, {"name": "MODE", "value": "b"}]
    assert pod_patch(wanted) == {"containers": [{"name": "odoo", "env": env}]}


def test_what_is_gone_is_null_in_a_mapping_and_deleted_by_its_key_in_a_list() -> None:
    wanted = deployment()
    pod = wanted["spec"]["template"]["spec"]
    del pod["tolerations"], pod["volumes"][0], pod["containers"][1]["image"]
    assert pod_patch(wanted) == {
        "tolerations": None,
        "volumes": [{"name": "data", "$patch": "delete"}],
        "containers": [{"name": "odoo"}, {"name": "pgbouncer", "image": None}],
    }


def test_a_list_without_keys_is_given_as_a_whole() -> None:
    wanted = deployment()
    wanted["spec"]["template"]["spec"]["containers"][0]["args"][0] = "--workers=4"
    assert pod_patch(wanted)["containers"] == [{"name": "odoo", "args": ["--workers=4", "--no-http"]}]


def test_a_list_is_replaced_where_merging_could_not_give_its_order() -> None:
    wanted = deployment()
    ports = wanted["spec"]["template"]["spec"]["containers"][0]["ports"]
    for port in ports:
        port["protocol"] = "TCP"
    assert pod_patch(wanted)["containers"][0]["ports"] == [{"$patch": "replace"}, *ports]


@pytest.mark.parametrize(
    "change_pod",
    [
        lambda pod: pod["containers"][0]["env"].append({"name": "HOME", "value": "twice"}),
        lambda pod: pod["containers"][0].update(args={"a": "map in a list's place"}),
        lambda pod: pod["containers"][0].update(image=None),
    ],
)
def test_what_no_strategic_merge_can_say_is_a_json_patch_with_its_fields_named(change_pod: Any) -> None:
    wanted = deployment()
    change_pod(wanted["spec"]["template"]["spec"])
    assert strategic_patch(deployment(), wanted) is None
    [patch] = change(deployment(), wanted)
    assert patch["target"]["kind"] == "Deployment"
    comment, operation = str(patch["text"]).splitlines()
    assert comment.startswith("      # spec.template.spec.containers[odoo].")
    assert operation.startswith("      - {op: replace, path: /spec/template/spec/containers/0/")


def test_equal_objects_need_no_patch() -> None:
    assert strategic_patch(deployment(), deployment()) == {}
    assert not list(change(deployment(), deployment()))


def test_custom_resources_get_json_patches_with_their_list_entries_named() -> None:
    base = {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "objectives"},
        "spec": {"groups": [{"name": "slow", "rules": [{"alert": "HostDown", "labels": {"a.b/c": "x"}}]}], "list": [["a"]]},
    }  # fmt: skip
    wanted = copy.deepcopy(base)
    wanted["spec"]["groups"][0]["rules"][0]["labels"]["a.b/c"] = "y"  # type: ignore[index]
    wanted["spec"]["list"][0][0] = "b"  # type: ignore[index]
    [patch] = change(base, wanted)
    assert str(patch["text"]).splitlines() == [
        "      # spec.groups[slow].rules[HostDown].labels[a.b/c]",
        '      - {op: replace, path: "/spec/groups/0/rules/0/labels/a.b~1c", value: "y"}',
        "      # spec.list[0][0]",
        "      - {op: replace, path: /spec/list/0/0, value: b}",
    ]


@pytest.mark.parametrize(
    "text", ["a\nb\n", "a\nb", " a\nb", "a \nb", "a\n\nb\n", "a\n\n", "\n", "a\r\nb", "a\tb\nc", "  \n", "a\n  b\n"]
)
def test_texts_of_several_lines_are_kept_as_they_are(text: str) -> None:
    for literal in (True, False):
        written = "\n".join(block_lines({"data": {"conf": text, "z": 1}}, literal=literal))
        assert yaml.safe_load(written) == {"data": {"conf": text, "z": 1}}


def test_a_text_never_ends_a_patch_because_kustomize_cuts_space_off_there() -> None:
    base = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "redis"}, "data": {"redis.conf": "a\n"}}
    [patch] = change(base, {**base, "data": {"redis.conf": "a\nb\n"}})
    assert yaml.safe_load(dedent(str(patch["text"])).strip())["data"] == {"redis.conf": "a\nb\n"}
    assert "redis.conf: |\n" in patch["text"]
    [patch] = change(base, {**base, "metadata": {"name": "redis", "annotations": {"note": "a\nb\n"}}})
    assert yaml.safe_load(dedent(str(patch["text"])).strip())["metadata"]["annotations"] == {"note": "a\nb\n"}


def test_a_deletion_names_its_object() -> None:
    patch = deletion(deployment())
    assert yaml.safe_load(dedent(str(patch["text"]))) == {
        "$patch": "delete",
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "odoo-web"},
    }
