"""Start Odoo, or end at once when a module that the release loads for every database can't be loaded.

It waits for a database that does not answer: Odoo itself would end, each restart comes later than the one before, and people
would wait for minutes after the database is back.

Odoo itself logs that and goes on: without its session store it keeps sessions in the Pod, without its guard the cookie
travels in the clear. A Pod that ends is never ready, and those of the release before go on. The bus, a process of its own,
is started through this file too.
"""

import logging
import sys
import time

import odoo.cli
import odoo.service.db as databases
import odoo.service.server as server
import psycopg2

PAUSE = 2
"""Seconds. The startup probe ends what waits for too long."""


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


def patiently(ask):
    def asked(name):
        while True:
            try:
                return ask(name)
            except psycopg2.OperationalError as error:
                logging.getLogger("odoo").info("waiting for the database: %s", str(error).strip())
                time.sleep(PAUSE)

    return asked


if __name__ == "__main__":
    databases._create_empty_database = patiently(databases._create_empty_database)
    server.load_server_wide_modules = strictly(server.load_server_wide_modules)
    odoo.cli.main()
