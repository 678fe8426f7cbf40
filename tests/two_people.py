"""Two people work on two branches of a fleet, and merge: a seeded script. Run as a program: `make merges`.

Each round, both make a few changes on a branch of their own: tenants come, change and leave, and so do sizes of their
common tier. Then the branches meet: by a merge either way, a rebase and a cherry-pick. Each must end, without an edit of
a generated file, with the inputs of both and the trees that they give.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repositories import commit, git, unmerged

Edit = Callable[[Path], None]
GENERATED = ("base/", "overlays/", "rendered/")


@dataclass(frozen=True)
class Tool:
    """How the fleet's tool is called, and how its inputs are written."""

    run: Callable[..., int]
    """Runs tenantry with arguments in a fleet; returns its exit code."""
    tenant: Callable[[Path, str, int], None]
    sizes: tuple[str, ...]
    """Keys of the tier's file with a number, far enough apart to be merged by lines; the first half are one person's."""


@dataclass
class Outcome:
    """What was seen in all rounds."""

    merges: int = 0
    stopped: int = 0
    """Merges that git stopped; `tenantry resolve` finished each."""
    stale: int = 0
    """Merges that git finished, with trees that had to be rendered."""
    left_to_hands: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


OFFBOARDING = """\
  state: offboarding
  offboarding:
    deleteAfter: "2020-01-01"
    approver: Head of operations
    reason: Contract ended
"""
ERASED = """\
    step: erase
    erased:
      - {place: database, date: "2020-01-02", by: A}
      - {place: archive, date: "2020-01-02", by: A}
      - {place: dumps, date: "2020-01-02", by: A}
      - {place: attachments, date: "2020-01-02", by: A}
      - {place: redis, date: "2020-01-02", by: A}
      - {place: secrets, date: "2020-01-02", by: A}
      - {place: logs, date: "2020-01-02", by: A}
      - {place: metrics, date: "2020-01-02", by: A}
      - {place: velero, date: "2020-01-02", by: A}
"""
_MOST = 4
"""Tenants of one person: what both want must fit into the cell, or `check` rightly refuses the merge."""


@dataclass
class Person:
    """One person's part of a fleet: tenants and sizes that the other does not edit."""

    name: str
    sizes: tuple[str, ...]
    luck: random.Random
    tool: Tool
    tenants: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    to_erase: list[str] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    to_remove: list[str] = field(default_factory=list)
    made: int = 0

    def day(self, fleet: Path, removes: bool) -> None:
        """One to three changes, rendered and committed one by one.

        A tenant is erased if it was offboarding before the day, and removed if it was erased before the day, and only by the one who `removes`: at most one may
        leave in one change, and that is what both days together are.
        """
        self.to_erase, self.to_remove = self.leaving[:1], self.erased[:1] if removes else []
        for _ in range(self.luck.randint(1, 3)):
            what = self.luck.choice(
                [self._comes, self._comes, self._grows, self._leaves, self._is_erased, self._is_gone, self._resizes]
            )
            what(fleet)
            assert self.tool.run(fleet, "render") == 0, f"{self.name}: {what.__name__}"
            commit(fleet, f"{self.name}: {what.__name__}")

    def _comes(self, fleet: Path) -> None:
        if len(self.tenants) + len(self.leaving) + len(self.erased) >= _MOST:
            return
        self.made += 1
        self.tenants.append(f"{self.name}-{self.made}")
        self.tool.tenant(fleet, self.tenants[-1], self.luck.randint(6, 20))

    def _grows(self, fleet: Path) -> None:
        if self.tenants:
            self.tool.tenant(fleet, self.luck.choice(self.tenants), self.luck.randint(6, 20))

    def _leaves(self, fleet: Path) -> None:
        if self.tenants:
            name = self.tenants.pop(self.luck.randrange(len(self.tenants)))
            path = fleet / f"tenants/{name}.yaml"
            path.write_text(path.read_text().replace("  tier:", f"{OFFBOARDING}  tier:", 1))
            self.leaving.append(name)

    def _is_erased(self, fleet: Path) -> None:
        if self.to_erase:
            name = self.to_erase.pop()
            path = fleet / f"tenants/{name}.yaml"
            ends = "    reason: Contract ended\n"
            path.write_text(path.read_text().replace(ends, f"{ends}{ERASED}", 1))
            self.leaving.remove(name)
            self.erased.append(name)

    def _is_gone(self, fleet: Path) -> None:
        if self.to_remove:
            self.erased.remove(self.to_remove[0])
            (fleet / f"tenants/{self.to_remove.pop()}.yaml").unlink()

    def _resizes(self, fleet: Path) -> None:
        path, key = fleet / "tiers/shared.yaml", self.luck.choice(self.sizes)
        head, found, rest = path.read_text().partition(f"{key}: ")
        assert found, key
        digits = len(rest) - len(rest.lstrip("0123456789"))
        path.write_text(f"{head}{found}{int(rest[:digits]) + 1}{rest[digits:]}")


