"""Both co-processes of one command: each is started at most once, and serves the whole command."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from tenantry.core.findings import ToolError
from tenantry.core.manifest import Value
from tenantry.engine import build
from tenantry.engine.kustomize import Engine
from tenantry.engine.kyverno import PolicyEngine
from tenantry.engine.protocol import REQUEST_SECONDS, CoProcess
from tenantry.runtime.listing import Listing

Say = Callable[[str], None]


class Engines:
    """Use it as a context manager around a command.

    The engine is started immediately, in the background; the policy engine on first use, or when policies are
    passed in advance. A program that has not been built is built on first use. `request_seconds` is the time limit
    for each answer of the engine.
    """

    def __init__(self, say: Say = lambda _: None, *, request_seconds: float = REQUEST_SECONDS) -> None:
        self._say = say
        self._request_seconds = request_seconds
        self._pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="engines")
        self._policies: Future[PolicyEngine] | None = None
        self._engine: Future[Engine] | None = None
        if build.ready(build.ENGINE):
            self._begin_engine()

    @property
    def engine(self) -> Engine:
        """The running engine. Raises ToolError if it is not available."""
        return self._begin_engine().result()

    @property
    def policies(self) -> PolicyEngine:
        """The running policy engine. Raises ToolError if it is not available."""
        if self._policies is None:
            self._policies = self._pool.submit(PolicyEngine, build.ensure(build.POLICY_ENGINE, self._say))
        return self._policies.result()

    def begin_listing(self, root: Path, trees: Sequence[str]) -> Future[Listing]:
        """Start listing the given folders below `root`."""
        engine = self._begin_engine()  # here: two threads that ask for it would start two
        return self._pool.submit(lambda: engine.result().trees(root, trees))

    def compile(self, policies: Sequence[Value]) -> None:
        """Start compiling the policies that the policy engine will evaluate."""
        program = build.ready(build.POLICY_ENGINE) if self._policies is None else None
        if program is not None:
            self._policies = self._pool.submit(_start_policies, program, policies)

    def _begin_engine(self) -> Future[Engine]:
        """The engine that was started, or is started now. To be called by the command's own thread."""
        if self._engine is None:
            program = build.ensure(build.ENGINE, self._say)
            self._engine = self._pool.submit(Engine, program, request_seconds=self._request_seconds)
        return self._engine

    def __enter__(self) -> Engines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        started: list[Future[CoProcess]] = [f for f in (self._engine, self._policies) if f is not None]  # type: ignore[misc]
        for future in started:
            with contextlib.suppress(ToolError):  # already reported to the caller that needed it
                future.result().close()
        self._pool.shutdown()


def _start_policies(program: Path, policies: Sequence[Value]) -> PolicyEngine:
    engine = PolicyEngine(program)
    try:
        engine.load(policies)
    except ToolError:
        engine.close()
        raise
    return engine
