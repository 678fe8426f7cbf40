"""Operators as their releases install them, with images made here."""

from __future__ import annotations

import yaml

from cluster.base import Cluster
from cluster.images import Image
from cluster.programs import CLOUDNATIVE_PG

CNPG_IMAGE = "tenantry.local/cloudnative-pg:1"
RELEASE = "releases/cnpg-1.30.0.yaml"


def install_cloudnative_pg(cluster: Cluster) -> None:
    """CloudNativePG by its release's manifest; only the image is another, and it is never pulled."""
    files, links = {"operator/manager_amd64": CLOUDNATIVE_PG.binary()}, {"manager": "operator/manager_amd64"}
    cluster.load(Image(CNPG_IMAGE, files, links, ("/manager",), "65532:65532"))
    manifests = [m for m in yaml.safe_load_all(CLOUDNATIVE_PG.asset(RELEASE).read_text()) if m]
    (deployment,) = [m for m in manifests if m["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container |= {"image": CNPG_IMAGE, "imagePullPolicy": "Never"}
    for variable in container["env"]:
        if variable["name"] == "OPERATOR_IMAGE_NAME":
            variable["value"] = CNPG_IMAGE
    cluster.apply(manifests)
    cluster.wait_for_deployment("cnpg-system", "cnpg-controller-manager")
    cluster.api.forget_resources()
