"""Lines of pg_hba.conf: what PostgreSQL refuses to load, and whom a line lets in without a password.

Sources: parse_hba_line and parse_hba_auth_opt of src/backend/libpq/hba.c, PostgreSQL 14 to 18, of which `oauth` is 18's.
"""

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


_LDAP = frozenset(
    [
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
    ]
)
_RADIUS = frozenset(["radiusidentifiers", "radiusports", "radiussecrets", "radiusservers"])
_OPTION_METHODS: dict[str, tuple[str, ...]] = {
    "map": ("cert", "gss", "ident", "oauth", "peer", "sspi"), "krb_realm": ("gss", "sspi"), "include_realm": ("gss", "sspi"),
    "compat_realm": ("sspi",), "upn_username": ("sspi",), "pamservice": ("pam",), "pam_use_hostname": ("pam",),
    "issuer": ("oauth",), "scope": ("oauth",), "validator": ("oauth",), "delegate_ident_mapping": ("oauth",),
    **dict.fromkeys(_LDAP, ("ldap",)), **dict.fromkeys(_RADIUS, ("radius",)),
}  # fmt: skip
"""Options, and the methods that they are for (parse_hba_auth_opt)."""
_OF_CONNECTION = frozenset({"clientcert", "clientname"})
_VALUES = {
    "clientcert": ("verify-ca", "verify-full"), "clientname": ("CN", "DN"), "ldapscheme": ("ldap", "ldaps"),
}  # fmt: skip
_NOT_BUILT = {"bsd": "OpenBSD", "sspi": "Windows"}
"""Methods that PostgreSQL has on one system only, which runs in no container of Linux."""


def _misplaced(kind: str, method: str, options: list[str]) -> str:
    """Methods and options that do not go with the type of connection, or with each other (parse_hba_line)."""
    only = {"peer": "local", "cert": "hostssl"}.get(method, kind)
    if kind != only:
        return f"{method} is for {only} {'connections ' if only == 'local' else ''}only"
    if method == "gss" and kind == "local":
        return "gss is not for local connections"
    if method in _NOT_BUILT:
        return f"{method} is for servers on {_NOT_BUILT[method]} only"
    given: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            continue
        given[name] = value.strip('"')
        if why := _bad_option(kind, method, name, given[name]):
            return why
    return _incomplete(method, given)


def _bad_option(kind: str, method: str, name: str, value: str) -> str:
    if name not in _OPTION_METHODS and name not in _OF_CONNECTION:
        return f"'{name}' is no option"
    if name in _OF_CONNECTION and kind != "hostssl":
        return f"{name} is for hostssl only"
    if name in _VALUES and value not in _VALUES[name]:
        return f"{name} is {' or '.join(_VALUES[name])}, not {value}"
    if name == "clientcert" and method == "cert" and value != "verify-full":
        return "with cert, clientcert is verify-full"
    if method not in _OPTION_METHODS.get(name, (method,)):
        return f"'{name}' is an option of {' and '.join(_OPTION_METHODS[name])}, not of {method}"
    return f"{name} is a number" if name == "ldapport" and not re.fullmatch(r"[1-9][0-9]{0,4}", value) else ""


def _incomplete(method: str, given: dict[str, str]) -> str:
    """Options that a method can't do without, or that exclude each other."""
    searched = given.keys() & {"ldapbasedn", "ldapbinddn", "ldapbindpasswd", "ldapsearchattribute", "ldapsearchfilter"}
    if method == "ldap":
        if given.keys() & {"ldapprefix", "ldapsuffix"}:
            return f"{sorted(searched)[0]} and ldapprefix or ldapsuffix exclude each other" if searched else ""
        if not given.keys() & {"ldapbasedn", "ldapurl"}:
            return "ldap needs ldapbasedn, ldapprefix or ldapsuffix"
        if {"ldapsearchattribute", "ldapsearchfilter"} <= given.keys():
            return "ldapsearchattribute and ldapsearchfilter exclude each other"
    needed = {"radius": ("radiusservers", "radiussecrets"), "oauth": ("issuer", "scope")}.get(method, ())
    missing = [name for name in needed if not given.get(name)]
    return f"{method} needs {' and '.join(missing)}" if missing else ""


def _bad_address(written: str) -> str:
    if written in _KEYWORDS or not re.match(r"[0-9]+\.[0-9]+\.|[0-9a-fA-F]*:", written):
        return ""  # a keyword, or the name of a host
    if "/" not in written:
        return f"'{written}' needs a mask, like {written}/32"
    return "" if addresses.read(written) is not None else f"'{written}' is no address range"
