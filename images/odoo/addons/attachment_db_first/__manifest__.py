# Odoo evaluates the file.
# ruff: noqa: B018
{
    "name": "Attachments in the database until their storage is there",
    "summary": "The first files of a new database don't stay in a Pod; loaded server-wide",
    "version": "1.1.0",
    "author": "Tenantry",
    "license": "LGPL-3",
    "depends": ["base"],
    "installable": True,
}
