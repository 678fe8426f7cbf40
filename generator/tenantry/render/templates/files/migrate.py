"""Bring one database to the release: install what is missing, update what is there, and judge what came of it.

A run may be killed at any point and started again in a new Pod: what to do is read from the database each time. Odoo
exits 0 although modules are unknown, were "not loaded" or left in "inconsistent states"; all are errors here.
"""

import os
import re
import subprocess
import sys
import time

import psycopg2
from passlib.context import CryptContext

DATABASE = os.environ["MIGRATION_DATABASE"]
RELEASE = os.environ["MIGRATION_RELEASE"]
MODULES = os.environ["MIGRATION_MODULES"].split(",")
# They bring attachments to the object store, and make Odoo read [fs_storage.attachments]; before all others.
STORAGE_MODULES = os.environ["MIGRATION_STORAGE_MODULES"].split(",")
WANTED = list(dict.fromkeys([*STORAGE_MODULES, *MODULES]))
MOVED = "MIGRATION_MOVED" in os.environ
IMPORTED = "MIGRATION_IMPORTED" in os.environ
REPORTING_ROLE = os.environ.get("MIGRATION_REPORTING_ROLE")
PARAMETERS = {
    "web.base.url": os.environ["MIGRATION_BASE_URL"],
    "web.base.url.freeze": "True",
    # wkhtmltopdf fetches styles from here; Pods that only run cron serve no HTTP themselves.
    "report.url": os.environ["MIGRATION_REPORT_URL"],
}
FAULT = re.compile(
    r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) |not loaded|inconsistent states|invalid module names|FileNotFoundError"
)
LOCK = 7318350295
LOCK_TRIES, LOCK_SECONDS = 60, 5
QUIET = ["--no-http", "--workers=0", "--max-cron-threads=0"]
# odoo.conf's section [fs_storage.attachments] only fills in a storage that is there; without a default one, files
# would lie in the Pod and go with it. What is there already stays: moving uploads what the database keeps again.
STORAGE = """
storage = env["fs.storage"].search([("code", "=", "attachments")])
if not storage:
    values = {"code": "attachments", "name": "Attachments", "protocol": "s3", "use_as_default_for_attachments": True}
    env["fs.storage"].create(values)
    env.cr.commit()
assert env["fs.storage"].get_default_storage_code_for_attachments() == "attachments", "attachments have no storage"
def local():
    env.cr.execute("SELECT count(*) FROM ir_attachment WHERE store_fname NOT LIKE 'attachments://%'")
    return env.cr.fetchone()[0]
if local():
    env["ir.attachment"].force_storage()
    env.cr.commit()
assert not local(), "attachments lie in this Pod, and go with it"
# A missing object reads as an empty file, without an error: a moved prefix or a wrong bucket would show people empty
# documents. So one whose content is known is read back.
env["ir.attachment"].invalidate_model()
known = env["ir.attachment"].search([("name", "=", "tenantry-known-object"), ("res_model", "=", False)], limit=1)
if not known:
    values = {"name": "tenantry-known-object", "raw": b"known to tenantry", "mimetype": "text/plain"}
    known = env["ir.attachment"].create(values)
    env.cr.commit()
    known.invalidate_recordset()
assert known.store_fname.startswith("attachments://"), "new attachments do not reach the object store"
assert known.raw == b"known to tenantry", "the object store does not hold what the database says: other bucket or prefix?"
print("STORAGE READY")
"""


def fail(why):
    sys.exit(f"migration failed: {why}")


def run_odoo(*actions):
    code, faults, _ = watched(["odoo", "--database", DATABASE, *actions, "--stop-after-init", *QUIET])
    if code or faults:
        fail(f"exit code {code}, {len(faults)} faults in the log")


def ready_storage():
    code, faults, said = watched(["odoo", "shell", "--database", DATABASE, *QUIET], STORAGE)
    if code or faults or "STORAGE READY\n" not in said:
        fail("attachments have no storage, or not all of them lie in it")


def watched(command, given=""):
    """Exit code of a program, the lines of its log that tell of a fault, and all that it said."""
    said = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        process.stdin.write(given)
        process.stdin.close()
        for line in process.stdout:
            sys.stdout.write(line)
            said.append(line)
    return process.returncode, [line for line in said if FAULT.search(line)], said


