"""The engine, started while the input files are read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from tenantry.core.findings import ToolError
from tenantry.engine import build as engine_build
from tenantry.engine.intact import is_intact
from tenantry.engine.kustomize import Engine


class Ahead:
    """Use it as a context manager; an engine that nobody asked for is ended with it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._engine: Future[Engine] | None = None
        self._given = False
        if is_intact(engine_build.program_path()):
            self._engine = self._pool.submit(Engine, engine_build.program_path())

    def engine(self) -> Engine:
        """The running engine; the caller closes it. Raises ToolError when it can't be had."""
        self._given = True
        if self._engine is None:
            return Engine(engine_build.ensure_engine(self._say))
        return self._engine.result()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine is not None and not self._given:
            with contextlib.suppress(ToolError):  # not needed, so not told
                self._engine.result().close()
        self._pool.shutdown()
