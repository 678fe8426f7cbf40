"""Second of a drill: make the restored copy harmless, start Odoo on it, and log in as a person does.

The database is reached over a socket of this Pod, so nothing of this is seen outside of it.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psycopg2
from passlib.context import CryptContext

DATABASE = os.environ["DRILL_DATABASE"]
SOCKET = os.environ["RUN_FOLDER"]
ADDRESS = "http://127.0.0.1:8069"
TRIES, SECONDS = 120, 5


def fail(why):
    sys.exit(f"restore drill failed: {why}")


def sql(statement, values=()):
    connection = psycopg2.connect(host=SOCKET, user=DATABASE, dbname=DATABASE)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def neutralize():
    """No mail, no payment, no scheduled action leaves the copy: the modules' own statements."""
    if subprocess.run(["odoo", "neutralize", "--database", DATABASE], check=False).returncode:
        fail("odoo neutralize ended with an error")
    if sql("SELECT value FROM ir_config_parameter WHERE key = 'database.is_neutralized'") not in ([("True",)], [("true",)]):
        fail("the copy is not neutralised")


def person():
    """Login of somebody who works with it, and a password for this copy alone."""
    found = sql("SELECT id, login FROM res_users WHERE active AND share IS NOT TRUE AND id > 1 ORDER BY id LIMIT 1")
    if not found:
        fail("nobody could log in")
    ((number, login),) = found
    password = secrets.token_urlsafe(24)
    hashed = CryptContext(["pbkdf2_sha512"]).hash(password)
    sql("UPDATE res_users SET password = %s WHERE id = %s", [hashed, number])
    columns = "SELECT 1 FROM information_schema.columns WHERE table_name = 'res_users' AND column_name = 'totp_secret'"
    if sql(columns):
        sql("UPDATE res_users SET totp_secret = NULL WHERE id = %s", [number])
    return login, password


def ask(path, body=None):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(ADDRESS + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def await_odoo(process):
    for _ in range(TRIES):
        if process.poll() is not None:
            fail(f"Odoo ended with {process.returncode}")
        try:
            return ask("/web/health")
        except (urllib.error.URLError, OSError):
            time.sleep(SECONDS)
    fail("Odoo does not answer")


def log_in(login, password):
    given = {"db": DATABASE, "login": login, "password": password}
    said = json.loads(ask("/web/session/authenticate", {"jsonrpc": "2.0", "method": "call", "params": given}))
    if not said.get("result", {}).get("uid"):
        fail(f"'{login}' can't log in: {said.get('error', {}).get('message', 'no user in the answer')}")


def main():
    neutralize()
    login, password = person()
    quiet = ["--workers=0", "--max-cron-threads=0", "--http-interface=127.0.0.1", "--http-port=8069"]
    process = subprocess.Popen(["odoo", "--database", DATABASE, *quiet])
    try:
        await_odoo(process)
        log_in(login, password)
    finally:
        process.terminate()
        process.wait()
    print("neutralised, started and logged in")


if __name__ == "__main__":
    main()
