"""Install or update the release's modules in one database, and judge the result by exit code and log.

Odoo exits 0 although modules were "not loaded" or left in "inconsistent states"; both are errors here.
"""

import os
import re
import subprocess
import sys

import psycopg2

DATABASE = os.environ["MIGRATION_DATABASE"]
MODULES = os.environ["MIGRATION_MODULES"]
PARAMETERS = {
    "web.base.url": os.environ["MIGRATION_BASE_URL"],
    "web.base.url.freeze": "True",
    # wkhtmltopdf fetches styles from here; Pods that only run cron serve no HTTP themselves.
    "report.url": os.environ["MIGRATION_REPORT_URL"],
}
FAULT = re.compile(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) |not loaded|inconsistent states")
LOCK = 7318350295


def run_odoo(action):
    command = ["odoo", "--database", DATABASE, action, MODULES, "--stop-after-init", "--no-http", "--workers=0", "--max-cron-threads=0"]
    faults = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stderr:
            sys.stderr.write(line)
            if FAULT.search(line):
                faults.append(line.rstrip())
    if process.returncode or faults:
        sys.exit(f"migration failed: exit code {process.returncode}, {len(faults)} faults in the log")


def main():
    connection = psycopg2.connect(host="127.0.0.1", user=DATABASE, dbname=DATABASE, sslmode="disable")
    connection.autocommit = True
    with connection.cursor() as cursor:
        # Odoo takes no lock against a second update of the same database.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            sys.exit("another migration of this database is running")
        cursor.execute("SELECT to_regclass('public.ir_module_module') IS NOT NULL")
        run_odoo("--update" if cursor.fetchone()[0] else "--init")
        for key, value in PARAMETERS.items():
            cursor.execute(
                "INSERT INTO ir_config_parameter (key, value, create_date, write_date) VALUES (%s, %s, now(), now())"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value, write_date = now()",
                [key, value],
            )
        # PUBLIC may connect to a new database; only its owner is meant to.
        cursor.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{DATABASE}" FROM PUBLIC')
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'cnpg_metrics_exporter'")
        if cursor.fetchone():
            cursor.execute(f'GRANT CONNECT ON DATABASE "{DATABASE}" TO cnpg_metrics_exporter')
    print("migration done")


main()
