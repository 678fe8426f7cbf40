"""However an address range is written, rules and proofs say the same of it."""

from __future__ import annotations

import dataclasses
import ipaddress
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from controls.laboratory import AS_OF, called, example, mutate, running_engine
from controls.table import EGRESS, GLOBEX, STORAGE, Mutant, then
from mutation import TIMES
from spellings import embedded, mapped, networks, spellings, with_host_bits
from tenantry.core import addresses
from tenantry.core.findings import ObjectId
from tenantry.core.manifest import Manifest, Problem
from tenantry.model.tenant import Tenant
from tenantry.plan import network as rules
from tenantry.plan.inputs import Inputs, read_inputs
from tenantry.plan.scope import Scope
from tenantry.prove import readings
from tenantry.prove.cluster_state import Breach, State
from tenantry.prove.edge import guards
from tenantry.prove.network.policies import Block, policy
from tenantry.prove.network.proof import reachability
from tenantry.prove.promises import Promises, promises
from tenantry.runtime.cache import Store
from tenantry.verify.index import Index
from tenantry.verify.kubernetes import network as objects
from tenantry.verify.operators import traefik

TENANT = "northwind-partners"
WELL_KNOWN = [
    ipaddress.ip_network(cidr)
    for cidr in (
        "0.0.0.0/0", "128.0.0.0/1", "169.254.169.254/32", "10.16.4.0/24", "10.17.144.4/32", "10.0.0.0/8", "203.0.113.0/28",
        "198.51.100.0/24", "127.0.0.1/32", "fd00:ec2::254/128", "2001:db8::/40", "2001:db8:7::/56", "fe80::/10", "::1/128",
    )
]  # fmt: skip
"""Everything, metadata, Pods, the API server, loopback, link-local, and ranges that are fine."""
FORBIDDEN = [n for n in WELL_KNOWN if isinstance(n, ipaddress.IPv4Network) and not str(n).startswith(("203", "198"))]


@cache
def inputs() -> Inputs:
    return read_inputs(REPOSITORY, AS_OF, Store(None))


def said(field: str, cidr: str) -> list[tuple[str, str, str]]:
    """What the rules say of a tenant with this range at a field."""
    fleet = inputs().fleet
    tenant = fleet.all(Tenant)[TENANT]
    if field == "adminSources":
        changed = dataclasses.replace(tenant, access=dataclasses.replace(tenant.access, admin_sources=(cidr,)))
    else:
        first, *rest = tenant.integrations
        changed = dataclasses.replace(tenant, integrations=(dataclasses.replace(first, cidrs=(cidr,)), *rest))
    entries = {**fleet.entries, "Tenant": {**fleet.all(Tenant), TENANT: changed}}
    scope = Scope(dataclasses.replace(fleet, entries=entries), inputs().resolution.instances, AS_OF)
    return [(f.code, f.message, str(f.place)) for f in rules.outside(scope)]


@settings(deadline=None, max_examples=30 * TIMES)
@given(st.sampled_from(WELL_KNOWN) | networks, st.sampled_from(["integrations", "adminSources"]))
def test_fleet_rules_say_the_same_of_every_spelling(network: Any, field: str) -> None:
    good, *others = spellings(network)
    told = said(field, good)
    for text in others:
        assert said(field, text) == told, text


@pytest.mark.parametrize("network", FORBIDDEN, ids=str)
@pytest.mark.parametrize("field", ["integrations", "adminSources"])
def test_fleet_rules_refuse_what_is_forbidden_in_every_spelling_and_by_every_translator(
    network: Any, field: str
) -> None:
    for text in (*spellings(network), *embedded(network)):
        assert [code for code, *_ in said(field, text)] == ["F017"], text


def as_policy(cidr: str, *excepts: str) -> Manifest:
    block = {"cidr": cidr, "except": list(excepts)} if excepts else {"cidr": cidr}
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": block}]}]}
    value = {"metadata": {"name": "n", "namespace": "x"}, "spec": spec}
    return Manifest(ObjectId("networking.k8s.io", "NetworkPolicy", "x", "n"), "v1", value)


@given(st.sampled_from(WELL_KNOWN) | networks, networks)
def test_a_network_policy_means_the_same_in_every_spelling(network: Any, cut: Any) -> None:
    wanted = policy(as_policy(str(network), str(cut)))
    for text in spellings(network):
        assert policy(as_policy(text, str(cut))) == wanted, text
    for text in spellings(cut):
        assert policy(as_policy(str(network), text)) == wanted, text


