"""Install or update the release's modules in one database, and judge the result by exit code and log.

Odoo exits 0 although modules were "not loaded" or left in "inconsistent states"; both are errors here.
"""

import os
import re
import subprocess
import sys

import psycopg2
from passlib.context import CryptContext

DATABASE = os.environ["MIGRATION_DATABASE"]
MODULES = os.environ["MIGRATION_MODULES"]
REPORTING_ROLE = os.environ.get("MIGRATION_REPORTING_ROLE")
PARAMETERS = {
    "web.base.url": os.environ["MIGRATION_BASE_URL"],
    "web.base.url.freeze": "True",
    # wkhtmltopdf fetches styles from here; Pods that only run cron serve no HTTP themselves.
    "report.url": os.environ["MIGRATION_REPORT_URL"],
}
FAULT = re.compile(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) |not loaded|inconsistent states")
LOCK = 7318350295
QUIET = ["--no-http", "--workers=0", "--max-cron-threads=0"]
# odoo.conf's section [fs_storage.attachments] only fills in a storage that is there; without a default one, files
# would lie in the Pod and go with it.
STORAGE = """
values = {"name": "Attachments", "protocol": "s3", "use_as_default_for_attachments": True}
storage = env["fs.storage"].search([("code", "=", "attachments")])
if not storage:
    storage = env["fs.storage"].create({"code": "attachments", **values})
env.cr.commit()
assert env["fs.storage"].get_default_storage_code_for_attachments() == "attachments", "attachments have no storage"
env["ir.attachment"].force_storage()
env.cr.commit()
print("STORAGE READY")
"""


def run_odoo(action, modules):
    command = ["odoo", "--database", DATABASE, action, modules, "--stop-after-init", *QUIET]
    faults = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stderr:
            sys.stderr.write(line)
            if FAULT.search(line):
                faults.append(line.rstrip())
    if process.returncode or faults:
        sys.exit(f"migration failed: exit code {process.returncode}, {len(faults)} faults in the log")


def ready_storage():
    command = ["odoo", "shell", "--database", DATABASE, *QUIET]
    done = subprocess.run(command, input=STORAGE, stdout=subprocess.PIPE, text=True, errors="replace")
    if done.returncode or "STORAGE READY" not in done.stdout:
        sys.exit("migration failed: attachments have no storage")


def set_admin_password(cursor):
    """A new database has the login admin with the password admin, and the login page is public."""
    context = CryptContext(["pbkdf2_sha512"])
    password = context.hash(os.environ["MIGRATION_ADMIN_PASSWORD"])
    cursor.execute("UPDATE res_users SET password = %s WHERE login = 'admin'", [password])


def refuse_default_password(cursor):
    context = CryptContext(["pbkdf2_sha512", "plaintext"])
    cursor.execute("SELECT password FROM res_users WHERE login = 'admin' AND active")
    if any(stored and context.verify("admin", stored) for (stored,) in cursor.fetchall()):
        sys.exit("migration failed: the login admin still has the password admin")


def grant(cursor):
    # PUBLIC may connect to a new database; only its owner is meant to, and the exporter, which reads sizes.
    cursor.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{DATABASE}" FROM PUBLIC')
    cursor.execute(f'GRANT CONNECT ON DATABASE "{DATABASE}" TO pg_monitor')
    if REPORTING_ROLE:
        cursor.execute(f'GRANT CONNECT ON DATABASE "{DATABASE}" TO "{REPORTING_ROLE}"')
        cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{REPORTING_ROLE}"')
        cursor.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{REPORTING_ROLE}"')
        cursor.execute(f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO "{REPORTING_ROLE}"')


def main():
    connection = psycopg2.connect(host="127.0.0.1", user=DATABASE, dbname=DATABASE, sslmode="disable")
    connection.autocommit = True
    with connection.cursor() as cursor:
        # Odoo takes no lock against a second update of the same database.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            sys.exit("another migration of this database is running")
        cursor.execute("SELECT to_regclass('public.ir_module_module') IS NOT NULL")
        if cursor.fetchone()[0]:
            run_odoo("--update", MODULES)
            ready_storage()
        else:
            # The storage before the other modules: files that they bring must not stay in this Pod.
            run_odoo("--init", "base,fs_attachment")
            set_admin_password(cursor)
            ready_storage()
            run_odoo("--init", MODULES)
        refuse_default_password(cursor)
        for key, value in PARAMETERS.items():
            cursor.execute(
                "INSERT INTO ir_config_parameter (key, value, create_date, write_date) VALUES (%s, %s, now(), now())"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value, write_date = now()",
                [key, value],
            )
        grant(cursor)
    print("migration done")


main()
