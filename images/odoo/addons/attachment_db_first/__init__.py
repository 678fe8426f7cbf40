"""Attachments lie in the database until the object store is there to take them; then in the one folder that the key opens.

Odoo writes the first ones while it installs `base`, before any add-on can bring a storage; by default they would lie in the
file system of the Pod that installs, and go with it. fs_attachment overrides the same method once it is installed, and
moves what is in the database.

fs_attachment asks whether the folder exists before it writes. An object store has no folders, and refuses to say so to a key
that may list its own folder only (S3 answers 403 for a name that is not there). Then there is nothing to make either.
"""

from fsspec.asyn import sync_wrapper
from odoo.addons.base.models.ir_attachment import IrAttachment
from s3fs import S3FileSystem


def _storage(self):
    return self.env["ir.config_parameter"].sudo().get_param("ir_attachment.location", "db")


IrAttachment._storage = _storage
_known_to_exist = S3FileSystem._exists


async def _exists(self, path):
    try:
        return await _known_to_exist(self, path)
    except PermissionError:
        return True


S3FileSystem._exists = _exists
S3FileSystem.exists = sync_wrapper(_exists)