WAYS: Mapping[str, tuple[str, ...]] = {
    "merge": ("merge", "--no-edit", "{theirs}"),
    "merge the other way": ("merge", "--no-edit", "{theirs}"),
    "rebase": ("rebase", "{theirs}"),
    "cherry-pick": ("cherry-pick", "--allow-empty", "--keep-redundant-commits", "main..{theirs}"),
}
GO_ON = {
    "merge": ("commit", "--no-edit"),
    "rebase": ("rebase", "--continue"),
    "cherry-pick": ("-c", "core.editor=true", "cherry-pick", "--continue"),
}


def work(fleet: Path, tool: Tool, merges: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Rounds until there were that many merges. `fleet` is a repository on main, with the merge driver."""
    luck, outcome = random.Random(seed), Outcome()
    half = len(tool.sizes) // 2
    people = (Person("alice", tool.sizes[:half], luck, tool), Person("bob", tool.sizes[half:], luck, tool))
    while outcome.merges < merges:
        for number, person in enumerate(people):
            git(fleet, "switch", "--quiet", "--create", person.name, "main")
            person.day(fleet, removes=number == outcome.merges // len(WAYS) % 2)
        expected = _together(fleet)
        for way in WAYS:
            ours, theirs = ("bob", "alice") if way == "merge the other way" else ("alice", "bob")
            git(fleet, "switch", "--quiet", "--create", "meeting", ours)
            _meet(fleet, tool, way, theirs, outcome)
            _compare(fleet, way, expected, outcome)
            if way == "merge":
                git(fleet, "branch", "--force", "next", "meeting")
            git(fleet, "switch", "--quiet", "--detach", "main")
            git(fleet, "branch", "--quiet", "-D", "meeting")
        git(fleet, "branch", "--force", "main", "next")
        git(fleet, "switch", "--quiet", "main")
        git(fleet, "branch", "--quiet", "-D", *(person.name for person in people))
        say(f"{outcome.merges} merges, {outcome.stopped} stopped, {outcome.stale} rendered again")
    return outcome


def _together(fleet: Path) -> dict[str, str]:
    """Each input file as both want it: by construction, each file is one person's, but for the lines of the tier."""
    base, *sides = (
        {p: git(fleet, "show", f"{name}:{p}") for p in _inputs(fleet, name)} for name in ("main", "alice", "bob")
    )
    found = {}
    for path in sorted(base.keys() | sides[0].keys() | sides[1].keys()):
        before, one, two = base.get(path), sides[0].get(path), sides[1].get(path)
        if one is not None and two is not None and before is not None and one != before != two:
            lines = zip(before.splitlines(), one.splitlines(), two.splitlines(), strict=True)
            found[path] = "\n".join(a if a != old else b for old, a, b in lines)
        else:
            wanted = two if one == before else one
            if wanted is not None:
                found[path] = wanted
    return found


def _inputs(fleet: Path, revision: str) -> list[str]:
    return git(fleet, "ls-tree", "-r", "--name-only", revision, "tenants", "tiers", "platform", "policies").splitlines()


def _meet(fleet: Path, tool: Tool, way: str, theirs: str, outcome: Outcome) -> None:
    outcome.merges += 1
    verb = way.split()[0]
    git(fleet, *(part.format(theirs=theirs) for part in WAYS[way]), code=-1)
    while _is_stopped(fleet):
        outcome.stopped += 1
        left = [path for path in unmerged(fleet) if not path.startswith(GENERATED)]
        outcome.left_to_hands += [f"merge {outcome.merges} ({way}): {path}" for path in left]
        code = tool.run(fleet, "resolve")
        assert code == 0, f"merge {outcome.merges} ({way}): resolve ended with {code}"
        before = git(fleet, "rev-parse", "HEAD")
        git(fleet, *GO_ON[verb], code=-1)
        if _is_stopped(fleet) and not unmerged(fleet) and git(fleet, "rev-parse", "HEAD") == before:
            git(fleet, verb, "--skip", code=-1)  # the step changes nothing any more
    if tool.run(fleet, "check"):
        outcome.stale += 1
        assert tool.run(fleet, "render") == 0
        commit(fleet, "rendered")
        if tool.run(fleet, "check"):
            outcome.lost.append(f"merge {outcome.merges} ({way}): the trees")


def _is_stopped(fleet: Path) -> bool:
    return bool(unmerged(fleet)) or any(
        (fleet / ".git" / name).exists() for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge")
    )


def _compare(fleet: Path, way: str, expected: Mapping[str, str], outcome: Outcome) -> None:
    there = {path: git(fleet, "show", f"HEAD:{path}") for path in _inputs(fleet, "HEAD")}
    outcome.lost += [
        f"merge {outcome.merges} ({way}): {path}"
        for path in sorted(there.keys() | expected.keys())
        if there.get(path) != expected.get(path)
    ]
    if git(fleet, "status", "--porcelain"):
        outcome.lost.append(f"merge {outcome.merges} ({way}): files that are not committed")


def real_tool(proofs: bool) -> Tool:
    """tenantry itself, in this process. Without proofs a command takes a third of the time; the trees are the same."""
    from conftest import add_tenant
    from tenantry.cli.main import main as tenantry
    from tenantry.prove.cache import Proofs

    if not proofs:
        Proofs.needs = lambda *_: False  # type: ignore[method-assign]
        Proofs.findings = lambda *_: []  # type: ignore[method-assign]

    def run(fleet: Path, *arguments: str) -> int:
        sys.argv = ["tenantry", *arguments, "--quiet", "-C", str(fleet)]
        out = io.TextIOWrapper(io.BytesIO())
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                tenantry()
        except SystemExit as end:
            if end.code and arguments[0] != "check":
                out.seek(0)
                print(out.read(), file=sys.stderr)
            return int(end.code or 0)

    def tenant(fleet: Path, name: str, users: int) -> None:
        add_tenant(fleet, name, "shared", "euw1-shared-a", users=users)

    return Tool(run, tenant, ("inFlight", "requestBaseMiB", "firstAnswerMinutes", "requestBaseMillicores"))


def main(merges: int, seed: int, proofs: bool) -> None:
    """The script on a real fleet; ends with 1 if anything was left to a person, or lost."""
    from tenantry.commands import scaffold

    with tempfile.TemporaryDirectory(prefix="two-people-") as folder:
        fleet, tool = Path(folder) / "fleet", real_tool(proofs)
        scaffold.new_fleet(fleet)
        tool.tenant(fleet, "acme", 24)
        assert tool.run(fleet, "render") == 0
        git(fleet, "init", "--quiet", "--initial-branch=main")
        commit(fleet, "first")
        assert tool.run(fleet, "merge-driver", "--install") == 0
        outcome = work(fleet, tool, merges, seed, lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{outcome.merges} merges (seed {seed}): {outcome.stopped} stops resolved, {outcome.stale} rendered again,")
    print(f"{len(outcome.left_to_hands)} conflicts left to hands, {len(outcome.lost)} losses")
    print(*outcome.left_to_hands, *outcome.lost, sep="\n")
    sys.exit(bool(outcome.left_to_hands or outcome.lost))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "--no-proofs" not in sys.argv)
