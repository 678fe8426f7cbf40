"""/metrics of all processes of a Pod: how many requests of which kind took how long, how they ended, and files that could not be read.

The processes write into memory-mapped files of one folder (prometheus_client's multiprocess mode), and whichever is asked
answers for all. The page needs no login; the edge answers it with 403.
"""

import os
import pathlib
import time

FOLDER = os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", "/tmp/prometheus")
pathlib.Path(FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)

# It reads the folder's name when it is imported.
import prometheus_client  # noqa: E402
from odoo import http  # noqa: E402
from prometheus_client import multiprocess  # noqa: E402
from s3fs import S3FileSystem  # noqa: E402

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
KINDS = frozenset({"web", "odoo", "websocket", "jsonrpc", "xmlrpc", "json", "mail", "report", "my", "shop", "metrics"})
"""First parts of paths; all others are one kind, or a scanner could make as many series as it likes."""
SECONDS = prometheus_client.Histogram(
    "odoo_http_request_seconds", "Duration of HTTP requests.", ["kind", "status"], buckets=BUCKETS
)
# fs_attachment logs the reason, and goes on with an empty file: without a number nobody notices.
UNREADABLE = prometheus_client.Counter(
    "odoo_attachments_unreadable", "Reads of attachments that the object store does not have, or refuses."
)


def kind(path):
    first = path.lstrip("/").partition("/")[0]
    return first if first in KINDS else "other"


def measured(call):
    def wrapped(self, environ, start_response):
        begin, status = time.perf_counter(), "5xx"

        def start(line, *args):
            nonlocal status
            status = f"{line[:1]}xx"
            return start_response(line, *args)

        try:
            return call(self, environ, start)
        finally:
            SECONDS.labels(kind(environ.get("PATH_INFO", "")), status).observe(time.perf_counter() - begin)

    return wrapped


http.Application.__call__ = measured(http.Application.__call__)


def counted(open_file):
    def wrapped(self, path, mode="rb", *args, **kwargs):
        try:
            return open_file(self, path, mode, *args, **kwargs)
        except OSError:
            if mode.startswith("r"):
                UNREADABLE.inc()
            raise

    return wrapped


S3FileSystem.open = counted(S3FileSystem.open)


class Metrics(http.Controller):
    @http.route("/metrics", type="http", auth="none", methods=["GET"], save_session=False)
    def metrics(self):
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        text = prometheus_client.generate_latest(registry)
        return http.request.make_response(text, [("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)])