def unlike_the_api_server(manifest: Manifest) -> list[Problem]:
    return [problem for problem in objects.policy(manifest) if "does not lie inside of" not in problem.message]


def not_inside(manifest: Manifest) -> list[tuple[Any, ...]]:
    return [problem.path for problem in objects.policy(manifest) if "does not lie inside of" in problem.message]


@given(networks, st.integers(0, 128), networks)
def test_the_rule_for_exceptions_holds_for_every_spelling(network: Any, more: int, other: Any) -> None:
    inner = next(network.subnets(new_prefix=min(network.prefixlen + more, network.max_prefixlen)))
    for cut in (inner, other):
        strict = cut != network and cut.version == network.version and cut.subnet_of(network)
        for text in spellings(network):
            assert bool(not_inside(as_policy(text, str(cut)))) != strict, text
        for text in spellings(cut):
            assert bool(not_inside(as_policy(str(network), text))) != strict, text


@pytest.mark.parametrize(
    "text", [*mapped(ipaddress.IPv4Network("10.0.0.0/8")), "10.0.0.7/8", "10.0.0.0/08", "2001:db8::1/32"]
)
def test_a_spelling_that_the_api_server_refuses_is_reported_with_the_right_one(text: str) -> None:
    meant = str(addresses.read(text))
    told = unlike_the_api_server(as_policy(text)) + unlike_the_api_server(
        as_policy("0.0.0.0/0" if "." in meant else "::/0", text)
    )
    assert [(p.code, p.hint) for p in told] == [("V050", f"write {meant}")] * 2
    assert {p.path[-1] for p in told} == {"cidr", 0}


@pytest.mark.parametrize(
    "text", ["", "everything", "010.0.0.0/8", "10.0.0.0/255.0.0.0", "fe80::1%eth0/64", "10.0.0.0/33", "10.0.0.0"]
)
def test_an_unreadable_range_counts_as_everything_and_an_exception_as_nothing(text: str) -> None:
    assert [problem.code for problem in objects.policy(as_policy(text))] == ["V050"]
    (rule,) = policy(as_policy(text, "10.0.0.0/8")).egress or ()
    assert [peer.block for peer in rule.peers or ()] == [Block(taken) for taken in addresses.EVERYTHING]
    (rule,) = policy(as_policy("10.0.0.0/8", text)).egress or ()
    assert [peer.block for peer in rule.peers or ()] == [Block(addresses.ranges(["10.0.0.0/8"])[0])]


@given(st.sampled_from(FORBIDDEN), st.integers(1, 8))
def test_translated_addresses_are_reached_until_they_are_cut_out(network: ipaddress.IPv4Network, more: int) -> None:
    outer = network.supernet(new_prefix=max(network.prefixlen - more, 0))
    (target,) = addresses.ranges([str(network)])
    for around, cut in list(zip(embedded(outer), embedded(network), strict=True))[:3]:
        (rule,) = policy(as_policy(around)).egress or ()
        assert all(peer.block and peer.block.reaches(target) for peer in rule.peers or ()), around
        (rule,) = policy(as_policy(around, cut)).egress or ()
        assert not any(peer.block and peer.block.reaches(target) for peer in rule.peers or ()), (around, cut)


# --- on the example fleet

DECLARED = ipaddress.IPv4Network("192.0.2.64/28")  # object storage of euw1-a
ADMINISTRATORS = ipaddress.IPv4Network("198.18.0.0/24")


def state(mutant: Mutant, promised: Promises | None = None) -> State:
    """The mutant's cluster, held to what the example promises, or to something else."""
    known = promised or example()[0]
    made = State(known, known.clusters[mutant.cluster], Index(mutate(mutant)[mutant.cluster]), mutant.cluster)
    readings.read(running_engine(), {mutant.cluster: made})
    return made


def admin_sources(*texts: str) -> Mutant:
    path = "spec.ipAllowList.sourceRange"
    return Mutant("EDGE-04", f"Middleware {GLOBEX}/admin-sources", path, list(texts), cluster="euw1-globex")


@pytest.mark.parametrize("text", [*mapped(DECLARED), with_host_bits(DECLARED)])
def test_a_declared_range_is_open_in_every_spelling(text: str) -> None:
    mutant = Mutant("NET-06", STORAGE, "spec.egress[0].to[0].ipBlock.cidr", text)
    assert list(reachability(state(mutant))) == []


