"""Address ranges as values, parsed the way their enforcers parse them: Go's net package, in the API server, Calico and Traefik.

An IPv6 range can mean IPv4 addresses in two ways. A mapped one (`::ffff:a9fe:a9fe/128`) is the IPv4 range: net.ParseCIDR
keeps its sixteen bytes, and IPNet.Contains and IPNet.String treat them as four. A translated one (NAT64, 6to4, Teredo)
stays IPv6, and a gateway on the path forwards to the IPv4 address.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

_WIDTH = {4: 32, 6: 128}
_MAPPED = 0xFFFF

ADMINISTRATORS: Mapping[int, int] = {4: 16, 6: 44}
"""Version -> shortest prefix: the most addresses that administrators may come from, all ranges together. A company's
offices and VPN gateways are far fewer than a /16; an IPv6 /44 is sixteen sites of a /48 each."""


class AddressError(ValueError):
    """Why a text is not a range that an input may contain. `hint` says how to fix it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """All addresses from `first` to `last`, as integers: the range of one prefix."""

    version: int
    first: int
    last: int

    @property
    def prefix(self) -> int:
        return _WIDTH[self.version] - (self.last - self.first).bit_length()

    def meets(self, other: Range) -> bool:
        """Whether the ranges share an address. Translated addresses count as plain IPv6."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    def holds(self, other: Range) -> bool:
        """Whether it contains every address of `other`."""
        return self.version == other.version and self.first <= other.first and other.last <= self.last

    def reaches(self, other: Range) -> bool:
        """Whether it contains an address of `other`, or an IPv6 address that a translator maps to one of `other`."""
        if self.version == 4:  # what embeds an address is IPv6
            return self.meets(other)
        return any(self.meets(name) for name in names(other))

    def __str__(self) -> str:
        return f"{ipaddress.ip_address(self.first) if self.version == 4 else ipaddress.IPv6Address(self.first)}/{self.prefix}"


@dataclass(frozen=True)
class Embedding:
    """IPv6 addresses that embed an IPv4 address from bit `at` on; None where the position varies or the bits are inverted."""

    name: str
    cidr: str
    at: int | None

    @cached_property
    def space(self) -> Range:
        """All addresses of the embedding's range."""
        network = ipaddress.IPv6Network(self.cidr)
        return Range(6, int(network[0]), int(network[-1]))

    def of(self, other: Range) -> Range:
        """The IPv6 addresses that embed an address of `other`; all of them where the position is unknown."""
        if self.at is None:
            return self.space
        below = 128 - self.at - 32
        return Range(
            6, self.space.first | other.first << below, self.space.first | other.last << below | (1 << below) - 1
        )

    def carried(self, by: Range) -> Range:
        """The IPv4 addresses embedded in a range of this space."""
        if self.at is None:
            return EVERYTHING[0]
        below = 128 - self.at - 32
        return Range(4, by.first >> below & 0xFFFFFFFF, by.last >> below & 0xFFFFFFFF)


EVERYTHING = (Range(4, 0, 2**32 - 1), Range(6, 0, 2**128 - 1))
EMBEDDINGS = (
    Embedding("IPv4-mapped addresses", "::ffff:0:0/96", 96),  # RFC 4291, 2.5.5.2
    Embedding("IPv4-compatible addresses", "::/96", 96),  # RFC 4291, 2.5.5.1
    Embedding("SIIT", "::ffff:0:0:0/96", 96),  # RFC 2765
    Embedding("NAT64", "64:ff9b::/96", 96),  # RFC 6052
    Embedding("NAT64", "64:ff9b:1::/48", None),  # RFC 8215: the operator chooses the position of the address
    Embedding("6to4", "2002::/16", 16),  # RFC 3056
    Embedding("Teredo", "2001::/32", None),  # RFC 4380: a server's address, and a client's with its bits inverted
)
"""Well-known prefixes only: a NAT64 prefix from a network's own range can't be recognized."""
_UNSPECIFIED_AND_LOOPBACK = Range(6, 0, 1)
"""`::` and `::1` are plain IPv6, although they fall into the range of compatible addresses."""


def names(wanted: Range) -> Iterator[Range]:
    """The range itself and, for IPv4, each IPv6 range that embeds its addresses."""
    yield wanted
    if wanted.version == 4:
        yield from (embedding.of(wanted) for embedding in EMBEDDINGS)


@lru_cache(maxsize=4096)
def read(text: str) -> Range | None:
    """A range as Go's net.ParseCIDR reads it: a mapped range is the IPv4 range, host bits are masked. None on an error."""
    found = _parsed(text)
    return None if found is None else _unmapped(found[0])


