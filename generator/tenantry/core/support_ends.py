"""Until when upstream supports what a fleet runs: dates as published, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Product:
    """A product: the last day (YYYY-MM-DD) of each series, what is published in place of a date, and the page that says so."""

    name: str
    source: str
    ends: Mapping[str, str] = field(default_factory=dict)
    rule: str = "upstream publishes no date"


KUBERNETES = Product(
    "Kubernetes",
    "https://kubernetes.io/releases/",
    {"1.33": "2026-06-28", "1.34": "2026-10-27", "1.35": "2027-02-28", "1.36": "2027-06-28"},
)
"""Without what a provider sells on top. The pages of the series have the day as "End Of Life Date"."""
POSTGRESQL = Product(
    "PostgreSQL",
    "https://www.postgresql.org/support/versioning/",
    {"14": "2026-11-12", "15": "2027-11-11", "16": "2028-11-09", "17": "2029-11-08", "18": "2030-11-14"},
)
ODOO = Product(
    "Odoo",
    "https://www.odoo.com/documentation/19.0/administration/standard_extended_support.html",
    {"17.0": "2026-09-30", "18.0": "2027-09-30", "19.0": "2028-09-30"},
)
"""Standard support: three years. The page names a month; here it is the month's last day."""
COMPONENTS: Mapping[str, Product] = {
    "cert_manager": Product("cert-manager", "https://cert-manager.io/docs/releases/", rule="until the second minor after it is released"),
    "cloudnative_pg": Product(
        "CloudNativePG", "https://cloudnative-pg.io/documentation/current/supported_releases/",
        rule="until about three months after the next minor is released",
    ),
}  # fmt: skip
"""Of platform.yaml's `components`; for the others nothing is published but that the newest minors are supported."""