def module_states(cursor):
    """Name -> state; empty in a database without Odoo."""
    cursor.execute("SELECT to_regclass('public.ir_module_module') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return {}
    cursor.execute("SELECT name, state FROM ir_module_module")
    return dict(cursor.fetchall())


def unfinished(states):
    """What is not as the release wants it."""
    missing = {name: states.get(name, "unknown") for name in WANTED if states.get(name) != "installed"}
    pending = {name: state for name, state in sorted(states.items()) if state.startswith("to ")}
    return {**missing, **pending}


def set_admin_password(cursor):
    """A new database has the login admin with the password admin, and the login page is public.

    Only while that is so: afterwards it is the person's own.
    """
    if has_default_password(cursor):
        password = CryptContext(["pbkdf2_sha512"]).hash(os.environ["MIGRATION_ADMIN_PASSWORD"])
        cursor.execute("UPDATE res_users SET password = %s WHERE login = 'admin'", [password])


def has_default_password(cursor):
    context = CryptContext(["pbkdf2_sha512", "plaintext"])
    cursor.execute("SELECT password FROM res_users WHERE login = 'admin' AND active")
    return any(stored and context.verify("admin", stored) for (stored,) in cursor.fetchall())


def refuse_default_password(cursor):
    if has_default_password(cursor):
        fail("the login admin still has the password admin")


def bring_modules(cursor):
    """Storage first: what other modules bring must not stay in this Pod."""
    states = module_states(cursor)
    if any(states.get(name) != "installed" for name in STORAGE_MODULES):
        run_odoo("--init", ",".join(STORAGE_MODULES))
    set_admin_password(cursor)
    ready_storage()
    states = module_states(cursor)
    there = [name for name in WANTED if states.get(name) in ("installed", "to upgrade")]
    missing = [name for name in WANTED if name not in there]
    actions = [*(["--init", ",".join(missing)] if missing else []), *(["--update", ",".join(there)] if there else [])]
    run_odoo(*actions)
    set_admin_password(cursor)
    ready_storage()


# The Pods' gate reads this table; Odoo does not know it, and a dump holds it.
def mark(cursor, state):
    cursor.execute("CREATE TABLE IF NOT EXISTS tenantry_release (release text NOT NULL, state text NOT NULL)")
    cursor.execute("DELETE FROM tenantry_release")
    cursor.execute("INSERT INTO tenantry_release VALUES (%s, %s)", [RELEASE, state])


def marked(cursor):
    cursor.execute("SELECT to_regclass('public.tenantry_release') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return None
    cursor.execute("SELECT release, state FROM tenantry_release")
    return cursor.fetchone()


def grant(cursor):
    # PUBLIC may connect to a new database; only its owner is meant to, and the exporter, which reads sizes.
    cursor.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{DATABASE}" FROM PUBLIC')
    cursor.execute(f'GRANT CONNECT ON DATABASE "{DATABASE}" TO pg_monitor')
    if REPORTING_ROLE:
        cursor.execute(f'GRANT CONNECT ON DATABASE "{DATABASE}" TO "{REPORTING_ROLE}"')
        cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{REPORTING_ROLE}"')
        cursor.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{REPORTING_ROLE}"')
        cursor.execute(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{REPORTING_ROLE}"')


def set_parameters(cursor):
    for key, value in PARAMETERS.items():
        cursor.execute(
            "INSERT INTO ir_config_parameter (key, value, create_date, write_date) VALUES (%s, %s, now(), now())"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value, write_date = now()",
            [key, value],
        )


def lock(cursor):
    """Odoo takes none against a second update of the same database.

    That of a Pod that was killed goes with its connection, which the server may notice only after a while; the retry
    that the Job grants must not be lost to that.
    """
    for _ in range(LOCK_TRIES):
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone()[0]:
            return
        print("waiting: another migration of this database is running, or has just ended", flush=True)
        time.sleep(LOCK_SECONDS)
    fail("another migration of this database is running")


def refuse_empty_when_imported(cursor, state):
    """To install Odoo here would hide that the customer's data has not come."""
    if IMPORTED and state is None and not module_states(cursor):
        fail("the database is empty: what is to be brought in is not here")


def refuse_what_a_move_left(state):
    """What is not the one whole copy; to install Odoo in an empty database would hide that none arrived."""
    if state == "copied":
        fail("the database is a copy that was not compared")
    if MOVED and state is None:
        fail("the database is empty: what was moved is not here")
    if MOVED and state == "moved":
        fail("this is the database that was moved away from")


def migrate(cursor):
    lock(cursor)
    release, state = marked(cursor) or (None, None)
    refuse_what_a_move_left(state)
    refuse_empty_when_imported(cursor, state)
    # A source to which a move went back is whole: it was only marked.
    if release == RELEASE and state in ("done", "moved") and not unfinished(module_states(cursor)):
        print("the database carries this release already")
        ready_storage()
    else:
        # From here on no Pod starts on this database until all is done; those that run go on.
        mark(cursor, "migrating")
        bring_modules(cursor)
        left = unfinished(module_states(cursor))
        if left:
            fail(f"not installed: {left}")
    refuse_default_password(cursor)
    set_parameters(cursor)
    grant(cursor)
    mark(cursor, "done")
    print("migration done")


def main():
    connection = psycopg2.connect(host="127.0.0.1", user=DATABASE, dbname=DATABASE, sslmode="disable")
    connection.autocommit = True
    with connection.cursor() as cursor:
        migrate(cursor)


if __name__ == "__main__":
    main()
