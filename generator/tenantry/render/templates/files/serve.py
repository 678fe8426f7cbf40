"""Start Odoo, or end at once when a module that the release loads for every database can't be loaded.

Odoo itself logs that and goes on: without its session store it keeps sessions in the Pod, without its guard the cookie
travels in the clear. A Pod that ends is never ready, and those of the release before go on. The bus, a process of its own,
is started through this file too.
"""

import logging
import sys

import odoo.cli
import odoo.service.server as server


class Faults(logging.Handler):
    """Keeps what Odoo logs as errors while it loads the modules."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage().strip())


def strictly(load):
    def loaded():
        faults, logger = Faults(), logging.getLogger("odoo")
        logger.addHandler(faults)
        try:
            load()
        finally:
            logger.removeHandler(faults)
        if faults.lines:
            sys.exit("Odoo does not start: " + "; ".join(faults.lines))

    return loaded


if __name__ == "__main__":
    server.load_server_wide_modules = strictly(server.load_server_wide_modules)
    odoo.cli.main()
