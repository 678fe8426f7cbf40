"""Rules and paths of the edge: what the proofs read is what Traefik and Go's regular expressions do."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controls.laboratory import example
from mutation import TIMES
from stock import build_beside
from tenantry.engine.kustomize import Engine
from tenantry.engine.languages import Expressions, Junction, Matcher, Paths, Refusal, Rule, Walk
from tenantry.prove import readings
from tenantry.prove.cluster_state import State
from tenantry.prove.edge import routes
from tenantry.prove.edge.routes import CLASSES, Route
from tenantry.prove.edge.rules import UnreadableRuleError, alternatives
from tenantry.render.contexts import PATHS
from tenantry.verify.index import Index

HOSTS = ["a.example", "b.example", "c.example"]
CLIENTS = ["10.0.0.1", "10.1.0.1", "192.0.2.7"]
AGENTS = ["one", "two words", ""]
LETTERS = "abW/ -_.~\n\té"
"""What a path may hold without being encoded once more; `/` is often wanted."""


@dataclass(frozen=True)
class Request:
    """As the program in tests/prove/edge/traefik takes it."""

    host: str
    path: str
    method: str = "GET"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    client: str = "10.0.0.1"


def traefik(cases: Sequence[tuple[Sequence[tuple[str, int]], Sequence[Request]]]) -> list[dict[str, Any]]:
    """What Traefik's router says of (rules with priorities, requests): refused, takes, winners."""
    lines = [
        json.dumps({
            "rules": [{"text": text, "priority": priority} for text, priority in rules],
            "requests": [vars(request) for request in requests],
        })
        for rules, requests in cases
    ]  # fmt: skip
    program = build_beside("prove/edge/traefik")
    done = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, timeout=600, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def some_path(random: Random, words: Sequence[str] = ("a", "b", "a b", "W")) -> str:
    if random.random() < 0.3:
        return "/" + "".join(random.choice(LETTERS) for _ in range(random.randint(0, 5)))
    return "".join("/" * random.choice([1, 1, 1, 2]) + random.choice(words) for _ in range(random.randint(1, 3)))


def some_request(random: Random) -> Request:
    headers = {"User-Agent": random.choice(AGENTS)} if random.random() < 0.7 else {}
    query = random.choice(["", "q=1", "q=2&q=1", "q"])
    return Request(
        random.choice(HOSTS), some_path(random), random.choice(["GET", "POST"]), query, headers, random.choice(CLIENTS)
    )


EXPRESSIONS = [
    "^/a",
    "b$",
    "(?i)^/A",
    "a|b",
    "/[^/]+/",
    "^/(?:a|b)*$",
    r"\bW\b",
    ".",
    "^/.*é",
    "",
    "(",
    "(?=a)",
    r"\pL",
]


def some_call(random: Random) -> str:
    name, arguments = random.choice([
        ("Host", [random.choice([*HOSTS, "A.Example", "*.example", "ä"])]), ("HostRegexp", [random.choice(["^a", "^[ab]\\.", "("])]),
        ("Path", [some_path(random)]), ("PathPrefix", [some_path(random)]), ("PathRegexp", [random.choice(EXPRESSIONS)]),
        ("Method", [random.choice(["GET", "post"])]), ("ClientIP", [random.choice(["10.0.0.0/16", "192.0.2.7", "10.0"])]),
        ("Header", ["user-agent", random.choice(AGENTS)]), ("HeaderRegexp", ["User-Agent", random.choice(["^o", "w", "("])]),
        ("Query", random.choice([["q"], ["q", "1"], ["("]])), ("QueryRegexp", random.choice([["q", "^1"], ["q", "("], ["("]])),
        ("Path", ["a"]), ("Host", ["a.example", "b.example"]), ("Host", []), ("Hots", ["a.example"]),
    ])  # fmt: skip
    spelled = random.choice([name, name, name, name.lower(), name.upper(), name.capitalize(), name.swapcase()])
    quoted = [json.dumps(a) if random.random() < 0.3 or "\n" in a else f"`{a}`" for a in arguments]
    return f"{spelled}({', '.join(quoted)})"


def some_rule(random: Random, depth: int) -> str:
    if depth == 0 or random.random() < 0.2:
        return some_call(random)
    choice = random.random()
    if choice < 0.2:
        return f"!{some_rule(random, 0)}" if random.random() < 0.5 else f"!({some_rule(random, depth - 1)})"
    parts = [some_rule(random, depth - 1) for _ in range(random.choice([2, 2, 3]))]
    text = random.choice([" && ", " || ", "&&", " ||\n "]).join(parts)
    return f"({text})" if random.random() < 0.4 else text


