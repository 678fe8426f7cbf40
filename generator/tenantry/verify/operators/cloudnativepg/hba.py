"""Lines of pg_hba.conf: what PostgreSQL refuses to load (libpq/hba.c), and whom a line lets in without a password."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenantry.core import addresses
from tenantry.core.manifest import Manifest, Path, Problem, items, mapping
from tenantry.verify.registration import rule_for

_TYPES = ("local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")
_METHODS = frozenset(
    [
        "bsd",
        "cert",
        "gss",
        "ident",
        "ldap",
        "md5",
        "oauth",
        "pam",
        "password",
        "peer",
        "radius",
        "reject",
        "scram-sha-256",
        "sspi",
        "trust",
    ]
)
_KEYWORDS = ("all", "samehost", "samenet")
_EVERYWHERE = ("all", "0.0.0.0/0", "::/0")
_TOKEN = re.compile(r'(?:"[^"]*"|[^\s"])+')
_READ = 4096
"""Characters of a line that are looked at."""


@rule_for("postgresql.cnpg.io", "Cluster")
def host_based_access(manifest: Manifest) -> Iterator[Problem]:
    for number, line in enumerate(items(mapping(manifest.spec.get("postgresql")).get("pg_hba"))):
        path: Path = ("spec", "postgresql", "pg_hba", number)
        words = _TOKEN.findall(str(line)[:_READ].partition("#")[0])
        if not words or words[0].startswith("include") or "${" in str(line):
            continue
        why = _refusal(words)
        if why:
            yield Problem("V040", path, f"PostgreSQL can't load the line: {why}", "type database user address method")
        elif words[0] != "local" and words[3] in _EVERYWHERE and words[-1] == "trust":
            message = "everyone from everywhere gets in without a password"
            yield Problem("V057", path, message, "write scram-sha-256 instead of trust", "warning")


def _refusal(words: list[str]) -> str:
    """Why a line is refused; empty when it is not."""
    if words[0] not in _TYPES:
        return f"'{words[0]}' is none of {', '.join(_TYPES)}"
    local = words[0] == "local"
    rest = words[3:] if local else words[4:]
    if not local and rest and re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]+:[0-9a-fA-F:.]*", rest[0]):
        rest = rest[1:]  # a mask of its own
    elif not local and len(words) > 3 and (why := _bad_address(words[3])):
        return why
    if not rest:
        needed = "database, user and method" if local else "database, user, address and method"
        return f"after '{words[0]}' come {needed}, not {len(words) - 1} fields"
    if rest[0].strip('"') not in _METHODS:
        return f"'{rest[0]}' is no method"
    if why := _misplaced(words[0], rest[0].strip('"'), rest[1:]):
        return why
    wrong = next((option for option in rest[1:] if not re.fullmatch(r"\w+=.+", option)), "")
    return f"'{wrong}' is no option: name=value" if wrong else ""


_OPTION_NAMES = frozenset(
    [
        "clientcert",
        "clientname",
        "compat_realm",
        "delegate_ident_mapping",
        "include_realm",
        "issuer",
        "krb_realm",
        "ldapbasedn",
        "ldapbinddn",
        "ldapbindpasswd",
        "ldapport",
        "ldapprefix",
        "ldapscheme",
        "ldapsearchattribute",
        "ldapsearchfilter",
        "ldapserver",
        "ldapsuffix",
        "ldaptls",
        "ldapurl",
        "map",
        "pam_use_hostname",
        "pamservice",
        "radiusidentifiers",
        "radiusports",
        "radiussecrets",
        "radiusservers",
        "scope",
        "upn_username",
        "validator",
    ]
)


def _misplaced(kind: str, method: str, options: list[str]) -> str:
    """Methods and options that do not go with the type of connection (parse_hba_line)."""
    if method == "peer" and kind != "local":
        return "peer is for local connections only"
    if method == "gss" and kind == "local":
        return "gss is not for local connections"
    if method == "cert" and kind != "hostssl":
        return "cert is for hostssl only"
    for option in options:
        name, _, value = option.partition("=")
        if value and name not in _OPTION_NAMES:
            return f"'{name}' is no option"
        if name == "clientcert" and kind != "hostssl":
            return "clientcert is for hostssl only"
        if name == "clientcert" and value not in ("verify-ca", "verify-full"):
            return f"clientcert is verify-ca or verify-full, not {value}"
    return ""


def _bad_address(written: str) -> str:
    if written in _KEYWORDS or not re.match(r"[0-9]+\.[0-9]+\.|[0-9a-fA-F]*:", written):
        return ""  # a keyword, or the name of a host
    if "/" not in written:
        return f"'{written}' needs a mask, like {written}/32"
    return "" if addresses.read(written) is not None else f"'{written}' is no address range"
