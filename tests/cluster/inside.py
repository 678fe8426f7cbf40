"""The first process in a cluster's network: starts the cluster, then runs the checks or waits for a person."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from acceptance.harness import programs
from acceptance.harness.process import Processes, ProgramEndedError
from cluster import base, kind_cluster, world
from cluster import service as services
from cluster.base import Cluster
from cluster.forward import serve
from cluster.plugin import Checks
from cluster.registry import CHECKS
from cluster.trees import CLUSTER, TENANTS

HERE = Path(__file__).resolve().parent
LOGS = "cluster-logs"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own voice


def main(mode: str, arguments: list[str]) -> int:
    """`check [NAMES]` runs checks in namespaces, `kind [NAMES]` beside nodes of kind; `stay FOLDER [service]` serves the API server, and the edge of a service, at sockets until the process is ended."""
    if mode == "kind":
        with tempfile.TemporaryDirectory(prefix="kind-") as folder:
            return _run(mode, arguments, Path(folder))
    place = world.furnish(programs.cache().parent)
    temporary = place / "tmp"
    temporary.mkdir()
    os.environ.update(HOME=str(temporary), XDG_CACHE_HOME=str(place / "cache"), TMPDIR=str(temporary))
    return _run(mode, arguments, place)


def _run(mode: str, arguments: list[str], place: Path) -> int:
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    logs = place / "logs"
    logs.mkdir()
    start = kind_cluster.start if mode == "kind" else base.start
    with Processes(logs) as processes:
        try:
            cluster = start(processes, place, CLUSTER, say)
        except (AssertionError, ProgramEndedError, subprocess.CalledProcessError) as error:
            say(
                f"the cluster did not start: {error}\n{getattr(error, 'stderr', None) or ''}the logs are in {LOGS} of the cache"
            )
            _keep(logs)
            return 1
        if mode == "stay":
            return _stay(cluster, place, Path(arguments[0]), arguments[1:])
        modules = [str(HERE / "checks" / f"test_{name}.py") for name in arguments or CHECKS]
        options = ["-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), "-p", "no:cacheprovider", *modules]
        return int(pytest.main(options, plugins=[Checks(cluster)]))


def _stay(cluster: Cluster, place: Path, folder: Path, what: list[str]) -> int:
    edge = None
    if what:
        served = services.start(cluster, place / "service", say)
        for tenant in TENANTS:
            served.release(tenant)
            served.laps.add(f"{tenant} is installed")
            reads = f"kubectl -n {tenant} get secret odoo-secret -o jsonpath='{{.data.admin-password}}' | base64 -d"
            say(f"{served.host(tenant)}: user admin, first password by {reads}")
        edge = (served.edge(), services.EDGE_PORT)
    serve(folder, cluster, edge)
    signal.pause()
    return 0


def _keep(logs: Path) -> None:
    """Copy the logs to the user's cache: those of the run vanish with it."""
    kept = programs.cache() / LOGS
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(logs, kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
