"""What every check may ask for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from cluster.base import Cluster
from cluster.plugin import Checks, Show


@pytest.fixture(scope="session")
def checks(request: pytest.FixtureRequest) -> Checks:
    """The plugin."""
    return next(plugin for plugin in request.config.pluginmanager.get_plugins() if isinstance(plugin, Checks))


@pytest.fixture(scope="session")
def cluster(checks: Checks) -> Cluster:
    """The running cluster."""
    return checks.cluster


@pytest.fixture
def show(checks: Checks, request: pytest.FixtureRequest) -> Show:
    """Adds a line of evidence to the table: what was seen."""
    return checks.evidence(request.node.nodeid).append


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the check's own, which enforces the restricted Pod Security Standard."""
    name = f"check-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    cluster.apply([manifest])
    yield name
    cluster.api.delete(manifest)
