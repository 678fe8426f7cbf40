"""Work in other processes: the same for many groups, or one task in parallel to another."""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Group = TypeVar("Group")
Answer = TypeVar("Answer")

LARGE = 4000
"""Number of files or objects from which a second process pays off."""
_work: Callable[[Any], Any] | None = None
"""What a forked process does; forking copies it with everything that it references."""


def side_by_side(
    work: Callable[[Group], Answer],
    groups: Sequence[Group],
    files: Callable[[Group], int],
    prepare: Callable[[], object] = lambda: None,
) -> Iterator[Answer]:
    """Each group's answer: in the order of the groups in a single process, else in any order.

    `files` is the amount of work for a group. `prepare` runs once before processes are forked.
    """
    sizes = {index: files(group) for index, group in enumerate(groups)}
    workers = min(os.cpu_count() or 1, len(groups))
    if workers < 2 or sum(sizes.values()) < LARGE or not hasattr(os, "fork"):
        yield from map(work, groups)
        return
    import multiprocessing  # slow to import, and seldom needed
    from concurrent.futures import ProcessPoolExecutor

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
    gc.disable()  # the process ends after its share
    return [_work(group) for group in groups]


def beside(work: Callable[[], Answer]) -> Callable[[], Answer]:
    """Start a task in a child process; the returned function waits for its answer.

    Call it while the process is single-threaded. If the child fails, its work is repeated here.
    """
    if not hasattr(os, "fork"):
        return work
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            gc.disable()  # the process ends after its answer
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(work(), pipe)
        finally:
            os._exit(0)
    os.close(writing)

    def finish() -> Answer:
        try:
            with os.fdopen(reading, "rb") as pipe:
                answer: Answer = pickle.load(pipe)  # noqa: S301 - from our own child, through our own pipe
            return answer
        except (EOFError, pickle.UnpicklingError):
            return work()
        finally:
            os.waitpid(child, 0)

    return finish
