"""IAM-10: whoever uses a credential or a certificate follows when it is replaced, and until then the old one works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tenantry.core.manifest import Path, dig, mapping, text
from tenantry.prove.cluster_state import Breach, State, breach
from tenantry.prove.promises import Home
from tenantry.prove.redis import HASH, parse
from tenantry.prove.registration import proof
from tenantry.prove.rotation.generations import generations
from tenantry.prove.rotation.sources import EXTERNAL, SecretSource, sources
from tenantry.prove.rotation.uses import uses

CONTROL = "IAM-10"
_HINT = "see docs/how-to/rotate-a-credential.md"


@proof(CONTROL)
def following(state: State) -> Iterator[Breach]:
    """IAM-10: uses, and what the Secrets are made of."""
    made = sources(state)
    for use in uses(state):
        if use.way == "never" and (use.manifest.identity.namespace, use.secret) in made:
            home = state.home(use.manifest)
            message = f"{use.who} keeps the old content of the Secret '{use.secret}': {use.how}"
            yield breach(use.manifest, CONTROL, use.path, message, _HINT, tenant=home.tenant if home else None)
    for source in made.values():
        if source.frozen and state.home(source.manifest):
            message = f"the Secret '{source.secret}' keeps its content whatever the store holds: {source.frozen}"
            yield breach(source.manifest, CONTROL, ("spec",), message, "refreshInterval: 1h0m0s")
    yield from _together(state)
    for home in state.homes_at("instance"):
        yield from _generations(state, home)
        yield from _accepted(state, home)


def _together(state: State) -> Iterator[Breach]:
    """A value that a server checks, or one that is read when Pods start, is not read at some time within the hour. Keys of
    storage are none of these: old and new work at once, where they were issued."""
    there = {key: source for key, source in sources(state).items() if state.home(source.manifest)}
    at_start = {(use.manifest.identity.namespace, use.secret) for use in uses(state) if use.way == "new Pods"}
    checked = _checked(state, there)
    for key, source in there.items():
        pair = next((asked for asked in source.asked.values() if asked in checked), None)
        if not source.by_itself or source.manifest.kind != EXTERNAL or (pair is None and key not in at_start):
            continue
        path: Path = ("spec", "refreshPolicy")
        message = f"the Secret '{source.secret}' follows the store at some time within its interval, and its Pods when they start"
        if pair is not None:
            message = f"'{pair[0]}' is read by a server and by its clients, by each at some time of its own: one would refuse what the other sends"
        yield breach(source.manifest, CONTROL, path, message, "refreshPolicy: OnChange")


def _checked(state: State, there: Mapping[tuple[str, str], SecretSource]) -> set[tuple[str, str]]:
    """What a server in these namespaces checks, and somebody else reads, too."""
    servers = {
        (use.manifest.identity.namespace, use.secret)
        for use in uses(state)
        if use.manifest.identity.kind == "DatabaseRole"
    }
    readers: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for key, source in there.items():
        for asked in source.asked.values():
            readers[asked].add(key)
    return {
        asked
        for asked, found in readers.items()
        if len(found) > 1 and any(key in servers or key[1] == "redis-acl" for key in found)
    }


def _generations(state: State, home: Home) -> Iterator[Breach]:
    """Each key holds the generation by which it is called."""
    assert home.instance is not None
    for (secret, key), wanted in generations(home.instance).items():
        source = sources(state).get((home.namespace, secret))
        if source is None:
            continue
        found = {name for _, name in source.properties(key)}
        if found != {wanted.property}:
            message = f"'{key}' of the Secret '{secret}' is made of {_shown(found)}; by {wanted.field} it is {wanted.property}"
            yield breach(
                source.manifest, CONTROL, ("spec", "data"), message, "run 'tenantry render'", tenant=home.tenant
            )


def _accepted(state: State, home: Home) -> Iterator[Breach]:
    """Redis accepts each password that Pods of the instance have, or are about to have."""
    instance = home.instance
    assert instance is not None
    server = home.namespace if home.own_redis else next(
        (h.namespace for h in state.homes_at("cell") if instance.name in {m.name for m in h.members}), ""
    )  # fmt: skip
    acl, mine = sources(state).get((server, "redis-acl")), sources(state).get((home.namespace, "redis-user"))
    if acl is None or mine is None:
        return
    sent = {
        pair
        for key, wanted in generations(instance).items()
        if key[0] == "redis-user"
        for pair in mine.properties(key[1])
    }
    lost = sent - _known(acl, instance.names.redis_user)
    if lost:
        message = f"Redis does not accept {_shown({name for _, name in lost})} of {home}, which its Pods may have"
        path: Path = ("spec", "target", "template", "data", "users.acl")
        yield breach(acl.manifest, CONTROL, path, message, "run 'tenantry render'", tenant=home.tenant)


def _known(acl: SecretSource, name: str) -> frozenset[tuple[str, str]]:
    content = text(mapping(dig(acl.manifest.spec, "target", "template", "data")).get("users.acl"))
    users = [user for line in content.splitlines() if (user := parse(line)) is not None and user.name == name]
    variables = {found[1] for user in users for word in user.passwords if (found := HASH.fullmatch(word))}
    return frozenset(pair for variable, pair in acl.asked.items() if variable in variables)


def _shown(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
