"""What a tenant's Pod may reach, and what the API server refuses."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from cluster.asking import in_odoo, odoo
from cluster.plugin import Show
from cluster.service import Service
from cluster.trees import CELL, TENANTS

pytestmark = pytest.mark.usefixtures("installed")
ONE, OTHER = TENANTS
ATTACHMENTS = "euw1-a-files"
BACKUPS = "euw1-a-backup"
ASK_OBJECT_STORE = """
import json, os, sys
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
given = json.load(sys.stdin)
config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, request_checksum_calculation="when_required")
client = Session().create_client("s3", "us-east-1", endpoint_url=given["endpoint"], config=config)
for operation, parameters in given["asked"]:
    try:
        getattr(client, operation)(**parameters)
        print("done")
    except ClientError as error:
        print(error.response["ResponseMetadata"]["HTTPStatusCode"])
"""
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 4)"


def test_from_inside_a_tenants_pod_only_the_declared_flows_work(service: Service, show: Show) -> None:
    def connects(host: str, port: int) -> bool:
        said = in_odoo(service, ONE, "python3", "-c", CONNECT, host, str(port), code=None)
        return not said

    # One that listens: a Job's Pod that has ended would refuse whoever asks.
    pods = service.cluster.api.list("v1", "Pod", OTHER)
    (neighbour,) = (p["status"]["podIP"] for p in pods if p["metadata"]["name"] == odoo(service, OTHER))
    node = service.cluster.nodes[0]
    allowed = {
        f"postgresql-rw.{CELL}.svc": 5432, f"redis.{CELL}.svc": 6379, service.store.host: 443,
    }  # fmt: skip
    refused = {
        f"odoo-web.{OTHER}.svc": 8069, neighbour: 8069, f"odoo-websocket.{OTHER}.svc": 8072,
        "kubernetes.default.svc": 443, service.cluster.addresses.api_server: 6443,
        service.cluster.addresses.nodes[node.number]: 10250, "barman-cloud.cnpg-system.svc": 9090,
        "169.254.169.254": 80,
    }  # fmt: skip
    assert {host: connects(host, port) for host, port in allowed.items()} == dict.fromkeys(allowed, True)
    assert {host: connects(host, port) for host, port in refused.items()} == dict.fromkeys(refused, False)
    show(
        f"reached: {', '.join(allowed)}; not reached: {len(refused)} others, the neighbour's Pod and the API server among them"
    )


def test_a_key_of_the_object_store_opens_the_tenants_own_folder_alone(service: Service, show: Show) -> None:
    def asked(*operations: tuple[str, dict[str, str]]) -> list[str]:
        given = json.dumps({"endpoint": f"https://{service.store.host}", "asked": operations})
        return in_odoo(service, ONE, "python3", "-c", ASK_OBJECT_STORE, text=given).split()

    own, others = (f"{tenant.removesuffix('-production')}/production" for tenant in TENANTS)

    def file(operation: str, bucket: str, folder: str, **more: str) -> tuple[str, dict[str, str]]:
        return operation, {"Bucket": bucket, "Key": f"{folder}/tried", **more}

    def listing(bucket: str, **prefix: str) -> tuple[str, dict[str, str]]:
        return "list_objects_v2", {"Bucket": bucket, **prefix}

    allowed = [
        file("put_object", ATTACHMENTS, own, Body="own"), file("get_object", ATTACHMENTS, own),
        listing(ATTACHMENTS, Prefix=f"{own}/"), file("delete_object", ATTACHMENTS, own),
    ]  # fmt: skip
    refused = [
        file("get_object", ATTACHMENTS, others), file("put_object", ATTACHMENTS, others, Body="foreign"),
        file("delete_object", ATTACHMENTS, others), listing(ATTACHMENTS, Prefix=f"{others}/"), listing(ATTACHMENTS),
        listing(ATTACHMENTS, Prefix=own), file("put_object", BACKUPS, own, Body="own"), listing(BACKUPS, Prefix=f"{own}/"),
        file("get_object", BACKUPS, f"cells/{CELL.removesuffix('-cell')}"), ("get_bucket_policy", {"Bucket": ATTACHMENTS}),
        ("delete_bucket_policy", {"Bucket": ATTACHMENTS}), ("head_bucket", {"Bucket": ATTACHMENTS}),
    ]  # fmt: skip
    assert asked(*allowed) == ["done"] * len(allowed)
    assert asked(*refused) == ["403"] * len(refused)
    show(
        f"with its own key: {len(allowed)} of its own folder done; {len(refused)} of others and of the buckets refused"
    )


def test_the_policies_refuse_a_person_and_let_the_operators_work(service: Service, show: Show) -> None:
    template = service.trees.one("Deployment", ONE, "odoo-web")["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "tried", "namespace": ONE}}
    pod["spec"] = template["spec"]

    def create(manifest: dict[str, Any]) -> str:
        return service.cluster.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(manifest), code=None)

    assert "created (server dry run)" in create(pod)
    wrong = copy.deepcopy(pod)
    wrong["spec"]["containers"][0]["image"] = wrong["spec"]["containers"][0]["image"].partition("@")[0]
    said = create(wrong)
    assert "an image must be named by digest" in said
    denied = [
        event for event in service.cluster.api.list("v1", "Event") if "admission webhook" in event.get("message", "")
    ]
    assert not denied, denied[0]["message"]
    found = service.cluster.api.list("policies.kyverno.io/v1", "ValidatingPolicy")
    show(f"{len(found)} policies; an image without digest: refused; no object of an operator was")


def test_a_namespace_has_no_more_than_its_quota(service: Service, show: Show) -> None:
    def create(**resources: str) -> str:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried", "namespace": ONE}}
        template = service.trees.one("Deployment", ONE, "odoo-web")["spec"]["template"]
        container = {**template["spec"]["containers"][0], "resources": {"requests": resources, "limits": resources}}
        pod["spec"] = {**template["spec"], "containers": [container]}
        given = json.dumps(pod)
        return service.cluster.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", text=given, code=None)

    defaults = service.trees.one("LimitRange", ONE, "defaults")["spec"]["limits"][0]["default"]
    without = json.loads(create())["spec"]["containers"][0]["resources"]["limits"]
    assert without["memory"] == defaults["memory"]
    said = create(memory="900Gi")
    assert "exceeded quota: quota" in said or "maximum memory usage" in said, said
    show(f"without limits: {defaults['memory']}; 900 GiB: {said.strip().rpartition('forbidden: ')[2][:90]}")
