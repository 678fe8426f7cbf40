"""The same work on many groups, shared among as many processes as there are processors."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Group = TypeVar("Group")
Answer = TypeVar("Answer")

_LARGE = 4000
"""Files from which on a second process is worth its start."""
_work: Callable[[Any], Any] | None = None
"""What a forked process does; forking hands it over as it is, with all that it refers to."""


def side_by_side(
    work: Callable[[Group], Answer],
    groups: Sequence[Group],
    files: Callable[[Group], int],
    prepare: Callable[[], object] = lambda: None,
) -> Iterator[Answer]:
    """Each group's answer; in the order of the groups when one process does it all, in any order else.

    `files` is how much there is to do for a group. `prepare` is run once before there are several processes.
    """
    sizes = {index: files(group) for index, group in enumerate(groups)}
    workers = min(os.cpu_count() or 1, len(groups))
    if workers < 2 or sum(sizes.values()) < _LARGE or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(work, groups)
        return
    prepare()
    shares: list[list[int]] = [[] for _ in range(workers)]
    for index in sorted(sizes, key=lambda index: -sizes[index]):
        min(shares, key=lambda share: sum(sizes[i] for i in share)).append(index)
    global _work
    _work = work
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        for answers in pool.map(_do_share, [[groups[index] for index in share] for share in shares]):
            yield from answers


def _do_share(groups: Sequence[Any]) -> list[Any]:
    assert _work is not None
    gc.disable()  # the process ends with its share
    return [_work(group) for group in groups]
