"""Whom policies trust: operators by the names of their ServiceAccounts, which only their own tokens carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core.findings import Finding
from tenantry.core.manifest import entries, text
from tenantry.model.platform import Platform
from tenantry.model.policy import Policy
from tenantry.plan.scope import Scope

_NAMED = re.compile(r"""['"](system:[^'"]+)['"]""")
_CONTROLLERS = frozenset(
    ["system:kube-controller-manager"]
    + [f"system:serviceaccount:kube-system:{kind}-controller" for kind in ("deployment", "job", "replicaset")]
)
"""Users under which Kubernetes makes the Pods of Deployments and Jobs, with one account for all controllers or one each."""


def accounts(platform: Platform) -> dict[str, str]:
    """User name of each operator, as the API server sees it."""
    spaces, names = platform.namespaces, platform.operators
    homes = {
        "barmanCloudPlugin": (spaces.cloudnative_pg, names.barman_cloud_plugin),
        "cloudnativePg": (spaces.cloudnative_pg, names.cloudnative_pg),
        "velero": (spaces.velero, names.velero),
    }
    return {key: f"system:serviceaccount:{space}:{name}" for key, (space, name) in homes.items()}


def known(scope: Scope) -> Iterator[Finding]:
    """Each user that a policy names is an operator of platform.yaml, or a controller of Kubernetes; nothing else exempts."""
    trusted = accounts(scope.fleet.platform)
    for policy in scope.fleet.all(Policy).values():
        for field in ("matchConditions", "variables", "validations"):
            for index, entry in entries(policy.spec.get(field)):
                expression = text(entry.get("expression"))
                if "userInfo" not in expression:
                    if field == "matchConditions":
                        place = scope.fleet.place(policy, field, index, "expression")
                        message = f"policy '{policy.name}' lets objects pass by what they say of themselves, which whoever makes them can write"
                        hint = "decide by request.userInfo.username, or judge the object in 'validations'"
                        yield Finding("F024", place, message, hint, control=policy.control)
                    continue
                for user in _NAMED.findall(expression):
                    if user not in _CONTROLLERS and user not in trusted.values():
                        place = scope.fleet.place(policy, field, index, "expression")
                        message = f"policy '{policy.name}' exempts '{user}', which is not an operator of platform.yaml"
                        hint = f"operators: {', '.join(sorted(trusted.values()))}"
                        yield Finding("F024", place, message, hint, control=policy.control)
