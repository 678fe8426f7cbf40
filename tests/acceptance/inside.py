"""The first process of the run's namespaces: furnishes them and runs the chosen parts by pytest."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from acceptance.harness import fleet, namespaces, programs
from acceptance.plugin import Plugin
from acceptance.registry import chosen

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    place = namespaces.furnish(programs.cache().parent, fleet.REPOSITORY)
    home, temporary = place / "home", place / "tmp"
    home.mkdir()
    temporary.mkdir()
    os.environ.update(
        HOME=str(home), XDG_CACHE_HOME=str(place / "cache"), TMPDIR=str(temporary), PYTHONDONTWRITEBYTECODE="1"
    )
    parts = chosen(names)
    modules = [str(HERE / "parts" / part.module) for part in parts]
    options = ["-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), "-p", "no:cacheprovider", *modules]
    return int(pytest.main(options, plugins=[Plugin(parts)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
