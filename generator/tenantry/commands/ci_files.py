"""Files by which CI systems, pre-commit and reviewers check a fleet; `tenantry init` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from tenantry import __version__

_FILES = {
    ".github/workflows/tenantry.yml": "github-workflow.yml",
    ".github/actions/tenantry/action.yml": "github-action.yml",
    ".gitlab-ci.yml": "gitlab-ci.yml",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    "CODEOWNERS": "codeowners",
}
"""File of a fleet -> file of `templates/new/ci/`, where names without dots keep them from taking effect."""

_REQUIREMENTS = f"""\
# The version of Tenantry that CI runs, and all packages that come with it, by hash: pip accepts nothing else. Fill it from the
# index that has your Tenantry (a public index may have another package of that name):
#   echo tenantry=={__version__} | uv pip compile --generate-hashes --no-header --output-file ci/requirements.txt -
--require-hashes
tenantry=={__version__}
"""


def ci_files() -> Iterator[tuple[str, str]]:
    """(file, text) of each; they are the same for every fleet of one version."""
    folder = resources.files("tenantry.render") / "templates/new/ci"
    for file, name in _FILES.items():
        yield file, (folder / name).read_text(encoding="utf-8")
    yield "ci/requirements.txt", _REQUIREMENTS
