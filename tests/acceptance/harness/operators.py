"""Says "ready" for the operators that are not here, so that Argo CD's waves go on."""

from __future__ import annotations

import threading
from typing import Any

from acceptance.harness.api import Api

READY = {
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Acceptance",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
}
STATUSES: dict[tuple[str, str], dict[str, Any]] = {
    ("external-secrets.io/v1", "ExternalSecret"): READY,
    ("external-secrets.io/v1", "SecretStore"): READY,
    ("cert-manager.io/v1", "Certificate"): READY,
    ("cert-manager.io/v1", "ClusterIssuer"): READY,
    ("postgresql.cnpg.io/v1", "Cluster"): {**READY, "phase": "Cluster in healthy state"},
    ("postgresql.cnpg.io/v1", "Database"): {"applied": True},
    ("postgresql.cnpg.io/v1", "DatabaseRole"): {"applied": True},
    ("velero.io/v1", "Schedule"): {"phase": "Enabled"},
    ("keda.sh/v1alpha1", "ScaledObject"): READY,
    ("policies.kyverno.io/v1", "ValidatingPolicy"): {"conditionStatus": {"ready": True}},
}
_SUBRESOURCE = frozenset(
    {
        "ExternalSecret",
        "SecretStore",
        "Certificate",
        "ClusterIssuer",
        "Cluster",
        "Database",
        "DatabaseRole",
        "ScaledObject",
        "ValidatingPolicy",
    }
)


class Operators:
    """Gives each object of those kinds a status, again and again until the block ends."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self) -> Operators:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _play(self) -> None:
        while not self._end.wait(0.5):
            for (version, kind), status in STATUSES.items():
                for one in self._api.list(version, kind):
                    if not status.items() <= one.get("status", {}).items() or _behind(one):
                        said = {**status}
                        if kind in ("Database", "DatabaseRole"):
                            said["observedGeneration"] = one["metadata"]["generation"]
                        self._api.merge(one, {"status": said}, "status" if kind in _SUBRESOURCE else "")


def _behind(one: dict[str, Any]) -> bool:
    seen = one.get("status", {}).get("observedGeneration")
    return seen is not None and seen != one["metadata"]["generation"]
