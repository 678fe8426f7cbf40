"""Which solver of an issuer answers for a host: cert-manager's order of precedence."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest
from tenantry.prove.edge.issuers import _picked

ALL: dict[str, Any] = {}
WIDE = {"dnsZones": ["example"]}
ZONE = {"dnsZones": ["other.test", "acme.example."]}
NAMED = {"dnsNames": ["erp.acme.example"]}
LABELLED = {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize(("selectors", "host", "wanted"), [
    ([ALL, ALL], "erp.acme.example", 0),
    ([ALL, WIDE, ZONE], "erp.acme.example", 2),
    ([ZONE, WIDE], "acme.example", 0),
    ([WIDE, ZONE, NAMED], "erp.acme.example", 2),
    ([NAMED, ZONE], "shop.acme.example", 1),
    ([{**NAMED, **ZONE}, NAMED], "erp.acme.example", 0),
    ([ALL, LABELLED], "erp.acme.example", 0),
    ([ZONE], "erp.notacme.example", None),
    ([LABELLED], "erp.acme.example", None),
    ([], "erp.acme.example", None),
])  # fmt: skip
def test_the_closest_selector_wins(selectors: list[dict[str, Any]], host: str, wanted: int | None) -> None:
    solvers = [{"selector": selector, "dns01": {}} if selector else {"dns01": {}} for selector in selectors]
    identity = ObjectId("cert-manager.io", "ClusterIssuer", "", "public")
    issuer = Manifest(identity, "cert-manager.io/v1", {"spec": {"acme": {"solvers": solvers}}}, file="issuer.yaml")
    found = _picked(issuer, host)
    assert (found[0] if found else None) == wanted
