"""Objects of a fleet's tree with anything in any field: problems are found, nothing breaks off, nothing takes for ever."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controls import laboratory
from mutation import GONE, TIMES, changed_at, paths
from tenantry.core.manifest import Manifest
from tenantry.prove import readings
from tenantry.prove import template_conformance as standard
from tenantry.prove.cluster_state import State
from tenantry.prove.network import ports
from tenantry.prove.proofs import prove_fleet
from tenantry.prove.report import assurances
from tenantry.verify.index import Index
from tenantry.verify.judge import judge

CLUSTER = "use1-globex"
NINES = "9" * 5000
"""Python makes no number of more than 4300 digits."""


def read(value: Any, file: str) -> list[Manifest]:
    engine = laboratory.running_engine()
    return engine.parsed(engine.parse(json.dumps(value)), file)[0]


def found_with(changed: dict[str, Any]) -> list[str]:
    """Codes and controls of all that is found in the cluster when objects (by what they are called) have other values."""
    known, objects = laboratory.example()
    states: dict[str, State] = {}
    for name in (CLUSTER, known.clusters[CLUSTER].dr_partner):
        manifests: list[Manifest] = []
        for manifest in objects[name]:
            there = name == CLUSTER and laboratory.called(manifest) in changed
            manifests += read(changed[laboratory.called(manifest)], manifest.file) if there else [manifest]
        facts = known.clusters[name]
        states[name] = State(known, facts, Index(manifests, storage_classes=facts.storage_classes.names), name, states)
    readings.read(laboratory.running_engine(), states)
    version = known.clusters[CLUSTER].kubernetes_version
    judged = list(judge(states[CLUSTER].index, version))
    proved = prove_fleet(
        known,
        states,
        None,
        standard.all_differences(states, laboratory.templates(), {}),
        [manifest for manifest, _ in judged],
    )
    assert all(json.dumps(dataclasses.asdict(told), allow_nan=False) for told in assurances(known, states, proved))
    found = [*judged, *proved.breaches]
    assert all(problem.message for _, problem in found)
    return [problem.control or problem.code for _, problem in found]


HOME = "globex-us-production"
CASES: dict[str, tuple[str, str, Any, str]] = {
    "the name of a route's service is a list": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].services[0].name", ["x"], "EDGE-02"),
    "the name of a route's service is a mapping": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].services[0].name", {"a": 1}, "EDGE-02"),
    "an address that is none": (f"ObjectStore {HOME}/postgresql", "spec.configuration.endpointURL", "https://[", "RES-02"),
    "an address in a template that is none": (f"ExternalSecret {HOME}/redis-user", "spec.target.template.data.url", "rediss://[", "DATA-09"),
    "namespaces that are a number": (f"Schedule velero/{HOME}", "spec.template.includedNamespaces", 1, "BKP-02"),
    "instances that are a text": (f"Cluster {HOME}/postgresql", "spec.instances", "10.0.0.0/8", "V021"),
    "instances that are nothing": (f"Pooler {HOME}/reporting", "spec.instances", None, "SUP-05"),
    "fewer instances than none": (f"Cluster {HOME}/postgresql", "spec.instances", -(2**62), "V021"),
    "more instances than a field can count": (f"Deployment {HOME}/odoo-web", "spec.replicas", 2**62, "V053"),
    "a number of standbys that is a mapping": (f"Cluster {HOME}/postgresql", "spec.postgresql.synchronous.number", {}, "V021"),
    "a percentage in superscript": (f"PodDisruptionBudget {HOME}/odoo-web", "spec.maxUnavailable", "²%", "RUN-05"),
    "days in superscript": (f"Namespace {HOME}", "metadata.annotations[tenantry.io/log-retention]", "²d", "OBS-01"),
    "days of five thousand digits": (f"Namespace {HOME}", "metadata.annotations[tenantry.io/log-retention]", f"{NINES}d", "OBS-01"),
    "a retention of five thousand digits": (f"ObjectStore {HOME}/postgresql", "spec.retentionPolicy", f"{NINES}d", "BKP-04"),
    "hours in superscript": (f"ScheduledBackup {HOME}/postgresql", "spec.schedule", "0 0 */² * * *", "V023"),
    "hours of which one is a word": (f"ScheduledBackup {HOME}/postgresql", "spec.schedule", "0 0 1,x * * *", "V023"),
    "a time of five thousand digits": (f"Cluster {HOME}/postgresql", "spec.postgresql.parameters.archive_timeout", NINES, "BKP-05"),
    "connections of five thousand digits": (f"Cluster {HOME}/postgresql", "spec.postgresql.parameters.max_connections", NINES, "RUN-04"),
    "an image's tag of five thousand digits": (f"Deployment {HOME}/odoo-web", "spec.template.spec.containers[0].image", f"a:{NINES}.1", "SUP-01"),
    "an amount of five hundred thousand digits": (f"Cluster {HOME}/postgresql", "spec.resources.requests.memory", "9" * 500_000 + "x", "V021"),
    "an amount beyond all numbers": (f"Cluster {HOME}/postgresql", "spec.storage.size", "1e999", "CST-01"),
    "a line of pg_hba with an empty word": (f"Cluster {HOME}/postgresql", "spec.postgresql.pg_hba[0]", 'host a b c "" md5', "DATA-02"),
    "options that are not numbers": (f"ConfigMap {HOME}/odoo-config", "data[options.conf]", f"[options]\ndb_maxconn = ²\nx = {NINES}\n", "DATA-05"),
    "an expression that never ends": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].match", f"Host(`a`) && PathRegexp(`^{'.*' * 40}x`)", "EDGE-04"),
    "an expression of a billion parts": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].match", "Host(`a`) && PathRegexp(`((a{900}){900}){900}`)", "EDGE-04"),
    "an empty part repeated a billion times": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].match", "Host(`a`) && PathRegexp(`(((){900}){900}){900}`)", "EDGE-04"),
    "a rule of a billion alternatives": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].match", " && ".join(["(Host(`a`) || Host(`b`))"] * 30), "EDGE-01"),
    "a rule nested without end": (f"IngressRoute {HOME}/odoo-public", "spec.routes[0].match", "(" * 5000 + "Host(`a`)" + ")" * 5000, "EDGE-01"),
    "a statement full of spaces": (f"Cluster {HOME}/postgresql", "spec.bootstrap.initdb.postInitSQL[0]", "REVOKE" + " " * 100_000, "DATA-03"),
    "a grant behind a line's end": (f"Cluster {HOME}/postgresql", "spec.bootstrap.initdb.postInitSQL[1]", "GRANT CONNECT ON DATABASE x TO\nevil", "DATA-03"),
    "a grant that is too long to be read": (f"Cluster {HOME}/postgresql", "spec.bootstrap.initdb.postInitSQL[1]", "SELECT 1;" * 5000, "DATA-03"),
    "a text that may be the start of an address": (f"ConfigMap {HOME}/redis", "data.x", "a" * 700_000, "SUP-05"),
    "actions that are opened and never closed": (f"ExternalSecret {HOME}/redis-user", "spec.target.template.data.url", "}}" + "{{" * 300_000, "DATA-09"),
    "a configuration full of faults": (f"ConfigMap {HOME}/pgbouncer", "data[pgbouncer.ini]", "[a]\n" + "x\n" * 300_000, "DATA-05"),
    "arguments of dashes": (f"Deployment {HOME}/odoo-web", "spec.template.spec.containers[0].args", ["-" * 700_000], "RUN-03"),
    "users of opened brackets": (f"ExternalSecret {HOME}/redis-acl", "spec.target.template.data[users.acl]", "user a " + "( " * 300_000, "DATA-06"),
    "twenty thousand ports": (
        f"Deployment {HOME}/odoo-web", "spec.template.spec.containers[0].ports", [{"containerPort": n % 65535 + 1} for n in range(20_000)], "V062",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_field_that_holds_an_unexpected_value_is_a_finding(case: str) -> None:
    name, path, value, told = CASES[case]
    _, objects = laboratory.example()
    (manifest,) = (m for m in objects[CLUSTER] if laboratory.called(m) == name)
    found = found_with({name: changed_at(manifest.value, path, value)})
    assert told in found, sorted(set(found))


ODD = st.one_of(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    st.sampled_from([
        "²", "٣", "²%", NINES, "9" * 400, "1e999", "-1s", "5m", "https://[", "host=[", "{{ .x }}", "* * * * *", "0 0 ² * * *", "Host(`a`)", "a=b",
        'host "" "" "" ""', "::/0", "10.0.0.0/8", "\x00", "/", "@", "=", " ", "a:1.2.3.4",
    ]),
    st.sampled_from([[], {}, [None], [[]], [{}], {"": None}, {"a": {"b": []}}, [{"name": []}], [{"name": 1}], {"name": {}}, {"matchLabels": []}]),
)  # fmt: skip
MUTATIONS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), ODD | st.just(GONE)), min_size=1, max_size=60
)


@settings(deadline=None, max_examples=40 * TIMES, suppress_health_check=list(HealthCheck))
@given(MUTATIONS)
def test_any_mutation_of_many_objects_is_judged_and_proved(mutations: list[tuple[int, int, Any]]) -> None:
    """Types changed and keys removed at random places of a cluster's objects, identities left alone."""
    _, objects = laboratory.example()
    changed: dict[str, Any] = {}
    for which, where, other in mutations:
        manifest = objects[CLUSTER][which % len(objects[CLUSTER])]
        name = laboratory.called(manifest)
        value = json.loads(json.dumps(changed.get(name, dict(manifest.value))))
        ways = [way for way in paths(value) if way[0] not in ("apiVersion", "kind") and way[1:2] != ("name",)]
        *way, last = ways[where % len(ways)]
        target = value
        for step in way:
            target = target[step]
        if other is GONE:
            del target[last]
        else:
            target[last] = other
        changed[name] = value
    found_with(changed)


INTERVALS = st.lists(st.tuples(st.sampled_from(ports.PROTOCOLS), st.integers(1, 40), st.integers(1, 40)), max_size=8)


@given(INTERVALS, INTERVALS)
def test_sets_of_ports_are_subtracted_as_sets(one: list[ports.Interval], other: list[ports.Interval]) -> None:
    def numbers(intervals: list[ports.Interval]) -> set[tuple[str, int]]:
        return {(protocol, n) for protocol, low, high in intervals for n in range(low, high + 1)}

    one, other = ([i for i in given if i[1] <= i[2]] for given in (one, other))
    left = ports.of(*one) - ports.of(*other)
    assert numbers(list(left.intervals)) == numbers(one) - numbers(other)
    assert left == ports.of(*left.intervals)
