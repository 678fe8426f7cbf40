"""All names of an instance, a cell or a tenant, derived in one place.

Two instances can never share a name: a tenant's id has no `_` and no `--`, an environment is one of three words
without `-`, so each name below maps back to exactly one tenant and environment. Cells, clusters and the platform use
suffixes that no instance has.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.model.common import EnvironmentName


@dataclass(frozen=True, slots=True)
class InstanceNames:
    """Names of one instance."""

    tenant: str
    environment: EnvironmentName
    database_generation: int = 1
    """Which of its databases on a shared server it is; a later one was taken out of a restored copy of that server."""

    @property
    def instance(self) -> str:
        """At most 41 characters: 30 for the tenant, 11 for the longest environment."""
        return f"{self.tenant}-{self.environment}"

    @property
    def namespace(self) -> str:
        return self.instance

    @property
    def database(self) -> str:
        """Database and role; pg_hba's `sameuser` requires them to be equal."""
        later = f"_d{self.database_generation}" if self.database_generation > 1 else ""
        return f"{self.tenant}_{self.environment}{later}".replace("-", "_")

    @property
    def reporting_role(self) -> str:
        """At most 51 bytes; PostgreSQL allows 63. No environment is named `reporting`."""
        return f"{self.database}_reporting"

    @property
    def database_object(self) -> str:
        """Kubernetes name of the database's objects in the namespace of its PostgreSQL cluster."""
        return f"{self.instance}-d{self.database_generation}" if self.database_generation > 1 else self.instance

    @property
    def redis_user(self) -> str:
        return self.instance

    @property
    def redis_session_prefix(self) -> str:
        return self.instance

    @property
    def redis_key_pattern(self) -> str:
        """`session_redis` writes keys as `session::<prefix>:<id>`, with two colons."""
        return f"session::{self.redis_session_prefix}:*"

    @property
    def redis_channel_pattern(self) -> str:
        return f"{self.redis_session_prefix}:*"

    @property
    def secret_path(self) -> str:
        """Folder of the instance in the secret store; each part ends with a slash, so that no path is a prefix of another."""
        return f"tenants/{self.tenant}/{self.environment}"

    @property
    def secret_role(self) -> str:
        return self.instance

    @property
    def object_prefix(self) -> str:
        return f"{self.tenant}/{self.environment}"

    def own_bucket(self, bucket: str) -> str:
        """At most 62 characters (S3 allows 63): 18 for the cluster's bucket, 2 + 30 + 2 + 10."""
        return f"{bucket}--{self.tenant}--{self.environment}"

    @property
    def infra_application(self) -> str:
        return f"{self.instance}-infra"

    @property
    def app_application(self) -> str:
        return f"{self.instance}-app"

    @property
    def standby_application(self) -> str:
        return f"{self.instance}-standby"

    def host(self, domain: str) -> str:
        """The default public host; production's has no environment in it."""
        prefix = self.tenant if self.environment == "production" else f"{self.tenant}.{self.environment}"
        return f"{prefix}.{domain}"

    def api_host(self, domain: str) -> str:
        """The separate host of the API (decision 4)."""
        return f"{self.tenant}.{self.environment}.api.{domain}"


def generation_suffix(generation: int) -> str:
    """What names of a later generation of a database end in; no instance, cell or standby has such an end."""
    return "" if generation == 1 else f"-g{generation}"


def copy_suffix(copy: int) -> str:
    """What names of a server end in that was made again at its place, after the failover of that number."""
    return f"-r{copy}" if copy else ""


def archive(owner: str, generation: int, *, away: bool = False, copy: int = 0) -> str:
    """The name under which a generation of an instance's or a cell's server archives; `away` is at the DR site."""
    return f"{owner}{generation_suffix(generation)}{'-standby' if away else ''}{copy_suffix(copy)}"


def cell_namespace(cell: str) -> str:
    """Its suffix is one that no instance's namespace has."""
    return f"{cell}-cell"


def cell_application(cell: str) -> str:
    """Argo CD application of the cell's PostgreSQL and Redis."""
    return f"{cell}-cell"


def cell_secret_path(cell: str) -> str:
    """Folder of the cell in the secret store, outside that of all tenants."""
    return f"cells/{cell}"


def platform_secret_path(cluster: str, namespace: str) -> str:
    """Folder of a platform component of one cluster in the secret store, outside that of all tenants and cells."""
    return f"platform/{cluster}/{namespace}"


def platform_identity(cluster: str, namespace: str) -> str:
    """As whom a platform component reads the store: its namespace exists in every cluster, so the cluster is named too."""
    return f"{cluster}-{namespace}"


def secret_namespace(namespace: str) -> str:
    """Where the Kubernetes provider keeps the Secrets of an instance's or a cell's namespace; no other has this suffix."""
    return f"{namespace}-secrets"


def platform_application(cluster: str) -> str:
    """Argo CD application of what exists once per cluster, and of all instances' delivery objects."""
    return f"{cluster}-platform"
