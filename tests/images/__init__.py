"""The images that the rendered manifests name, built without a daemon, and a real Odoo out of them."""
