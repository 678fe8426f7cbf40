"""A runbook: who is called, what is promised, and steps with commands. Commands are lists of words, never text for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tenantry.core.findings import ObjectId
from tenantry.model import names
from tenantry.resolve.instance import Instance

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """What to do, in a sentence, and the commands for it."""

    what: str
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to do about one incident of one instance."""

    incident: str
    title: str
    instance: str
    facts: Sequence[tuple[str, str]]
    """(what, value): places, promises, people."""
    steps: Sequence[RunbookStep]
    objects: Sequence[tuple[str, ObjectId]] = ()
    """(cluster, object) of everything that the commands name and the trees hold."""


def said(command: Command) -> str:
    """A command as it is typed."""
    return shlex.join(command)


_RESOURCES = {
    ("apps", "Deployment"): "deployment.apps", ("batch", "Job"): "job.batch", ("", "ResourceQuota"): "resourcequota",
    ("postgresql.cnpg.io", "Cluster"): "cluster.postgresql.cnpg.io",
    ("postgresql.cnpg.io", "ScheduledBackup"): "scheduledbackup.postgresql.cnpg.io",
    ("barmancloud.cnpg.io", "ObjectStore"): "objectstore.barmancloud.cnpg.io",
    ("external-secrets.io", "ExternalSecret"): "externalsecret.external-secrets.io",
    ("cert-manager.io", "Certificate"): "certificate.cert-manager.io", ("argoproj.io", "Application"): "application.argoproj.io",
}  # fmt: skip
"""Group and kind -> how kubectl calls it, with the group, so that no other resource of that name is meant."""


@dataclass(slots=True)
class Writer:
    """Writes steps about one instance, and remembers the objects that they name."""

    instance: Instance
    steps: list[RunbookStep] = field(default_factory=list)
    objects: dict[tuple[str, ObjectId], None] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        return self.instance.site.cluster.name

    @property
    def namespace(self) -> str:
        return self.instance.names.namespace

    @property
    def database_namespace(self) -> str:
        """Where its PostgreSQL server is."""
        own = self.instance.settings.postgresql is not None
        return self.namespace if own else names.cell_namespace(self.instance.site.cell.name)

    @property
    def server(self) -> str:
        return self.instance.database_server.name

    def step(self, what: str, *commands: Command) -> None:
        """Add a step."""
        self.steps.append(RunbookStep(what, commands))

    def named(self, group: str, kind: str, name: str, namespace: str = "", cluster: str = "") -> str:
        """An object of the trees as kubectl takes it."""
        space = namespace or self.namespace
        self.objects[cluster or self.cluster, ObjectId(group, kind, space, name)] = None
        return f"{_RESOURCES[group, kind]}/{name}"

    def kubectl(self, *words: str, namespace: str = "", cluster: str = "") -> Command:
        """In the instance's namespace and cluster unless others are said. Contexts are called like the clusters."""
        return ("kubectl", *words, "--namespace", namespace or self.namespace, "--context", cluster or self.cluster)

    def cnpg(self, verb: str, *words: str, cluster: str = "") -> Command:
        """A command of CloudNativePG's plugin about the server."""
        self.named("postgresql.cnpg.io", "Cluster", self.server, self.database_namespace, cluster)
        return (
            "kubectl",
            "cnpg",
            verb,
            self.server,
            *words,
            "--namespace",
            self.database_namespace,
            "--context",
            cluster or self.cluster,
        )

    def query(self, database: str, sql: str) -> Command:
        """A statement on the primary, as superuser: through the API server, so no network policy stands against it."""
        return (*self.cnpg("psql"), "--", database, "--command", sql)

    def at_server(self, *words: str) -> Command:
        """kubectl in the server's namespace."""
        return self.kubectl(*words, namespace=self.database_namespace)

    def book(self, incident: str, title: str, facts: Iterable[tuple[str, str]]) -> Runbook:
        """All that was written."""
        return Runbook(incident, title, self.instance.name, tuple(facts), tuple(self.steps), tuple(self.objects))
