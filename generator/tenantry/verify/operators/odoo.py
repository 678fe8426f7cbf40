"""Options of odoo.conf that Odoo refuses or misreads (odoo/tools/config.py, load and _parse_config, of Odoo 16 to 18).

A value of a number is checked as the server starts, and ends it. Of switches only True and False are read as such: any
other word is a text, and a text counts as on.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from functools import lru_cache

from tenantry.core.codes import Code, declare
from tenantry.core.manifest import Manifest, Path, Problem, digits, mapping, text
from tenantry.core.suggestions import near
from tenantry.verify import values
from tenantry.verify.registration import rule_for

declare(
    Code("V059", "Odoo refuses or misreads an option", "Odoo ends as it starts, or takes an option for another value."),
)

_NUMBERS = frozenset(
    """db_maxconn db_maxconn_gevent db_port gevent_port http_port limit_memory_hard limit_memory_hard_gevent
    limit_memory_soft limit_memory_soft_gevent limit_request limit_time_cpu limit_time_real limit_time_real_cron
    longpolling_port max_cron_threads osv_memory_count_limit smtp_port workers""".split()  # noqa: SIM905
)
_SWITCHES = frozenset(
    "http_enable list_db proxy_mode smtp_ssl syslog test_enable unaccent x_sendfile xmlrpc".split()  # noqa: SIM905
)
_OTHERS = frozenset(
    """addons_path admin_passwd csv_internal_sep data_dir db_host db_name db_password db_replica_host db_replica_port
    db_sslmode db_template db_user dbfilter demo dev_mode email_from from_filter geoip_city_db geoip_country_db
    geoip_database http_interface import_partial init language load_language log_db log_db_level log_handler log_level
    logfile osv_memory_age_limit overwrite_existing_translations pg_path pidfile pre_upgrade_scripts publisher_warranty_url
    reportgz root_path save screencasts screenshots server_wide_modules smtp_password smtp_server
    smtp_ssl_certificate_filename smtp_ssl_private_key_filename smtp_user stop_after_init test_file test_tags
    transient_age_limit translate_in translate_modules translate_out update upgrade_path websocket_keep_alive_timeout
    websocket_rate_limit_burst websocket_rate_limit_delay without_demo""".split()  # noqa: SIM905
)
_KNOWN = _NUMBERS | _SWITCHES | _OTHERS
_TYPICAL = frozenset({"addons_path", "admin_passwd", "data_dir", "db_host", "db_name", "dbfilter", "workers"})
"""Options by which a file with a section of options is taken for Odoo's."""
_LONGEST = 64 << 10


@lru_cache(maxsize=1024)
def _options(content: str) -> dict[str, str]:
    if len(content) > _LONGEST or "[options]" not in content:
        return {}
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), comment_prefixes=(";", "#"))
    try:
        parser.read_string(content)
    except configparser.Error:
        return {}
    found = dict(parser["options"]) if parser.has_section("options") else {}
    return found if found.keys() & _TYPICAL else {}


@rule_for("", "ConfigMap", "Secret")
def configuration(manifest: Manifest) -> Iterator[Problem]:
    part = "data" if manifest.identity.kind == "ConfigMap" else "stringData"
    for key, content in mapping(manifest.value.get(part)).items():
        if str(key).endswith((".conf", ".cfg", "odoorc")):
            yield from _file(_options(text(content)), (part, key))


def _file(options: dict[str, str], path: Path) -> Iterator[Problem]:
    for name, value in options.items():
        if name in _NUMBERS and not re.fullmatch(r"-?[0-9]{1,18}|None|False", value.strip()):
            yield Problem("V059", path, f"Odoo does not start: {name} is a whole number, not '{value}'")
        elif name in _SWITCHES and value.strip() not in ("True", "true", "False", "false", ""):
            message = f"{name} = {value} counts as on: Odoo reads True and False only"
            yield Problem("V059", path, message, f"write {name} = False, or True")
        elif name not in _KNOWN and (meant := near(name, _KNOWN, 0.85)):
            yield Problem("V059", path, f"Odoo has no option '{name}'", f"did you mean {meant}?", "warning")
    yield from _guards(options, path)
    for low, high in (("limit_memory_soft", "limit_memory_hard"), ("limit_time_cpu", "limit_time_real")):
        less, more = digits(options.get(low, "")[:9]), digits(options.get(high, "")[:9])
        both = less is not None and more is not None and len(options[low]) == len(options[high])
        if both and less > more:  # type: ignore[operator]
            message = (
                f"{low} {options[low]} is over {high} {options[high]}: workers are killed in the middle of a request"
            )
            yield Problem("V059", path, message, f"{high} is the larger of the two", "warning")


def _guards(options: dict[str, str], path: Path) -> Iterator[Problem]:
    pattern = options.get("dbfilter", "").replace("%h", "x").replace("%d", "x")
    if pattern and (error := values.expression_error(pattern)):
        yield Problem("V059", path, f"dbfilter is no expression: {error}", "Odoo answers each request with an error")
    if options.get("admin_passwd") == "admin":
        message = "admin_passwd is the one that Odoo comes with: everyone can drop and download databases"
        yield Problem("V057", path, message, "remove it, and set list_db = False")
    if options.get("list_db", "").strip() in ("True", "true"):
        yield Problem(
            "V057", path, "list_db = True opens the database manager to everyone", "write list_db = False", "warning"
        )
