"""Secrets that the trees have made, and how often what they hold is read again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenantry.core.manifest import Manifest, Value, dig, entries, mapping, text
from tenantry.prove.cluster_state import State

EXTERNAL = ("external-secrets.io", "ExternalSecret")
CERTIFICATE = ("cert-manager.io", "Certificate")
RELOAD = "cnpg.io/reload"
_VARIABLE = re.compile(r"\.([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class SecretSource:
    """The object that a Secret is made of."""

    manifest: Manifest
    secret: str
    labels: Value
    """Those of the Secret."""

    @property
    def asked(self) -> Mapping[str, tuple[str, str]]:
        """Variable -> path and property in the store; empty for a certificate."""
        return {
            text(entry.get("secretKey")): (text(dig(entry, "remoteRef", "key")), text(dig(entry, "remoteRef", "property")))
            for _, entry in entries(self.manifest.spec.get("data"))
        }  # fmt: skip

    def properties(self, key: str) -> frozenset[tuple[str, str]]:
        """What of the store is in one of the Secret's keys."""
        asked = self.asked
        template = dig(self.manifest.spec, "target", "template", "data")
        names = _VARIABLE.findall(text(mapping(template).get(key))) if isinstance(template, dict) else [key]
        return frozenset(asked[name] for name in names if name in asked)

    @property
    def by_itself(self) -> bool:
        """Whether a new value comes at some time, although nobody asked for it."""
        return text(self.manifest.spec.get("refreshPolicy") or "Periodic") == "Periodic"

    @property
    def frozen(self) -> str:
        """Why the Secret never changes; empty for one that does."""
        spec = self.manifest.spec
        if self.manifest.kind != EXTERNAL:
            return ""
        if spec.get("refreshPolicy") == "CreatedOnce":
            return "refreshPolicy CreatedOnce"
        if dig(spec, "target", "immutable"):
            return "an immutable Secret"
        never = re.fullmatch(r"0|(?:0+(?:h|m|s|ms|us|ns))+", str(spec.get("refreshInterval", "1h")))
        return "refreshInterval 0" if never and self.by_itself else ""


def sources(state: State) -> dict[tuple[str, str], SecretSource]:
    """(namespace, name) of each Secret -> what it is made of; looked for once a cluster."""
    found: dict[tuple[str, str], SecretSource] | None = state.memory.get("rotation sources")
    if found is None:
        found = state.memory["rotation sources"] = {
            (source.manifest.identity.namespace, source.secret): source for source in _sources(state)
        }
    return found


def _sources(state: State) -> Iterator[SecretSource]:
    for manifest in state.of(*EXTERNAL):
        target = mapping(manifest.spec.get("target"))
        name = text(target.get("name")) or manifest.identity.name
        yield SecretSource(manifest, name, mapping(dig(target, "template", "metadata", "labels")))
    for manifest in state.of(*CERTIFICATE):
        labels = mapping(dig(manifest.spec, "secretTemplate", "labels"))
        yield SecretSource(manifest, text(manifest.spec.get("secretName")), labels)