def holds(rule: Rule, request: Request, paths: Paths) -> bool:
    """Whether a rule takes a request, by the tree that the engine gives."""
    if isinstance(rule, Junction):
        return (all if rule.every else any)(holds(part, request, paths) for part in rule.parts)
    return matches(rule, request, paths) != rule.negated


def matches(matcher: Matcher, request: Request, paths: Paths) -> bool:
    first, *rest = matcher.arguments
    agent = request.headers.get("User-Agent")
    values = [
        v for k, _, v in (part.partition("=") for part in request.query.split("&")) if k == first and request.query
    ]
    match matcher.name:
        case "Host":
            return request.host == first.lower() or first == "*.example"
        case "HostRegexp":
            return paths.matches[first, request.host]
        case "Path" | "PathPrefix" | "PathRegexp":
            return paths.matches[matcher.path, request.path]
        case "Method":
            return request.method == first.upper()
        case "ClientIP":
            return ipaddress.ip_address(request.client) in ipaddress.ip_network(first)
        case "Header":
            return agent == rest[0]
        case "HeaderRegexp":
            return agent is not None and paths.matches[rest[0], agent]
        case "Query":
            return (rest[0] if rest else "") in values
        case "QueryRegexp" if rest:
            return any(paths.matches[rest[0], value] for value in values)
    assert matcher.name == "QueryRegexp"
    return "" in values


def leaves(rule: Rule) -> Iterator[Matcher]:
    if isinstance(rule, Matcher):
        yield rule
    else:
        for part in rule.parts:
            yield from leaves(part)


def test_a_rules_tree_takes_the_requests_that_traefik_takes(parser: Engine) -> None:
    random = Random(1)
    cases = [
        ([(some_rule(random, random.randint(0, 3)), 1) for _ in range(4)], [some_request(random) for _ in range(12)])
        for _ in range(400 * TIMES)
    ]
    read = parser.rules({text: None for rules, _ in cases for text, _ in rules})
    found = [leaf for rule in read.values() if not isinstance(rule, Refusal) for leaf in leaves(rule)]
    texts = {
        t: None for _, requests in cases for r in requests for t in (r.host, r.path, *r.headers.values(), "1", "2")
    }
    paths = parser.paths([e for leaf in found for e in (leaf.path, leaf.arguments[-1])], {**texts, "": None}, ())
    said = []
    for (rules, requests), theirs in zip(cases, traefik(cases), strict=True):
        for (text, _), refused, takes in zip(rules, theirs["refused"], theirs["takes"], strict=True):
            rule = read[text]
            assert isinstance(rule, Refusal) == refused, (text, rule)
            if isinstance(rule, Refusal):
                assert rule.kind == "syntax"
                continue
            ours = [holds(rule, request, paths) for request in requests]
            assert ours == takes, (text, [(r, t) for r, o, t in zip(requests, ours, takes, strict=True) if o != t])
            flat = [any(all(holds(m, r, paths) for m in way) for way in alternatives(rule)) for r in requests]
            assert flat == takes, text
            said += takes
    assert len(said) > 5000
    assert len(said) // 10 < sum(said) < len(said) * 9 // 10, "both answers are common"


@pytest.mark.parametrize("text", [
    " && ".join(f"(Path(`/{n}`) || Path(`/x`))" for n in range(40)),
    "!(" + " || ".join(f"(Path(`/{n}`) && Path(`/x`))" for n in range(40)) + ")",
    " || ".join(f"Path(`/{n}`)" for n in range(300)),
])  # fmt: skip
def test_a_rule_with_countless_alternatives_is_reported_at_once(parser: Engine, text: str) -> None:
    rule = parser.rules([text])[text]
    assert not isinstance(rule, Refusal)
    with pytest.raises(UnreadableRuleError, match="more than 256 alternatives"):
        alternatives(rule)


def test_a_rule_that_is_nested_too_deep_is_refused(parser: Engine) -> None:
    text = "Path(`/a`)"
    for _ in range(400):
        text = f"Path(`/a`) || (Path(`/b`) && ({text}))"
    refusal = parser.rules([text])[text]
    assert isinstance(refusal, Refusal)
    assert (refusal.kind, "nested deeper" in refusal.message) == ("large", True)


WORDS = [*"ab", "web", "database", "manager", "login", "xmlrpc", "2", "db", "object", "jsonrpc", "json", "doc", "websocket", "health",
         "metrics", "fr", "WEB", "Database", "become", "session", "authenticate", "website", "info", "odoo", "web\n", "é"]  # fmt: skip
