"""Wired dense layers (AutoGenome's RRFCN): the width of each layer and its skips are searched.

Layer 1 has `max_width` units, or fewer by `width_1`. Each later layer is wired to the one directly
before and to earlier ones whose bit is set; its sources are concatenated. An arc is all those
decisions as AutoGenome writes them: for three searched layers ``[width_2, width_3, skip_1_3,
width_4, skip_1_4, skip_2_4]``, a width as its position among the layer's options in order of size.
What AutoGenome did not search stands beside the arc: `width_1`, and `linear_bypass`, by which the
outputs see layer 1 before its activation.
"""

import dataclasses
from typing import Any

from autogenome_tf.core.errors import InputError
from autogenome_tf.families import (
    COMMON,
    Family,
    Hyperparameter,
    Space,
    integer,
    number,
    sizes,
    switch,
)

# Default widths of a layer, as fractions of the largest.
PARTS = (1 / 4, 1 / 16, 1 / 8, 1 / 2, 1)


class Wired(Family):
    """Wired dense layers (AutoGenome's RRFCN): widths and skips of all layers are searched."""

    space = {
        "layers": integer(7, low=2, high=32, alone=True),
        "max_width": integer(1024, alone=True),
        "arc": sizes(low=0, optional=True, alone=True),
        "linear_bypass": switch(False, True),
        **COMMON,
        "l2": number(1e-4, 0.0, 1e-3, 1e-2, 3e-2, high=1e6),
        "label_smoothing": dataclasses.replace(COMMON["label_smoothing"], optional=False),
    }
    # Positions in an arc are among a config's options: values hold the widths that they stand for.
    stands_for = {"arc": "width_"}

    @classmethod
    def opened(cls, given: dict[str, Any], place: str) -> Space:
        """Return the space with the decisions that its `layers` and `max_width` open.

        Raises:
            InputError: For layers, a largest width or an arc that is not allowed.
        """
        fixed = {}
        for name in ("layers", "max_width"):
            narrowed = cls.space[name].narrow(
                f"{place}.{name}", given.get(name, cls.space[name].options[0])
            )
            (fixed[name],) = narrowed.options
        widest = fixed["max_width"]
        width = integer(*dict.fromkeys(max(1, round(part * widest)) for part in PARTS), high=widest)
        skip = integer(0, 1, low=0, high=1)
        found = {
            name: width if name.startswith("width") else skip for name in decisions(fixed["layers"])
        }
        first = integer(*sorted(width.options, reverse=True), high=widest)
        if "arc" in given:
            (arc,) = cls.space["arc"].narrow(f"{place}.arc", given["arc"]).options
            found = _fixed_by(arc, found, f"{place}.arc")
            first = integer(widest, high=widest)
        return {
            "layers": cls.space["layers"],
            "max_width": cls.space["max_width"],
            "width_1": first,
            **found,
            **cls.space,
        }

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Grow layer by layer; each sees the concatenation of its sources."""
        widest, outputs, stem = values["max_width"], [x], x
        for layer in range(1, values["layers"] + 1):
            width = values.get(f"width_{layer}", widest)
            if width > widest:
                raise ValueError(f"wired: width_{layer} is {width}, above max_width {widest}")
            seen = [outputs[source] for source in sources(values, layer)] or [x]
            x = layers.concatenate(*seen) if len(seen) > 1 else seen[0]
            x = layers.dense(x, width)
            stem = x if layer == 1 else stem
            x = layers.activated(x)
            outputs.append(x)
        return layers.concatenate(x, stem) if values.get("linear_bypass") else x


def _fixed_by(arc, found, place):
    """Return the decisions, each fixed at its position of an arc."""
    if len(arc) != len(found):
        raise InputError(
            f"{place}: expected {len(found)} integers ({', '.join(found)}); received {list(arc)}."
        )
    fixed = {}
    for (name, hyper), position in zip(found.items(), arc, strict=True):
        ordered = sorted(hyper.options)
        if position >= len(ordered):
            raise InputError(
                f"{place}: expected a position from 0 to {len(ordered) - 1} for {name}; "
                f"received {position}."
            )
        fixed[name] = integer(ordered[position], low=ordered[position], high=ordered[position])
    return fixed


def decisions(layers: int) -> list[str]:
    """List the names of the decisions for so many layers, in the order of an arc.

    Args:
        layers: Number of layers, the first included.

    >>> decisions(3)
    ['width_2', 'width_3', 'skip_1_3']
    """
    names = []
    for layer in range(2, layers + 1):
        names.append(f"width_{layer}")
        names += [f"skip_{source}_{layer}" for source in range(1, layer - 1)]
    return names


def options(space: dict[str, Hyperparameter]) -> dict[str, list[int]]:
    """Return the values that the positions of each decision of an arc stand for.

    Args:
        space: The search space of a trial, as `families.space` returns it.

    Returns:
        Name of each decision, in the order of an arc, to its values in order of size.
    """
    (layers,) = space["layers"].options
    return {name: sorted(space[name].options) for name in decisions(layers)}


def sources(values: dict[str, Any], layer: int) -> list[int]:
    """Return the numbers of the layers that a layer is wired to, in order.

    Args:
        values: Hyperparameters of a trial.
        layer: Number of the layer, from 1.
    """
    skips = [source for source in range(1, layer - 1) if values[f"skip_{source}_{layer}"]]
    return [*skips, layer - 1] if layer > 1 else []
