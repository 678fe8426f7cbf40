"""`python -m tenantry`, which finds this package first; the command `tenantry` never looks into the working folder."""

import sys
from pathlib import Path

# Python puts the working folder first in its search path here; a fleet could hold a `click.py`.
sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path.cwd()]

from tenantry.cli.main import main  # noqa: E402

main()
