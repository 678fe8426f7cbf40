"""Wait until the database was backed up and migrated for the release of this Pod; only then may Odoo start.

Modules are loaded at each start, so a Pod that starts beside a migration, or on a database of another release, would
change what it finds. Waiting is no failure: the Pods of the release before go on serving.
"""

import os
import signal
import sys
import time

import psycopg2

DATABASE = os.environ["GATE_DATABASE"]
RELEASE = os.environ["GATE_RELEASE"]
SECONDS = 5


def found(connect):
    """What the database says: None when it may be used, else why not."""
    try:
        connection = connect()
    except psycopg2.Error as error:
        return f"no connection: {error}".strip()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('public.tenantry_release') IS NOT NULL")
            if not cursor.fetchone()[0]:
                return "no release has been installed"
            cursor.execute("SELECT release, state FROM tenantry_release")
            release, state = cursor.fetchone() or ("none", "unknown")
    except psycopg2.Error as error:
        return f"no answer: {error}".strip()
    finally:
        connection.close()
    return None if (release, state) == (RELEASE, "done") else f"the database is {state} for {release}"


def wait(connect, sleep=time.sleep):
    last = ""
    while (why := found(connect)) is not None:
        if why != last:
            print(f"waiting for {RELEASE}: {why}", flush=True)
            last = why
        sleep(SECONDS)
    print(f"the database is ready for {RELEASE}", flush=True)


def connect():
    return psycopg2.connect(
        host="127.0.0.1", user=DATABASE, dbname=DATABASE, sslmode="disable", connect_timeout=10
    )


if __name__ == "__main__":
    # As process 1 it would ignore the signal without a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wait(connect)
