"""What CI systems need of a finding: a path from the top of the repository, and an identity that outlives moved lines."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from tenantry.core.findings import Finding, Result


def path_in_repository(result: Result, file: str) -> str:
    """A finding's file below the top of the repository; absolute paths, and those that lead out, stay as they are."""
    joined = posixpath.normpath(posixpath.join(result.folder, file))
    return file if joined.startswith("../") else joined


def sentence(finding: Finding) -> str:
    """Message and hint, as in text."""
    return f"{finding.message} ({finding.hint})" if finding.hint else finding.message


def with_fingerprints(result: Result) -> Iterator[tuple[Finding, str]]:
    """Findings with an identity each: of 64 hexadecimal digits, unique in the result.

    It does not change when lines move or a number in the message does, so that a CI system knows a finding again.
    """
    seen: Counter[str] = Counter()
    for finding in result.findings:
        parts = (
            finding.code, path_in_repository(result, finding.place.file), finding.tenant, str(finding.object or ""),
            finding.control, re.sub(r"\d+", "0", finding.message),
        )  # fmt: skip
        same = "\0".join(parts)
        seen[same] += 1
        yield finding, hashlib.sha256(f"{same}\0{seen[same]}".encode(errors="surrogatepass")).hexdigest()
