"""Finds secrets in text: names that suggest one, URLs with user information, assignments, private keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

HIDDEN = "(hidden)"
"""Shown in place of a secret."""

Span = tuple[int, int]
"""Where a secret begins and ends in a text."""

# --- names


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET = _set(
    "password passwords passwd pwd passphrase passcode secret secrets token tokens credential credentials apikey masterauth requirepass"
)
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "secret", "token", "apikey")
_KEYS = _set("api private secret access encryption signing session master shared auth")
_PUBLIC_KEYS = _set("public primary foreign partition sort topology remote cache conversion object password token")
_ABOUT = _set(
    "file files path name names ref refs dir folder mount url uri endpoint location ttl seconds minutes days expiry expiration"
    " lifetime length policy type mode version id enabled required rotation interval format provider issuer audience encryption"
    " conf yaml yml json ini toml txt py sh sql xml properties acl crt"
)
"""Last words of names for something about a secret, or its location, rather than the secret itself."""


@lru_cache(maxsize=4096)
def says_secret(name: str, *, free: bool = True) -> bool:
    """Whether a name suggests that its value is a secret: `DB_PASSWORD`, `clientSecret`, `api-key`.

    `free` names are chosen by people (variables, keys of ConfigMaps): there every `..._KEY` counts. Field names come
    from the kind, where `secretKey` or `tlsSecret` reference a Secret.
    """
    words = [word.lower() for word in _WORD.findall(name) if not word.isdigit()]
    if not words or words[-1] in _ABOUT:
        return False
    if words[-1] in ("key", "keys"):
        before = words[-2:-1]
        return bool(before) and (before[0] not in _PUBLIC_KEYS if free else before[0] in _KEYS - {"secret"})
    if words[-1] == "pass":
        return True
    if not free and words[-1] == "secret":
        return len(words) == 1 or words[-2] in ("client", "shared", "webhook", "app", "cookie")
    return any(word in _SECRET or word.endswith(_SECRET_ENDINGS) for word in words)


_PLACEHOLDER = re.compile(
    r"\{\{.*?\}\}|\$\(\w+\)|\$\{\w+\}|\$[A-Z_][A-Z0-9_]*(?!\w)|\{\w*\}|%s|\*+|" + re.escape(HIDDEN)
)


def is_literal(value: str) -> bool:
    """Whether text is more than references to values stored elsewhere."""
    rest = _PLACEHOLDER.sub("", value).strip().strip("\"'")
    return rest not in ("", "true", "false", "null", "None")


# --- addresses

_TOKEN = re.compile(r"[^\s\"'<>`]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}\Z")
_AUTHORITY = re.compile(r"[^/?#\\]*@(?!sha\d+:)")
_PASSWORD = re.compile(r"[^/?#@:]*:(?!\d*[/?#]).*@(?!sha\d+:)")
"""A password may contain characters that end the authority in RFC 3986, although clients then parse it differently."""


def user_information(text: str) -> Iterator[Span]:
    """Spans of user information in URLs (RFC 3986, 3.2.1): a password, or over HTTP any user, which may be a token."""
    if "://" not in text or "@" not in text:
        return
    for token in _TOKEN.finditer(text):
        start, (before, *parts) = token.start(), token[0].split("://")
        start += len(before)
        for part in parts:
            start += len("://")
            scheme = _SCHEME.search(before[-31:])
            found = scheme and (_PASSWORD.match(part) or (_is_http(scheme[0]) and _AUTHORITY.match(part)))
            if found:
                name, colon, password = found[0][:-1].partition(":")
                if is_literal(password if colon and not _is_http(scheme[0]) else name + password):  # type: ignore[index]
                    yield start, start + found.end() - 1
            start += len(part)
            before = part


def _is_http(scheme: str) -> bool:
    return scheme.lower().endswith(("http", "https"))


def hide_user_information(text: str) -> str:
    """`https://(hidden)@git.example/fleet.git`"""
    return hide(text, user_information(text))


# --- whole texts

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*)", re.DOTALL)
_LINE = re.compile(r"^[ \t#;-]*[\"']?([A-Za-z_][\w.-]{0,80})[\"']?[ \t]*(?::=|=>|=|:)[ \t]*(\S[^\n]*)$", re.MULTILINE)
_QUOTED = re.compile(r"[\"']([A-Za-z_][\w.-]{0,80})[\"'][ \t]*[:=][ \t]*(\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')")
_INLINE = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{0,80})=(\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s\"'&;,]+)")
_FLAG = re.compile(r"(?<!\S)--?([A-Za-z][\w-]{0,80})(?:=|[ \t]+)(?!-)(\S+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)[ \t]+((?=\S*\d)[A-Za-z0-9+/=._~-]{8,})")
_REDIS_USER = re.compile(r"(?m)^(user) [^\n]*?[ ]([>#][^\s{]\S+)")
"""A Redis user's password, or its hash, in a list of users."""
_REDIS_LINE = re.compile(r"(?m)^[ \t]*(requirepass|masterauth)[ \t]+([^\s{]\S*)")
_PGBOUNCER_USER = re.compile(r"(?m)^[ \t]*(\"[^\"\n]*\")[ \t]+\"([^\"\n{]+)\"[ \t]*$")
_EXPRESSION = re.compile(r"(?:[A-Za-z_][\w.]*[(\[](?:.*[)\]].*)?$|\$[({]|\{\{|<[^<>]*>$|[|>][+-]?$)")


def secrets_in(text: str) -> Iterator[Span]:
    """Spans of secrets in a text (a configuration file, a command, a script). Calls and references don't count."""
    yield from user_information(text)
    for found in _PRIVATE_KEY.finditer(text):
        yield found.span()
    if not _MAY_HOLD.search(text):
        return
    for pattern in (_LINE, _QUOTED, _INLINE, _FLAG):
        for found in pattern.finditer(text):
            if says_secret(found[1]) and is_literal(found[2]) and not _EXPRESSION.match(found[2]):
                yield found.span(2)
    for pattern in (_BEARER, _REDIS_USER, _REDIS_LINE, _PGBOUNCER_USER):
        yield from (found.span(2) for found in pattern.finditer(text))


_MAY_HOLD = re.compile(
    r"(?i)pass|pwd|secret|token|credential|key|auth|bearer|basic|^user |^[ \t]*\"[^\"\n]*\"[ \t]+\"", re.MULTILINE
)


def hide(text: str, spans: Iterator[Span]) -> str:
    """The text with the spans hidden."""
    result, end = "", 0
    for start, stop in sorted(spans):
        if stop > end:
            result += text[end:start] + HIDDEN if start >= end else ""
            end = stop
    return result + text[end:]