SEGMENTS = st.lists(st.tuples(st.sampled_from(["/", "/", "//"]), st.sampled_from(WORDS)), max_size=5)
ANY_PATH = st.one_of(
    SEGMENTS.map(lambda parts: "/" + "".join(slash + word for slash, word in parts).removeprefix("/")),
    st.text(max_size=12).map(lambda text: f"/{text}"),
)
ATOMS = [
    "a",
    "b",
    "/",
    ".",
    "[^/]",
    "[a-c]",
    "^",
    "$",
    r"\b",
    r"\B",
    "(?i:w)",
    r"\w",
    r"\s",
    "é",
    "(?s:.)",
    "",
    r"\A",
    r"\z",
]
EXPRESSION = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "*?"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
    ),
    max_leaves=7,
)  # fmt: skip
RELAXED = settings(deadline=None, max_examples=80 * TIMES, suppress_health_check=[HealthCheck.function_scoped_fixture])


def walked(parser: Engine, group: Expressions, texts: Sequence[str]) -> tuple[Walk, Paths]:
    paths = parser.paths((), dict.fromkeys(texts), [group])
    return paths.walks[group], paths


def held(parser: Engine, group: Expressions, texts: Sequence[str]) -> None:
    """Each way is that of its path, and each path has its way, no longer than itself."""
    walk, _ = walked(parser, group, ())
    assert not isinstance(walk, Refusal), walk
    examples = [example for _, example in walk]
    _, paths = walked(parser, group, [*texts, *examples])
    vector = lambda text: tuple(paths.matches[expression, text] for expression in group)  # noqa: E731
    shortest = dict(walk)
    assert len(shortest) == len(walk)
    assert [vector(example) for example in examples] == [matched for matched, _ in walk]
    for text in texts:
        assert len(shortest[vector(text)]) <= len(text), text


@RELAXED
@given(st.lists(EXPRESSION, min_size=1, max_size=4, unique=True), st.lists(ANY_PATH, max_size=20))
def test_a_walk_has_the_way_of_any_path_through_any_expressions(
    parser: Engine, group: list[str], texts: list[str]
) -> None:
    held(parser, tuple(group), texts)


@RELAXED
@given(st.lists(ANY_PATH, min_size=1, max_size=60))
def test_a_walk_has_the_way_of_any_path_through_the_edge(parser: Engine, texts: list[str]) -> None:
    held(parser, (*CLASSES.values(), *PATHS.values()), texts)


def test_too_many_expressions_are_reported(parser: Engine) -> None:
    walk, _ = walked(parser, ("(a|b)*a(a|b){20}$",), ())
    assert isinstance(walk, Refusal)
    assert walk.kind == "large"


@pytest.fixture(scope="module")
def state(parser: Engine) -> State:
    """A cluster of the example fleet, read."""
    known, objects = example()
    states: dict[str, State] = {}
    for name, manifests in objects.items():
        states[name] = State(known, known.clusters[name], Index(manifests), name, states)
    readings.read(parser, states)
    return states["euw1-a"]


def test_each_path_of_the_example_fleet_goes_where_traefik_sends_it(parser: Engine, state: State) -> None:
    """At each host and entry point, the rule that wins is among those that the proofs look at."""
    random = Random(2)
    places: list[tuple[list[Route], list[Request]]] = []
    for home in state.homes_at("instance"):
        for host, _, there in routes.meetings(state, home):
            places.append((there, [Request(host, some_path(random, WORDS)) for _ in range(30 * TIMES)]))
    assert len(places) > 20
    texts = {request.path: None for _, requests in places for request in requests}
    paths = parser.paths(routes.patterns(state), texts, [routes.expressions(there) for there, _ in places])
    cases = [([(str(route.value["match"]), route.priority) for route in there], requests) for there, requests in places]
    winners = set()
    for (there, requests), said in zip(places, traefik(cases), strict=True):
        for request, winner in zip(requests, said["winners"], strict=True):
            group = routes.expressions(there)
            vector = tuple(paths.matches[expression, request.path] for expression in group)
            assert vector in dict(paths.walks[group]), request  # type: ignore[arg-type]
            ours = [way.route for way in routes.ways(there, [(vector, request.path)])]
            rules = {route.value["match"] for route in ours}
            taken = there[winner].value["match"] if winner >= 0 else None
            assert taken in rules if rules else taken is None, (request, taken, rules)
            if ours and ours[0].certain:
                assert taken == ours[0].value["match"]
            winners.add(ours[0].manifest.identity.name if ours else "")
    assert winners >= {"", "odoo-public", "odoo-websocket", "odoo-redirect"}
