"""Argo CD's settings follow the inputs: how it logs in to git, and what it doesn't watch."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest
import yaml

from controls.laboratory import example
from tenantry.model.platform import ArgoCdSettings, RepositoryCredential, ResourceExclusion
from tenantry.render.argocd import REPOSITORY_KEYS, argocd_context
from tenantry.render.kustomizations import expected_objects

CLUSTER = "euw1-a"


def objects(**changes: Any) -> dict[str, Any]:
    """Objects of the example's cluster by name, with other values of the platform."""
    known, _ = example()
    platform = dataclasses.replace(known.platform, **changes)
    context = argocd_context(platform, known.clusters[CLUSTER])
    return {value["metadata"]["name"]: value for value in expected_objects("argocd", context, {})}


@pytest.mark.parametrize("credential", REPOSITORY_KEYS)
def test_the_repository_secret_has_what_the_credential_needs(credential: RepositoryCredential) -> None:
    known, _ = example()
    made = objects(git=dataclasses.replace(known.platform.git, credential=credential))
    keys = REPOSITORY_KEYS[credential]
    if not keys:
        assert "repository" not in made
        return
    spec = made["repository"]["spec"]
    wanted = {"type": "git", "url": known.platform.git.repository, **{key: f"{{{{ .{key} }}}}" for key in keys}}
    assert spec["target"]["template"]["data"] == wanted
    assert {entry["secretKey"]: entry["remoteRef"]["property"] for entry in spec["data"]} == keys
    assert {entry["remoteRef"]["key"] for entry in spec["data"]} == {f"platform/{CLUSTER}/argocd/repository"}


def test_exclusions_of_the_platform_come_after_those_of_the_installation() -> None:
    own = ResourceExclusion(api_groups=("*.example.com",), kinds=("*",))
    made = objects(argocd=ArgoCdSettings(exclusions=(own,)))
    said = cast(list[Any], yaml.safe_load(made["argocd-cm"]["data"]["resource.exclusions"]))
    assert said[-1] == {"apiGroups": ["*.example.com"], "kinds": ["*"]}
    assert {"apiGroups": ["coordination.k8s.io"], "kinds": ["Lease"]} in said
