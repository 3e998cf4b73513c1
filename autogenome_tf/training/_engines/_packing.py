"""Pack small weights into one shared variable; each large weight keeps a variable of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Values of all replicas of a weight up to which it shares a variable. An update wakes a thread,
# which takes longer than the arithmetic of so many; to copy more would take longer still.
SHARED_VALUES = 1 << 15


class Packing:
    """Map the stack of each weight, (replicas, ...), to its place in variables.

    An elementwise optimizer does not see the difference. Each operation of a step is traced, placed
    and dispatched, so that few variables train faster than many.

    Args:
        shapes: Path of each weight to the shape of its stack.
        is_apart: Whether each has its own variable, for an optimizer that compares the values of
            a weight.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], is_apart: bool = False):
        self._shapes = dict(shapes)
        sizes = {path: int(np.prod(shape)) for path, shape in shapes.items()}
        limit = 0 if is_apart else SHARED_VALUES
        small = [path for path, size in sizes.items() if size <= limit]
        self._groups = [[path] for path in shapes if path not in small]
        self._groups += [small] if small else []

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Return the shape of each variable."""
        return [
            self._shapes[group[0]]
            if len(group) == 1
            else (self._shapes[group[0]][0], sum(self._widths(group)))
            for group in self._groups
        ]

    def together(self, stacks: Mapping[str, Any]) -> list[Any]:
        """Return the value of each variable, of the stacks of all weights.

        Args:
            stacks: Path of each weight to its stack, all arrays or all tensors.
        """
        return [self._joined([stacks[path] for path in group]) for group in self._groups]

    def apart(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the stack of each weight, by its path.

        Args:
            values: Of each variable, all arrays or all tensors.
        """
        found = {}
        for group, value in zip(self._groups, values, strict=True):
            parts = [value] if len(group) == 1 else self._split(value, self._widths(group))
            found |= dict(zip(group, parts, strict=True))
        return {path: _shaped(found[path], shape) for path, shape in self._shapes.items()}

    def _widths(self, group):
        """Return the number of values of each weight of a replica."""
        return [int(np.prod(self._shapes[path][1:])) for path in group]

    @staticmethod
    def _joined(stacks):
        if len(stacks) == 1:
            return stacks[0]
        flat = [_shaped(stack, (stack.shape[0], int(np.prod(stack.shape[1:])))) for stack in stacks]
        return tf.concat(flat, axis=1) if tf.is_tensor(flat[0]) else np.concatenate(flat, axis=1)

    @staticmethod
    def _split(value, widths):
        if tf.is_tensor(value):
            return tf.split(value, widths, axis=1)
        return np.split(value, np.cumsum(widths)[:-1], axis=1)


def _shaped(value, shape):
    """Reshape an array or a tensor; what has the shape already costs no operation."""
    if tuple(value.shape) == shape:
        return value
    return tf.reshape(value, shape) if tf.is_tensor(value) else np.reshape(value, shape)
