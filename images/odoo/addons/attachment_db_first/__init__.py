"""Attachments lie in the database until the object store is there to take them.

Odoo writes the first ones while it installs `base`, before any add-on can bring a storage; by default they would lie in the
file system of the Pod that installs, and go with it. fs_attachment overrides the same method once it is installed, and
moves what is in the database.
"""

from odoo.addons.base.models.ir_attachment import IrAttachment


def _storage(self):
    return self.env["ir.config_parameter"].sudo().get_param("ir_attachment.location", "db")


IrAttachment._storage = _storage
