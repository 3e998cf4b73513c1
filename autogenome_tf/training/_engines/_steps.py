"""Compiled training steps that are kept for later configurations of the same structure."""

import collections
import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

from autogenome_tf.training._engines._engine import Engine

KEPT_BYTES = 1 << 30
# Steps that outlive the rows they were compiled for: their number, the bytes of all, and those of
# one. The trace of a small network takes longer than its training.
SHARED_COUNT, SHARED_BYTES, SMALL_BYTES = 32, 1 << 27, 1 << 24

Kept = TypeVar("Kept", bound=Engine)


class StepCache(Generic[Kept]):
    """Keep the engines that were used last, up to a count and the bytes they hold.

    Args:
        count: Engines at most, at least 1.
        nbytes: Bytes at most; the last engine is kept whatever its size.
    """

    def __init__(self, count: int, nbytes: int = KEPT_BYTES):
        self._count, self._nbytes = count, nbytes
        self._engines: collections.OrderedDict[Hashable, Kept] = collections.OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._engines)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._engines.values())

    @contextlib.contextmanager
    def lent(self, key: Hashable, make: Callable[[], Kept]) -> Iterator[Kept]:
        """Lend the engine of a key to a block, and free its rows at the end.

        Nobody else gets it meanwhile: another block or thread that asks for the key gets a new one.

        Args:
            key: Cache key of a compiled step.
            make: Function without arguments that makes the engine.

        Yields:
            The engine; its rows are to be set.
        """
        with self._lock:
            engine = self._engines.pop(key, None)
        engine = engine or make()
        try:
            yield engine
        finally:
            engine.forget_rows()
            self._keep(key, engine)

    def clear(self) -> None:
        """Free all engines."""
        with self._lock:
            self._engines.clear()

    def _keep(self, key, engine):
        with self._lock:
            self._engines[key] = engine
            while len(self._engines) > 1 and self._is_full():
                self._engines.popitem(last=False)

    def _is_full(self):
        return len(self) > self._count or sum(engine.nbytes for engine in self) > self._nbytes


# Of all rows of this process.
SHARED: StepCache = StepCache(SHARED_COUNT, SHARED_BYTES)
