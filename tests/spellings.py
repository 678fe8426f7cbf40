"""Ways to write an address range: what tests of rules and of proofs share."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from hypothesis import strategies as st

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

EMBEDDED: dict[str, Callable[[int], tuple[str, int]]] = {
    "compatible": lambda v4: (f"::{v4 >> 16:x}:{v4 & 0xFFFF:x}", 96),
    "SIIT": lambda v4: (f"::ffff:0:{v4 >> 16:x}:{v4 & 0xFFFF:x}", 96),
    "NAT64": lambda v4: (f"64:ff9b::{v4 >> 16:x}:{v4 & 0xFFFF:x}", 96),
    "local NAT64": lambda v4: (f"64:ff9b:1::{v4 >> 16:x}:{v4 & 0xFFFF:x}", 96),
    "6to4": lambda v4: (f"2002:{v4 >> 16:x}:{v4 & 0xFFFF:x}::", 16),
}
"""Where an IPv4 address stands in an IPv6 one that a translator turns into it, and after how many bits."""


def mapped(network: ipaddress.IPv4Network) -> list[str]:
    """Spellings of an IPv4 range as IPv6 that Go takes for the IPv4 range."""
    first = int(network.network_address)
    words = f"{first >> 16:x}:{first & 0xFFFF:x}", f"{first >> 16:04x}:{first & 0xFFFF:04x}"
    prefix = network.prefixlen + 96
    return [
        f"::ffff:{network.network_address}/{prefix}", f"::FFFF:{network.network_address}/{prefix}",
        f"::ffff:{words[0]}/{prefix}", f"::FFFF:{words[1].upper()}/{prefix}", f"0:0:0:0:0:ffff:{words[0]}/{prefix}",
        f"0000:0000:0000:0000:0000:ffff:{words[1]}/{prefix}", f"0:0:0:0:0:fFfF:{network.network_address}/0{prefix}",
    ]  # fmt: skip


def with_host_bits(network: Network) -> str:
    return f"{network[-1]}/{network.prefixlen}"


def spellings(network: Network) -> list[str]:
    """Everything that Go reads as this range; the first is how it should be written."""
    found = [str(network), with_host_bits(network), f"{network.network_address}/00{network.prefixlen}"]
    if isinstance(network, ipaddress.IPv4Network):
        last = ipaddress.ip_network(f"{network[-1]}/32")
        assert isinstance(last, ipaddress.IPv4Network)
        return found + mapped(network) + [f"{s.rpartition('/')[0]}/{network.prefixlen + 96}" for s in mapped(last)]
    return [*found, str(network).upper(), network.exploded, network.exploded.upper()]


def embedded(network: ipaddress.IPv4Network) -> list[str]:
    """IPv6 ranges whose addresses a translator turns into those of an IPv4 range."""
    there = [place(int(network.network_address)) for place in EMBEDDED.values()]
    return [f"{address}/{after + network.prefixlen}" for address, after in there] + ["2001::/32", "64:ff9b:1::/48"]


ipv4_networks = st.builds(
    lambda first, prefix: ipaddress.IPv4Network((first, prefix), strict=False),
    st.integers(0, 2**32 - 1), st.integers(0, 32),
)  # fmt: skip
ipv6_networks = st.builds(
    lambda first, prefix: ipaddress.IPv6Network((first, prefix), strict=False),
    st.integers(0, 2**128 - 1), st.integers(0, 128),
)  # fmt: skip
networks = ipv4_networks | ipv6_networks