def is_loose(text: str) -> bool:
    """Whether the API server's strict validation rejects a text that Go accepts: mapped ranges, host bits, a prefix with
    leading zeros (apimachinery, pkg/util/validation/ip.go). It accepts upper case and leading zeros of hexadecimal digits."""
    found = _parsed(text)
    if found is None:
        return True
    written, has_host_bits = found
    return has_host_bits or _unmapped(written) is not written or re.search("/0.", text) is not None


def read_source(text: str) -> Range | None:
    """A range, or one address without a prefix, as Traefik's lists accept it (pkg/ip/checker.go)."""
    if "/" in text:
        return read(text)
    return read(f"{text}/128") if ":" in text else read(f"{text}/32")


def ranges(texts: Iterable[str]) -> tuple[Range, ...]:
    """The ranges of an input that its schema has accepted."""
    return tuple(found for text in texts if (found := read(text)) is not None)


_CIDR = re.compile(r"([0-9A-Fa-f:.]+)/0*([0-9]{1,3})")


def _parsed(text: str) -> tuple[Range, bool] | None:
    """The range as written, and whether it has host bits set."""
    match = _CIDR.fullmatch(text)
    if match is None:
        return None
    try:
        address = ipaddress.ip_address(match[1])
    except ValueError:
        return None
    host_bits = _WIDTH[address.version] - int(match[2])
    if host_bits < 0:
        return None
    first = int(address) >> host_bits << host_bits
    return Range(address.version, first, first | (1 << host_bits) - 1), first != int(address)


def _unmapped(written: Range) -> Range:
    if written.version == 6 and written.first >> 32 == written.last >> 32 == _MAPPED:
        return Range(4, written.first & 0xFFFFFFFF, written.last & 0xFFFFFFFF)
    return written


def declared(text: object) -> Range:
    """The range of an input. Each has one spelling (RFC 5952, no host bits), and IPv4 is written as IPv4.
    Raises AddressError."""
    found = _parsed(text) if isinstance(text, str) else None
    if found is None:
        hint = "write it like 203.0.113.0/27, or 203.0.113.7/32 for one address"
        raise AddressError("which is not an address range", hint)
    written, has_host_bits = found
    _refuse_embedded(written)
    if has_host_bits:
        raise AddressError("which is not an address range", f"write {written}: a range has no host bits")
    if str(written) != text:
        raise AddressError("which is not the canonical spelling of that range", f"write {written}")
    return written


def _refuse_embedded(written: Range) -> None:
    if written.version == 4 or _UNSPECIFIED_AND_LOOPBACK.holds(written):
        return
    for embedding in EMBEDDINGS:
        if embedding.space.holds(written):
            _refuse(embedding, written)
        if embedding.space.meets(written):
            message = f"which contains {embedding.cidr} ({embedding.name}), through which IPv4 addresses are reachable"
            raise AddressError(message, "write narrower IPv6 ranges, and IPv4 ranges as IPv4")


def _refuse(embedding: Embedding, written: Range) -> None:
    if embedding.at is None:
        raise AddressError(f"which maps to IPv4 addresses via {embedding.name}", "write the IPv4 range instead")
    meant = embedding.carried(written)
    if embedding is EMBEDDINGS[0]:
        raise AddressError(f"which is the IPv4 range {meant}, written as IPv6", f"write {meant}")
    raise AddressError(f"which maps to the IPv4 range {meant} via {embedding.name}", f"write {meant}")


def shown(bounds: Mapping[int, int]) -> str:
    """`an IPv4 /16 or an IPv6 /44`."""
    return " or ".join(f"an IPv{version} /{prefix}" for version, prefix in bounds.items())


def wider_than(found: Iterable[Range], bounds: Mapping[int, int]) -> frozenset[int]:
    """The versions for which the ranges together contain more addresses than one range of the maximum's prefix. IPv6 that
    maps to IPv4 counts as the IPv4 addresses too."""
    count = dict.fromkeys(bounds, 0)
    last = dict.fromkeys(bounds, -1)
    for one in sorted(set(_meant(found))):
        first = max(one.first, last[one.version] + 1)
        count[one.version] += max(0, one.last - first + 1)
        last[one.version] = max(last[one.version], one.last)
    return frozenset(version for version, most in bounds.items() if count[version] > 1 << _WIDTH[version] - most)


def _meant(found: Iterable[Range]) -> Iterator[Range]:
    for one in found:
        yield one
        if one.version == 6 and not _UNSPECIFIED_AND_LOOPBACK.holds(one):
            for embedding in EMBEDDINGS:
                if embedding.space.holds(one):
                    yield embedding.carried(one)
                elif embedding.space.meets(one):
                    yield EVERYTHING[0]
