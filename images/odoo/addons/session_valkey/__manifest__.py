# Odoo evaluates the file.
# ruff: noqa: B018
{
    "name": "Sessions in Valkey",
    "summary": "Sessions under the instance's own prefix, without SCAN; loaded server-wide",
    "version": "1.0.0",
    "author": "Tenantry",
    "license": "LGPL-3",
    "depends": ["base"],
    "external_dependencies": {"python": ["redis"]},
    "installable": True,
}
