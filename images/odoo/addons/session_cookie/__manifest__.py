# Odoo evaluates the file.
# ruff: noqa: B018
{
    "name": "Session cookie over TLS only",
    "summary": "Secure and SameSite for the session cookie; loaded server-wide",
    "version": "1.0.0",
    "author": "Tenantry",
    "license": "LGPL-3",
    "depends": ["web"],
    "installable": True,
}
