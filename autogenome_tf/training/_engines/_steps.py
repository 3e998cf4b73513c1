"""Compiled training steps that are kept for later configurations of the same structure."""

import collections
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from autogenome_tf.training._engines._engine import Engine

KEPT_BYTES = 1 << 30


Kept = TypeVar("Kept", bound=Engine)


class StepCache(Generic[Kept]):
    """Keep the engines that were used last, up to a count and the bytes they hold.

    Args:
        count: Engines at most, at least 1.
        nbytes: Bytes at most; the last engine is kept whatever its size.
    """

    def __init__(self, count: int, nbytes: int = KEPT_BYTES):
        self._count, self._nbytes = count, nbytes
        self._engines: collections.OrderedDict[str, Kept] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._engines)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._engines.values())

    def get(self, key: str, make: Callable[[], Kept]) -> Kept:
        """Return the engine of a key, made by `make` where none is kept.

        Args:
            key: Cache key of a compiled step.
            make: Function without arguments that makes the engine.
        """
        if key not in self._engines:
            self._engines[key] = make()
        self._engines.move_to_end(key)
        while len(self._engines) > 1 and self._is_full():
            self._engines.popitem(last=False)
        return self._engines[key]

    def clear(self) -> None:
        """Free all engines."""
        self._engines.clear()

    def _is_full(self):
        return len(self) > self._count or sum(engine.nbytes for engine in self) > self._nbytes
