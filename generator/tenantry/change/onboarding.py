"""Customers of other systems -> the tier and cell of each with reasons, and the waves in which they come over."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tenantry.core.findings import UsageError
from tenantry.inputs.fleet import Fleet
from tenantry.model.common import Window
from tenantry.model.tier import Tier

COLUMNS = (
    "name", "displayName", "users", "dataSensitivity", "customization", "integration", "availability", "obligations", "databaseGiB",
)  # fmt: skip
"""Columns of the table; obligations are separated by spaces."""
_WORK = {"none": 0, "low": 1, "moderate": 2, "heavy": 3}
_TOGETHER = 5
"""Customers of one wave: as many as a team can watch in a night."""
_FIXED_MINUTES = 20
"""For each customer beside the copy: freeze, compare, switch, look."""
_SHARE_OF_WINDOW = 0.7
"""What is left of a window is for going back."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One row of the table."""

    name: str
    display_name: str
    users: int
    data_sensitivity: str
    customization: str
    integration: str
    availability: str
    obligations: tuple[str, ...]
    database_gib: float

    @property
    def complexity(self) -> int:
        """What a move takes, as points: own code counts double, then integrations, size and availability."""
        size = (self.users > 100) + (self.database_gib > 50)
        work = _WORK.get(self.customization, 3) * 2 + _WORK.get(self.integration, 3)
        return work + size + (self.availability != "standard")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where a customer belongs, and why; without a tier, why there is none."""

    customer: Customer
    tier: str
    reasons: tuple[str, ...]
    minutes: int
    """How long nobody can work while data is copied, estimated from the rate of the last restore drill."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Customers who come over in one window."""

    number: int
    customers: tuple[str, ...]
    minutes: int


def read_customers(text: str) -> list[Customer]:
    """The rows of a CSV table. Raises UsageError, with the line, for what is missing, twice or no number."""
    reader = csv.DictReader(io.StringIO(text))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"the table lacks the columns {', '.join(missing)}", f"its first line is {','.join(COLUMNS)}")
    customers: dict[str, Customer] = {}
    for row in reader:
        customer = _customer(row, reader.line_num)
        if customer.name in customers:
            raise UsageError(
                f"line {reader.line_num}: '{customer.name}' is in the table twice", "give each its own name"
            )
        customers[customer.name] = customer
    if not customers:
        raise UsageError("the table has no rows", "write a line for each customer")
    return list(customers.values())


def _customer(row: dict[str, str | None], line: int) -> Customer:
    given = {key: (row.get(key) or "").strip() for key in COLUMNS}
    empty = [key for key in COLUMNS if not given[key] and key != "obligations"]
    if empty:
        raise UsageError(f"line {line}: {', '.join(empty)} is empty", "each customer needs a value in each column")
    return Customer(
        given["name"], given["displayName"], int(_number(given["users"], "users", line)), given["dataSensitivity"],
        given["customization"], given["integration"], given["availability"], tuple(given["obligations"].split()),
        _number(given["databaseGiB"], "databaseGiB", line),
    )  # fmt: skip


def _number(value: str, column: str, line: int) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", value):
        raise UsageError(f"line {line}: {column} is '{value}', which is not a number", "write digits")
    return float(value)


def propose(fleet: Fleet, customer: Customer) -> Proposal:
    """The least expensive tier that may hold the customer, and why the cheaper ones may not."""
    minutes = round(customer.database_gib / fleet.platform.recovery.restore_gib_per_hour * 60) + _FIXED_MINUTES
    reasons: list[str] = []
    for tier in sorted(fleet.all(Tier).values(), key=lambda tier: tier.cost.max_euro):
        against = list(_against(tier, customer))
        if not against:
            return Proposal(customer, tier.name, tuple(reasons), minutes)
        reasons.append(f"not {tier.name}: {', '.join(against)}")
    return Proposal(customer, "", tuple(reasons), minutes)


def _against(tier: Tier, customer: Customer) -> Iterator[str]:
    allowed = tier.classification
    for value, known, what in (
        (customer.data_sensitivity, allowed.data_sensitivity, "data"),
        (customer.customization, allowed.customization, "customization"),
        (customer.integration, allowed.integration, "integration"),
        (customer.availability, allowed.availability, "availability"),
    ):
        if value not in known:
            yield f"{what} '{value}'"
    yield from (f"obligation '{one}'" for one in customer.obligations if one not in allowed.obligations)
    if not tier.users.min <= customer.users <= tier.users.max:
        yield f"{customer.users} users (it is for {tier.users.min} to {tier.users.max})"


def waves(proposals: Sequence[Proposal], window_of: Callable[[Proposal], Window]) -> tuple[Wave, ...]:
    """The simplest first; as many in one wave as a window has room for, one after the other."""
    found: list[Wave] = []
    members: list[str] = []
    used = 0
    for proposal in sorted(proposals, key=lambda p: (p.customer.complexity, p.minutes, p.customer.name)):
        room = window_of(proposal).hours * 60 * _SHARE_OF_WINDOW
        if members and (used + proposal.minutes > room or len(members) == _TOGETHER):
            found.append(Wave(len(found) + 1, tuple(members), used))
            members, used = [], 0
        members.append(proposal.customer.name)
        used += proposal.minutes
    if members:
        found.append(Wave(len(found) + 1, tuple(members), used))
    return tuple(found)
