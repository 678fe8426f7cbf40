"""The parts of the suite: a new part is one module in parts/ and one line here."""

from __future__ import annotations

from dataclasses import dataclass

from acceptance.harness.packages import (
    AMTOOL,
    CHROMEDRIVER,
    CHROMIUM,
    INITDB,
    PG_DUMP,
    PGBOUNCER,
    POSTGRES,
    PROMTOOL,
    PSQL,
    REDIS,
    Server,
)
from acceptance.harness.programs import ARGO_CD, CLOUDNATIVE_PG, ETCD, KUBERNETES, KWOK, Program


@dataclass(frozen=True)
class Part:
    """`name` is what `PART=` takes; its module is `parts/test_<name>.py`."""

    name: str
    tried: str
    programs: tuple[Program, ...] = ()
    servers: tuple[Server, ...] = ()

    @property
    def module(self) -> str:
        return f"test_{self.name.replace('-', '_')}.py"


CONTROL_PLANE = (ETCD, KUBERNETES)

PARTS = (
    Part("api-server", "kube-apiserver takes every object and refuses wrong ones", CONTROL_PLANE),
    Part("rollout", "scheduler, controllers, quota and evictions on the clusters' pools", (*CONTROL_PLANE, KWOK)),
    Part("rbac", "every subject, verb and resource through SubjectAccessReview", CONTROL_PLANE),
    Part("pod-security", "Namespaces refuse Pods that are not restricted", CONTROL_PLANE),
    Part("admission", "policies/ as ValidatingAdmissionPolicies: the suites' verdicts", CONTROL_PLANE),
    Part("cloudnative-pg", "the operator's webhooks and what it makes", (*CONTROL_PLANE, CLOUDNATIVE_PG)),
    Part("postgresql", "tenants' roles against each other's databases", (), (POSTGRES, INITDB, PGBOUNCER)),
    Part("move", "a tenant's database from one cell's server to another's", (), (POSTGRES, INITDB, PSQL, PG_DUMP)),
    Part("drill", "a restore for practice, from a server's base backup and WAL", (), (POSTGRES, INITDB, PSQL)),
    Part("redis", "tenants' users against each other's keys", (), (REDIS,)),
    Part("traefik", "hosts, paths, sources and certificates through the real edge", (*CONTROL_PLANE, KWOK)),
    Part("argo-cd", "from a commit to Synced, and what projects refuse", (*CONTROL_PLANE, KWOK, ARGO_CD), (REDIS,)),
    Part("alerts", "each alert with promtool, silent and ringing, and its way with amtool", (), (PROMTOOL, AMTOOL)),
    Part("page", "a plan as a page, in a browser: desk, phone and paper", (), (CHROMIUM, CHROMEDRIVER)),
)


def chosen(names: list[str]) -> list[Part]:
    """The parts of those names, or all. Raises KeyError with the first unknown name."""
    known = {part.name: part for part in PARTS}
    return [known[name] for name in names] or list(PARTS)
