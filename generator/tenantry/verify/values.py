"""Kubernetes' notations: quantities, durations, names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

_SUFFIX = {
    "": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12, "P": Decimal(10) ** 15, "E": Decimal(10) ** 18,
    "Ki": Decimal(2) ** 10, "Mi": Decimal(2) ** 20, "Gi": Decimal(2) ** 30, "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50, "Ei": Decimal(2) ** 60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)", re.ASCII)
_DURATION = re.compile(r"([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)", re.ASCII)
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", re.ASCII)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_MOST = Decimal(2**63 - 1)
_LONGEST = 64
"""Letters of a quantity or duration; longer ones make the expressions above try in vain for hours."""
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def quantity(value: object) -> Decimal | None:
    """A resource quantity in its base unit (cores, bytes), or None (apimachinery's resource.ParseQuantity)."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value)
    return _parsed_quantity(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=65536)
def _parsed_quantity(text: str) -> Decimal | None:
    match = _QUANTITY.fullmatch(text)
    if not match:
        return None
    number, exponent, suffix = match.groups()
    amount = Decimal(number) * (Decimal(f"1{exponent}") if exponent else _SUFFIX[suffix or ""])
    return max(-_MOST, min(amount, _MOST))  # as apimachinery caps it


def duration(value: object) -> float | None:
    """A Go duration in seconds, or None (time.ParseDuration)."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    if not match:
        return None
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(match[2]))
    return -seconds if match[1] == "-" else seconds


def is_dns_label(name: str) -> bool:
    """RFC 1123 label: at most 63 of a-z, 0-9 and `-`."""
    return len(name) <= 63 and _LABEL.fullmatch(name) is not None


def is_dns_1035_label(name: str) -> bool:
    """RFC 1035 label: as above, but begins with a letter."""
    return len(name) <= 63 and _LABEL_1035.fullmatch(name) is not None


def is_dns_subdomain(name: str) -> bool:
    """RFC 1123 subdomain: at most 253."""
    return len(name) <= 253 and _SUBDOMAIN.fullmatch(name) is not None


@lru_cache(maxsize=65536)
def is_label_value(value: str) -> bool:
    return value == "" or (len(value) <= 63 and _QUALIFIED.fullmatch(value) is not None)


@lru_cache(maxsize=65536)
def is_qualified_name(key: str) -> bool:
    """Key of a label or annotation: an optional subdomain and `/`, then at most 63."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (prefix and is_dns_subdomain(prefix)):
        return False
    return 0 < len(name) <= 63 and _QUALIFIED.fullmatch(name) is not None


def split_url(value: str) -> SplitResult:
    """The parts of an address; all empty for one that can't be read."""
    try:
        parts = urlsplit(value)
        _ = parts.hostname, parts.port  # read late, and refused then
        return parts
    except ValueError:
        return urlsplit("")


def expression_error(pattern: str) -> str:
    """Why a regular expression does not compile; empty when it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Python may read in another way one day
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return ""


def actions(template: str) -> Iterator[str]:
    """What stands between `{{` and `}}` in a Go template."""
    for part in template.split("{{")[1:]:
        inside, closed, _ = part.partition("}}")
        if closed:
            yield inside


def without_actions(template: str, filler: str) -> str:
    """A Go template with `filler` in the place of each action."""
    first, *parts = template.split("{{")
    done = [first]
    for part in parts:
        inside, closed, rest = part.partition("}}")
        done.append(f"{filler}{rest}" if closed else f"{{{{{inside}")
    return "".join(done)


def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