@pytest.mark.parametrize("network", ["169.254.169.254/32", "10.17.144.4/32", "10.16.4.0/24"])
def test_a_breach_names_what_lies_at_the_addresses_in_every_spelling(network: str) -> None:
    meant = ipaddress.IPv4Network(network)
    where = {"169": "instance metadata", "10.17.144": "the API server", "10.16": "Pods"}
    (name,) = [what for start, what in where.items() if network.startswith(start)]
    for text in (str(meant), mapped(meant)[2], embedded(meant)[2]):
        rule = {"to": [{"ipBlock": {"cidr": text}}], "ports": [{"port": 80}]}
        told = [p.message for _, p in reachability(state(Mutant("NET-06", EGRESS, "spec.egress", then(rule))))]
        assert told and all(name in message for message in told), text


@pytest.mark.parametrize("text", [*mapped(ADMINISTRATORS), "198.18.0.7", "::ffff:c612:7", "198.18.0.9/25"])
def test_a_list_of_traefik_lets_in_what_is_promised_in_every_spelling(text: str) -> None:
    assert list(guards.guards(state(admin_sources(text)))) == []


@pytest.mark.parametrize(
    "text", ["198.18.0.0/23", "::ffff:198.18.0.0/119", "198.19.0.1", "nowhere", "64:ff9b::c612:0/120"]
)
def test_a_list_of_traefik_that_lets_in_anything_else_is_a_breach(text: str) -> None:
    told = [problem.message for _, problem in guards.guards(state(admin_sources("198.18.0.0/24", text)))]
    assert any(message.startswith("administration is reachable from everywhere") for message in told), told
    assert f"'admin-sources' lets in {text}" in told


def guarded(*sources: str) -> list[Breach]:
    """What the proof of the edge says when the tenant's inputs promise the administrators' addresses too."""
    known, _ = example()
    tenant = known.tenant("globex-eu")
    assert tenant is not None
    tenant = dataclasses.replace(tenant, access=dataclasses.replace(tenant.access, admin_sources=sources))
    instances = {
        name: dataclasses.replace(instance, tenant=tenant) if instance.tenant.name == tenant.name else instance
        for name, instance in known.instances.items()
    }
    told = guards.guards(state(admin_sources(*sources), promises(known.fleet, instances, AS_OF)))
    return [(manifest, problem) for manifest, problem in told if manifest.identity.namespace == GLOBEX]


@pytest.mark.parametrize("sources", [
    "0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1", "::ffff:0:0/96", "::ffff:0:0/97 ::ffff:8000:0/97", "64:ff9b::/96", "2002::/16", "2000::/3", "::/0",
])  # fmt: skip
def test_administration_open_to_the_internet_is_a_breach_though_the_inputs_promise_it(sources: str) -> None:
    told = guarded(*sources.split())
    assert told
    for manifest, problem in told:
        assert called(manifest) == f"IngressRoute {GLOBEX}/odoo-admin"
        assert problem.code == "EDGE-04"
        assert "administration is reachable from more addresses than an IPv4 /16 or an IPv6 /44" in problem.message


def test_administration_open_to_offices_is_not_a_breach() -> None:
    assert guarded("198.18.0.0/17", "198.51.100.0/24", "2001:db8::/44") == []


@pytest.mark.parametrize("text", ["10.0.0.0/255.0.0.0", "fe80::1%eth0", "010.0.0.1", "10.0.0.0/33", "everywhere", ""])
@pytest.mark.parametrize(
    "field",
    [
        "ipAllowList.sourceRange",
        "ipAllowList.ipStrategy.excludedIPs",
        "rateLimit.sourceCriterion.ipStrategy.excludedIPs",
    ],
)
def test_a_range_that_traefik_can_not_read_is_reported_at_its_place(text: str, field: str) -> None:
    path = field.split(".")
    value: Any = ["192.0.2.0/24", "::ffff:c000:201", text]
    for word in reversed(path):
        value = {word: value}
    if path[0] == "ipAllowList":
        value["ipAllowList"].setdefault("sourceRange", ["192.0.2.1"])
    manifest = Manifest(ObjectId("traefik.io", "Middleware", "x", "n"), "v1alpha1", {"spec": value})
    told = [(problem.code, problem.path) for problem in traefik.middleware(manifest)]
    assert told == [("V043", ("spec", *path, 2))]
