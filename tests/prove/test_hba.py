"""pg_hba.conf is read as PostgreSQL reads it: the first line that matches decides, and what can't be read is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.prove.hba import APPENDED, Role, UnreadableLineError, access, parse

ACME = Role("acme_production", frozenset({"tenants"}))
OTHER = Role("reporting")


def lets_in(text: str, role: Role = ACME, database: str = "acme_production", *, tls: bool = True) -> bool:
    """Whether the lines, with the one that the operator appends left out, let the role into the database."""
    lines = [parse(line, number) for number, line in enumerate(text.strip().splitlines())]
    return access(lines, role, database, tls=tls).allowed


def test_a_record_is_read_into_its_fields() -> None:
    line = parse(
        "hostssl acme,globex +tenants,reporting 10.0.0.0/8 scram-sha-256 clientcert=verify-full # offices, VPN", 3
    )
    assert line.type == "hostssl"
    assert line.databases == ("acme", "globex")
    assert line.users == ("+tenants", "reporting")
    assert (line.address, line.method, line.number) == ("10.0.0.0/8", "scram-sha-256", 3)


def test_an_address_with_a_mask_of_its_own_is_one_range() -> None:
    assert parse("host all all 10.0.0.0 255.0.0.0 reject", 0).address == "10.0.0.0/255.0.0.0"
    assert parse("host all all 2001:db8:: ffff:ffff:: reject", 0).method == "reject"


def test_a_local_record_has_no_address() -> None:
    line = parse("local all postgres peer", 0)
    assert (line.address, line.method) == ("", "peer")


@pytest.mark.parametrize(
    "text",
    [
        "", "# a comment alone", "include other.conf", "hostsll all all all reject", "host all all", "host all all all",
        "host @databases all all reject", "host all @users all reject", "host acme,@databases all all reject", "host all acme,/^a all reject", "host all /^acme all reject", "host ${DATABASE} all all reject",
        'host "all" all all reject', "host 'all' all all reject", "host \\all all all reject", 'host all all all "reject',
        "hostssl sameuser +tenants all scram-sha-256\nhost all all all trust",
        "hostssl sameuser +tenants all scram-sha-256 # one line\rhost all all all trust",
        "host acme, globex all all reject", "host acme ,globex all all reject", "host all acme, globex all reject", "host all acme ,globex all reject",
    ],
)  # fmt: skip
def test_what_postgresql_may_read_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(UnreadableLineError):
        parse(text, 0)


def test_the_line_that_the_operator_appends_can_be_read() -> None:
    line = parse(APPENDED, -1)
    assert access([line], OTHER, "anything", tls=False).line is line


def test_nobody_gets_in_where_no_line_matches() -> None:
    assert not access([], ACME, "acme_production", tls=True).allowed
    assert not lets_in("host globex_production all all scram-sha-256")
    assert not lets_in("host all reporting all scram-sha-256")


def test_the_first_line_that_matches_decides() -> None:
    reject, let_in = "host all +tenants all reject", "hostssl sameuser +tenants all scram-sha-256"
    assert lets_in(f"{let_in}\n{reject}")
    assert not lets_in(f"{reject}\n{let_in}")
    lines = [parse(let_in, 0), parse(reject, 1)]
    assert access(lines, ACME, "globex_production", tls=True).line is lines[1]


def test_sameuser_is_the_database_of_the_roles_own_name() -> None:
    text = "host sameuser all all scram-sha-256"
    assert lets_in(text)
    assert not lets_in(text, database="globex_production")


@pytest.mark.parametrize("word", ["samerole", "samegroup"])
def test_samerole_is_a_database_called_like_a_group_of_the_role_or_like_itself(word: str) -> None:
    text = f"host {word} all all scram-sha-256"
    assert lets_in(text, database="tenants")
    assert lets_in(text, database="acme_production")
    assert not lets_in(text, database="postgres")


def test_a_plus_stands_for_the_members_of_a_group() -> None:
    text = "host all +tenants all scram-sha-256"
    assert lets_in(text)
    assert lets_in(text, Role("tenants"))
    assert not lets_in(text, OTHER)
    assert not lets_in("host all tenants all scram-sha-256")


@pytest.mark.parametrize(
    ("kind", "with_tls", "without"),
    [
        ("host", True, True), ("hostssl", True, False), ("hostnossl", False, True), ("hostgssenc", False, True),
        ("hostnogssenc", True, True), ("local", False, False),
    ],
)  # fmt: skip
def test_a_record_is_for_its_kind_of_connection(kind: str, with_tls: bool, without: bool) -> None:
    text = f"{kind} all all {'' if kind == 'local' else 'all'} scram-sha-256"
    assert lets_in(text, tls=True) is with_tls
    assert lets_in(text, tls=False) is without


@pytest.mark.parametrize("line", ["host all all 10.0.0.0/8 reject", "host all all samenet reject"])
def test_a_rejection_of_some_addresses_keeps_nobody_out(line: str) -> None:
    """The same role comes from another address."""
    assert lets_in(f"{line}\nhost all all all scram-sha-256")


@pytest.mark.parametrize("kind", ["hostgssenc", "hostnogssenc"])
def test_a_rejection_with_or_without_gssapi_alone_keeps_nobody_out_who_comes_without_tls(kind: str) -> None:
    assert lets_in(f"{kind} all all all reject\nhost all all all scram-sha-256", tls=False)


def test_a_rejection_without_tls_leaves_the_way_with_tls_open() -> None:
    text = "hostnossl all all all reject\nhost all all all scram-sha-256"
    assert not lets_in(text, tls=False)
    assert lets_in(text, tls=True)


def test_all_databases_are_not_replication_and_replication_is_no_database() -> None:
    everything, copies = parse("host all all all scram-sha-256", 0), parse("host replication all all scram-sha-256", 1)
    assert not access([everything], ACME, "", tls=True, replication=True).allowed
    assert access([everything, copies], ACME, "", tls=True, replication=True).line is copies
    assert not access([copies], ACME, "acme_production", tls=True).allowed


_NAMES = st.sampled_from(["all", "sameuser", "samerole", "replication", "acme_production", "globex_production"])
_USERS = st.sampled_from(["all", "acme_production", "+tenants", "+staff", "globex_production"])
_LINES = st.builds(
    lambda kind, database, user, address, method: f"{kind} {database} {user} {address} {method}",
    st.sampled_from(["host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"]),
    _NAMES, _USERS, st.sampled_from(["all", "10.0.0.0/8", "samenet"]), st.sampled_from(["reject", "scram-sha-256", "trust"]),
)  # fmt: skip


@given(st.lists(_LINES, max_size=5), _LINES, st.booleans())
def test_a_line_more_at_the_end_changes_no_answer_that_was_given_before(lines: list[str], more: str, tls: bool) -> None:
    before = access([parse(line, 0) for line in lines], ACME, "acme_production", tls=tls)
    after = access([parse(line, 0) for line in [*lines, more]], ACME, "acme_production", tls=tls)
    assert before.line is None or after == before


@given(st.lists(_LINES, max_size=5), st.booleans())
def test_behind_a_rejection_of_everything_no_line_lets_in(lines: list[str], tls: bool) -> None:
    read = [parse(line, 0) for line in ["host all all all reject", *lines]]
    assert not access(read, ACME, "acme_production", tls=tls).allowed
