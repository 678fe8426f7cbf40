"""Two people on two branches merge again and again: no conflict in generated trees is left to them, and nothing is lost.

With a renderer of a few lines, since what is tested is what git and tenantry do with the trees. `make merges` does the
same 200 times with the real one. MERGES=200 makes this test as long.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import fake_renderer
from repositories import git, start
from tenantry.cli.main import main
from two_people import Tool, work

MERGES = int(os.environ.get("MERGES", "24"))


@pytest.mark.parametrize("driver", [True, False])
def test_all_merges_end_without_a_conflict_left_to_a_person(
    driver: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for module, name in fake_renderer.REPLACED:
        monkeypatch.setattr(module, name, getattr(fake_renderer, name))
    fleet = tmp_path / "fleet"
    fake_renderer.fleet(fleet, "acme")
    start(fleet)

    def run(_: Path, *arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["tenantry", *arguments, "-C", str(fleet)])
        with pytest.raises(SystemExit) as end:
            main()
        capfd.readouterr()
        return int(end.value.code or 0)

    if driver:
        run(fleet, "merge-driver", "--install")
        (fleet / ".git/info/attributes").write_text("rendered/** merge=tenantry\ntenants/** merge=tenantry\n")
    tool = Tool(run, fake_renderer.tenant, ("size0", "size2", "size5", "size7"))
    outcome = work(fleet, tool, merges=MERGES, seed=1)
    assert outcome.left_to_hands == []
    assert outcome.lost == []
    assert outcome.merges >= MERGES
    assert outcome.stopped > 0 or driver
    assert outcome.stale > 0
    assert git(fleet, "rev-list", "--count", "--merges", "main") != "0"
