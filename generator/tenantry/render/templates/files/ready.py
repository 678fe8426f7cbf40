"""Whether this Pod can serve a person: its ports given as arguments, and the sessions behind them.

Only 200 counts: with the database down /web/login answers 302. It answers 200 without the session store, where every
page behind it fails. Beside the pages' port a Pod may serve the bus, from a process that nothing else looks at.
"""

import http.client
import os
import socket
import ssl
import sys
from urllib.parse import parse_qs, unquote, urlsplit

SECONDS = 8
PATHS = {"8069": "/web/login", "8072": "/websocket/health"}


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    try:
        connection.request("GET", PATHS[port])
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def keeps_sessions(url):
    """Whether the session store lets this instance in and answers."""
    given = urlsplit(url)
    authority = parse_qs(given.query).get("ssl_ca_certs", [None])[0]
    address = (given.hostname, given.port or 6379)
    try:
        context = ssl.create_default_context(cafile=authority)
        with socket.create_connection(address, SECONDS) as plain:
            with context.wrap_socket(plain, server_hostname=given.hostname) as link:
                link.sendall(command("AUTH", unquote(given.username), unquote(given.password)) + command("PING"))
                replies = link.makefile("rb")
                return [replies.readline() for _ in range(2)] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False


def command(*words):
    """Words in the store's protocol."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def main(ports):
    faults = [f"port {port} does not answer" for port in ports if not answers(port)]
    if not keeps_sessions(os.environ["ODOO_SESSION_REDIS_URL"]):
        faults.append("the session store does not answer")
    if faults:
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main(sys.argv[1:])
