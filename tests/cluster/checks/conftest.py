"""What every check may ask for."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster import service as services
from cluster.asking import Visit, database_is_healthy, database_of, seconds
from cluster.base import Cluster
from cluster.plugin import Checks, Show
from cluster.service import EDGE_PORT, Service
from cluster.trees import CELL, TENANTS
from images.person import Person


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


@pytest.fixture(scope="session")
def service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Started once; the first check waits for the database."""
    return services.start(cluster, tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="session")
def installed(service: Service) -> Mapping[str, float]:
    """Both tenants, at once; seconds until their hooks had ended and their Pods were asked for."""
    service.cluster.wait_in(CELL, "three instances", lambda: database_is_healthy(service), 400)
    with ThreadPoolExecutor(len(TENANTS)) as pool:
        took = pool.map(lambda tenant: seconds(lambda: service.release(tenant)), TENANTS)
        return dict(zip(TENANTS, took, strict=True))


@pytest.fixture
def visit(service: Service, installed: Mapping[str, float]) -> Visit:
    """Another person at a tenant's edge; `database` where it is not the first one's."""
    trust = ssl.create_default_context(cafile=str(service.public.certificate))

    def new(tenant: str, database: str = "") -> Person:
        name = database or database_of(tenant)
        return Person.at_edge(service.edge(), EDGE_PORT, service.host(tenant), name, trust)

    return new
