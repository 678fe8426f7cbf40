"""`make golden`: regenerate expect.txt in every folder of tests/bad. Never run by CI; a person reviews the diff."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from test_inputs import CASES, answer

if os.environ.get("CI"):
    sys.exit("expectations are not rewritten in CI")
for case in CASES:
    with tempfile.TemporaryDirectory() as folder:
        (case / "expect.txt").write_text(answer(case, Path(folder) / "fleet"))
