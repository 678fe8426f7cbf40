"""Amounts as the API server writes them itself, so that what is kept equals what was sent.

Rule: `k8s.io/apimachinery/pkg/api/resource`, canonical form: the largest suffix that needs no fraction; nothing for zero.
"""

from __future__ import annotations

from markupsafe import Markup

_BINARY = ("Mi", "Gi", "Ti")
_STEP = 1024


def mebibytes(value: int) -> Markup:
    """MiB -> `512Mi`, `2Gi`, `1Ti`, `"0"`."""
    return _binary(value, _BINARY)


def gibibytes(value: int) -> Markup:
    """GiB -> `100Gi`, `1Ti`, `"0"`."""
    return _binary(value, _BINARY[1:])


def millicores(value: int) -> Markup:
    """Millicores -> `650m`, `"2"`."""
    whole, rest = divmod(value, 1000)
    return _markup(f"{value}m" if rest else f'"{whole}"')


def _binary(value: int, suffixes: tuple[str, ...]) -> Markup:
    if value == 0:
        return _markup('"0"')
    suffix, *larger = suffixes
    while larger and value % _STEP == 0:
        value //= _STEP
        suffix, *larger = larger
    return _markup(f"{value}{suffix}")


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - digits and a suffix
