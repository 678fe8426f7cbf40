"""Tenantry: manifests of a tenant-isolated Odoo service, generated and proved."""

__version__ = "0.1.0"
