"""Address ranges as values: read as Go reads them, one spelling for inputs, and IPv4 seen wherever it hides."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from mutation import TIMES
from spellings import embedded, ipv4_networks, networks, spellings, with_host_bits
from tenantry.core import addresses
from tenantry.core.addresses import AddressError, Range
from tenantry.engine import go_toolchain
from tenantry.inputs.schema import load_schema

_NOISE = st.text("0123456789abcfABCF:./% ٣x", max_size=24)


@st.composite
def _nearly(draw: st.DrawFn) -> str:
    """A spelling of a range with up to two more characters somewhere."""
    text = draw(st.sampled_from(spellings(draw(networks))))
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.text("0:./%f1 ", max_size=2)) + text[place:]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program around Go's own net package."""
    program = tmp_path_factory.mktemp("gonet") / "gonet"
    source = REPOSITORY / "tests/core/gonet/main.go"
    built = ("build", "-o", str(program), source.name)
    go_toolchain.run(go_toolchain.find_go(), *built, folder=source.parent, seconds=600).check_returncode()
    return program


def ask(program: Path, cases: list[dict[str, str]]) -> list[dict[str, Any]]:
    given = "\n".join(map(json.dumps, cases))
    done = subprocess.run([program], input=given, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@settings(deadline=None, max_examples=20 * TIMES)
@given(st.lists(st.tuples(_nearly() | _NOISE, networks), min_size=100, max_size=100))
def test_ranges_are_read_as_go_reads_them(go: Path, cases: list[tuple[str, Any]]) -> None:
    asked = [{"range": text, "address": str(other.network_address)} for text, other in cases]
    for question, answer in zip(asked, ask(go, asked), strict=True):
        text, address = question["range"], addresses.read_source(question["address"])
        found = addresses.read(text)
        assert (str(found) if found else "") == answer["range"], text
        assert (not addresses.is_loose(text)) == answer["strict"], text
        source = addresses.read_source(text)
        assert (str(source) if source else "") == answer["source"], text
        assert address is not None
        assert bool(found and found.holds(address)) == answer["contains"], question


@given(networks)
def test_every_spelling_of_a_range_is_the_same_value(network: Any) -> None:
    wanted = addresses.read(str(network))
    assert wanted is not None
    for text in spellings(network):
        assert addresses.read(text) == wanted, text


def is_declared(text: object) -> Range | None:
    try:
        return addresses.declared(text)
    except AddressError as error:
        assert error.hint
        return None


@given(networks | st.sampled_from([ipaddress.ip_network(cidr) for cidr in ("::/0", "::1/128", "2001:db8::/32")]))
def test_an_input_takes_one_spelling_of_a_range_and_suggests_it_for_any_other(network: Any) -> None:
    good, *others = spellings(network)
    for text in set(others) - {good}:
        with pytest.raises(AddressError) as refused:
            addresses.declared(text)
        meant = addresses.read(good)
        assert meant is not None
        if is_declared(good):
            assert str(meant) in refused.value.hint, text


@given(_nearly() | _NOISE | networks.map(str))
def test_what_an_input_takes_is_written_back_as_it_was_and_passes_the_schemas_pattern(text: str) -> None:
    found = is_declared(text)
    if found is None:
        return
    assert str(found) == text
    for kind in ("Tenant", "Cluster", "Platform"):
        assert re.search(load_schema(kind)["$defs"]["cidr"]["pattern"], text), kind


@given(ipv4_networks)
def test_no_input_takes_ipv6_that_leads_to_ipv4_nor_a_range_around_it(network: ipaddress.IPv4Network) -> None:
    for text in embedded(network):
        inner = ipaddress.ip_network(text)
        for prefix in range(inner.prefixlen, -1, -7):
            around = inner.supernet(new_prefix=prefix)
            if not ipaddress.ip_network("::/127").supernet_of(around):  # type: ignore[arg-type]
                assert is_declared(str(around)) is None, around


@pytest.mark.parametrize(
    "text", ["::1/128", "::/128", "2001:db8::/32", "2a05:d050:8000::/40", "fd00:ec2::/64", "fe80::/10"]
)
def test_ipv6_of_its_own_is_taken(text: str) -> None:
    assert str(is_declared(text)) == text


@pytest.mark.parametrize(
    "text",
    [None, 7, ["10.0.0.0/8"], "", "/", "0/0", "10.0.0.0/8\n", "10.0.0.0/33", "::/129", "1.2.3/24", "::ffff:1.2.3.4"],
)
def test_what_is_no_range_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(AddressError, match="not an address range") as refused:
        addresses.declared(text)
    assert "203.0.113.0/27" in refused.value.hint


def hidden(address: ipaddress.IPv6Address) -> set[ipaddress.IPv4Address]:
    """The IPv4 addresses that one IPv6 address leads to, by Python's own reading."""
    found = {address.ipv4_mapped, address.sixtofour, *(address.teredo or ())}
    for space in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96"):
        if address in ipaddress.ip_network(space):
            found.add(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return {ipv4 for ipv4 in found if ipv4 is not None}


_SPACES = [
    ipaddress.ip_network(s) for s in ("::/95", "::ffff:0:0:0/95", "64:ff9b::/95", "2002::/15", "2001::/30", "::/3")
]


@given(st.sampled_from(_SPACES), st.integers(0, 2**128 - 1), st.integers(0, 128), st.integers(0, 32))
def test_a_range_reaches_what_any_of_its_addresses_leads_to(space: Any, number: int, prefix: int, narrow: int) -> None:
    address = space[number % space.num_addresses]
    block = addresses.read(f"{address}/{max(prefix, 0)}")
    assert block is not None
    for ipv4 in hidden(address):
        target = addresses.read(f"{ipv4}/{narrow}")
        assert target is not None
        assert block.reaches(target), (block, target)


@given(ipv4_networks, ipv4_networks)
def test_translated_ranges_reach_each_other_only_where_the_ipv4_ranges_meet(
    one: ipaddress.IPv4Network, other: ipaddress.IPv4Network
) -> None:
    target = addresses.read(str(other))
    assert target is not None
    for text in embedded(one)[:3]:
        block = addresses.read(text)
        assert block is not None
        assert block.reaches(target) == one.overlaps(other), text


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(24, 32)), max_size=6), st.integers(24, 32))
def test_ranges_are_counted_together_and_each_address_once(found: list[tuple[int, int]], most: int) -> None:
    written = [ipaddress.IPv4Network((0x0A000000 + last, prefix), strict=False) for last, prefix in found]
    there = {int(address) for network in written for address in network}
    wide = addresses.wider_than(addresses.ranges(map(str, written)), {4: most})
    assert bool(wide) == (len(there) > 2 ** (32 - most))


@given(ipv4_networks)
def test_translated_ranges_count_as_the_ipv4_ranges_that_they_lead_to(network: ipaddress.IPv4Network) -> None:
    wide = addresses.wider_than(addresses.ranges([str(network)]), addresses.ADMINISTRATORS)
    *exact, _, sixtofour, _, _ = embedded(network)
    for text in (*exact, sixtofour):
        found = addresses.wider_than(addresses.ranges([text]), addresses.ADMINISTRATORS)
        assert (4 in found) == (4 in wide), text
    for text in ("2001::/32", "64:ff9b:1::/48", "::/0", "2000::/3"):
        assert 4 in addresses.wider_than(addresses.ranges([text]), addresses.ADMINISTRATORS)


def test_an_address_with_bits_below_its_prefix_is_reported_as_the_range_around_it() -> None:
    network = ipaddress.ip_network("203.0.113.0/27")
    with pytest.raises(AddressError) as refused:
        addresses.declared(with_host_bits(network))
    assert refused.value.hint == "write 203.0.113.0/27: a range has no host bits"
