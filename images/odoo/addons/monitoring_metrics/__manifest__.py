# Odoo evaluates the file.
# ruff: noqa: B018
{
    "name": "Prometheus metrics",
    "summary": "/metrics of all processes of a Pod; loaded server-wide",
    "version": "1.1.0",
    "author": "Tenantry",
    "license": "LGPL-3",
    "depends": ["base"],
    "external_dependencies": {"python": ["prometheus_client", "s3fs"]},
    "installable": True,
}
