"""Rendered files as they are on disk, for commands that read objects without verifying them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tenantry.commands.examination import known_promises
from tenantry.commands.usable import require_name
from tenantry.core.paths import rendered_folder
from tenantry.engine.engines import Engines
from tenantry.model.tenant import Tenant
from tenantry.prove.cluster_state import State
from tenantry.prove.promises import Promises
from tenantry.prove.run import read_states
from tenantry.runtime.plain_file import NotPlainError, read_plain
from tenantry.runtime.workspace import Workspace
from tenantry.verify.folder import MAX_FILE_BYTES


def rendered_files(root: Path, cluster: str, pattern: str = "*.yaml") -> list[str]:
    """Files of a cluster's rendered tree, sorted; paths are relative to the fleet's folder."""
    folder: Path = root / rendered_folder(cluster)
    return sorted(path.relative_to(root).as_posix() for path in folder.rglob(pattern))


def text_below(root: Path) -> Callable[[str], str]:
    """A function that returns the text of a file below `root`; empty for one that can't be read.

    Links and pipes in place of a file are not read: `check` reports them.
    """

    def text(file: str) -> str:
        try:
            return read_plain(root, file, MAX_FILE_BYTES).decode(errors="replace")
        except (NotPlainError, OSError):
            return ""

    return text


def known_states(space: Workspace, tenant: str, cluster: str) -> tuple[Promises, list[State]]:
    """The promises, and the rendered objects of one cluster or all.

    Raises FindingsError when the inputs are wrong, UsageError for an unknown tenant or cluster.
    """
    known = known_promises(space)
    require_name(tenant, known.fleet.all(Tenant), "tenant", "tenants are the files in tenants/")
    require_name(cluster, known.clusters, "cluster", "clusters are the files in platform/clusters/")
    files = {name: rendered_files(space.root, name) for name in ([cluster] if cluster else known.clusters)}
    with Engines(space.say) as engines:
        return known, list(read_states(engines.engine, known, files, text_below(space.root)).values())
