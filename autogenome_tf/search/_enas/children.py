"""The children of a bank: what their codes stand for, and what masks cut out of the widest network.

A code is the arc, as AutoGenome writes it, and behind it the position of an option for every other
hyperparameter that the config leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.families import wired

# Hyperparameters beside the arc in which the children of one step may differ.
SIZES = ("width_1", "linear_bypass")
RATES = ("dropout", "input_dropout", "l2")
POWERS = ("gene_power", "spectral_power")
BESIDE = (*SIZES, "activation", *RATES, "label_smoothing", *POWERS)
# Of training alone: a score by shared weights is the same whatever they are.
UNSEEN = (*RATES, "label_smoothing")


class ChildSpace:
    """Translate the codes of children into values, masks and rates.

    Args:
        space: The search space of the family wired; dimensions that children cannot differ in take
            their first option.

    Attributes:
        names: Of the decisions of a code, in its order.
        arcs: Number of decisions that are the arc.
        beside: Options of each decision behind the arc.
        allowed: Allowed positions of the arc, as `controller.Controller` takes them.
        options: Allowed positions of every decision, in the order of a code.
        widest: Values of the network whose layers are widest and see all before them.
        layers: Number of layers.
    """

    def __init__(self, space: dict[str, Any]):
        self._arc = wired.options(space)
        open_ones = [name for name in BESIDE if name in space and len(space[name].options) > 1]
        self.beside = {name: list(space[name].options) for name in open_ones}
        self.arcs, self.names = len(self._arc), [*self._arc, *self.beside]
        self._fixed = {name: hyper.options[0] for name, hyper in space.items()}
        self.layers = self._fixed["layers"]
        self.widest = self._fixed | self._largest()
        self.allowed = [self._allowed(layer) for layer in range(2, self.layers + 1)]
        self.options = [np.flatnonzero(bits) for layer in self.allowed for bits in layer]
        self.options += [np.arange(len(options)) for options in self.beside.values()]

    def _largest(self):
        """Return the values of the widest network that the options name."""
        found = {
            name: 1 if name.startswith("skip") else options[-1]
            for name, options in self._arc.items()
        }
        ordered = (*SIZES, *RATES)
        return found | {name: max(self.beside[name]) for name in ordered if name in self.beside}

    def _allowed(self, layer):
        width, *skips = (name for name in self._arc if name.endswith(f"_{layer}"))
        bits = [[bit in self._arc[name] for bit in (0, 1)] for name in skips]
        return [[True] * len(self._arc[width]), *bits]

    def values(self, code: Sequence[int]) -> dict[str, Any]:
        """Return a trial's values for a code: its hyperparameters, and the arc itself.

        Args:
            code: (decisions,) positions.
        """
        positions = [int(position) for position in code]
        arc, behind = positions[: self.arcs], positions[self.arcs :]
        named = {
            name: position if name.startswith("skip") else self._arc[name][position]
            for name, position in zip(self._arc, arc, strict=True)
        }
        pairs = zip(self.beside.items(), behind, strict=True)
        return self._fixed | named | {n: o[position] for (n, o), position in pairs} | {"arc": arc}

    def line(self, code: Sequence[int]) -> dict[str, Any]:
        """Return a code as tables have it: the arc, and beside it the values of the other options.

        Args:
            code: (decisions,) positions.
        """
        values = self.values(code)
        return {"arc": values["arc"]} | {name: values[name] for name in self.beside}

    def code(self, line: dict[str, Any]) -> list[int]:
        """Return the code of a line of a table; what it does not name is the first option.

        Args:
            line: As `line` returns it.
        """
        positions = (
            options.index(line[name]) if name in line else 0
            for name, options in self.beside.items()
        )
        return [*line["arc"], *positions]

    def seen(self, codes: np.ndarray) -> np.ndarray:
        """Return the decisions on which a score by shared weights depends, (children, decisions).

        Args:
            codes: (children, decisions) positions.
        """
        return codes[:, [name not in UNSEEN for name in self.names]]

    def with_other_rates(self, line: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        """Return a line of a table with rates drawn anew, about half of those that are open.

        Args:
            line: As `line` returns it.
            random: Draws them.
        """
        drawn = [name for name in UNSEEN if name in self.beside and random.random() < 1 / 2]
        return line | {name: random.choice(self.beside[name]).item() for name in drawn}

    def extreme(self, is_largest: bool) -> dict[int, int]:
        """Return the position of each decision on size in the largest or the smallest child.

        Args:
            is_largest: Whether the largest is meant.

        Returns:
            Column of a code to position.
        """
        choose = max if is_largest else min
        found = {column: int(choose(self.options[column])) for column in range(self.arcs)}
        for name in SIZES:
            if name in self.beside:
                options = self.beside[name]
                found[self.names.index(name)] = options.index(choose(options))
        return found

    def column(self, codes: tf.Tensor, name: str) -> tf.Tensor:
        """Return the (children,) positions of a decision; 0 where there is none of the name.

        Args:
            codes: (children, decisions) tensor.
            name: Of a hyperparameter.
        """
        if name in self.names:
            return codes[:, self.names.index(name)]
        return tf.zeros_like(codes[:, 0])

    def chosen(self, codes: tf.Tensor, name: str) -> tf.Tensor:
        """Return the (children,) numbers that a hyperparameter has, as float32.

        Args:
            codes: (children, decisions) tensor.
            name: Of a hyperparameter with numbers as options.
        """
        options = self._arc.get(name) or self.beside.get(name) or [self._fixed.get(name, 0.0)]
        return tf.gather(np.asarray(options, "float32"), self.column(codes, name))

    def units(self, codes: tf.Tensor) -> list[tf.Tensor]:
        """Return masks of the units of each layer, (children, units) of 0 and 1.

        Args:
            codes: (children, decisions) tensor.
        """
        widest = [self.widest.get("width_1", self.widest["max_width"])]
        widest += [self.widest[f"width_{layer}"] for layer in range(2, self.layers + 1)]
        masks = []
        for layer, width in enumerate(widest, 1):
            is_open = f"width_{layer}" in self.names
            own = (
                self.chosen(codes, f"width_{layer}")
                if is_open
                else tf.fill(tf.shape(codes)[:1], width)
            )
            masks.append(tf.sequence_mask(tf.cast(own, tf.int32), width, tf.float32))
        return masks

    def inputs(self, codes: tf.Tensor) -> list[tf.Tensor]:
        """Return masks of the inputs of each dense layer from the second, the logits' last.

        Args:
            codes: (children, decisions) tensor.

        Returns:
            A list of (children, inputs) of 0 and 1.
        """
        units, found = self.units(codes), []
        for layer in range(2, self.layers + 1):
            parts = []
            for source in wired.sources(self.widest, layer):
                name = f"skip_{source}_{layer}"
                is_wired = self.column(codes, name) if name in self._arc else None
                parts.append(_gated(units[source - 1], is_wired))
            found.append(tf.concat(parts, axis=1))
        found.append(units[-1])
        if self.widest.get("linear_bypass"):
            is_open = "linear_bypass" in self.beside
            bypass = self.chosen(codes, "linear_bypass") if is_open else None
            found[-1] = tf.concat([units[-1], _gated(units[0], bypass)], axis=1)
        return found

    def gates(self, network: keras.Model, codes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return masks of the inputs of each dense layer whose inputs may be cut off, by its name.

        Args:
            network: The Keras model of `widest`.
            codes: (children, decisions) tensor.
        """
        layers = dense_layers(network)[1:]
        pairs = zip(layers, self.inputs(codes), strict=True)
        return {layer.name: mask for layer, mask in pairs}

    def rates(self, network: keras.Model, codes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the (children,) dropout rate, noise deviation or L2 of each layer, by its name.

        Args:
            network: The Keras model of `widest`.
            codes: (children, decisions) tensor.
        """
        found = {}
        for layer in network.layers:
            if isinstance(layer, keras.layers.GaussianNoise):
                rate = self.chosen(codes, "input_dropout")
                found[layer.name] = tf.sqrt(rate / (1 - rate))
            elif isinstance(layer, keras.layers.Dropout):
                is_first = layer.input is network.input
                found[layer.name] = self.chosen(codes, "input_dropout" if is_first else "dropout")
            elif getattr(layer, "kernel_regularizer", None) is not None:
                found[layer.name] = self.chosen(codes, "l2")
        return found

    def views(self, codes: tf.Tensor) -> tf.Tensor:
        """Return the (children,) numbers of the views of the rows that children see.

        Args:
            codes: (children, decisions) tensor.
        """
        spectra = len(self.beside.get("spectral_power", [0.0]))
        return self.column(codes, "gene_power") * spectra + self.column(codes, "spectral_power")

    def parameters(self, codes: np.ndarray, genes: int, outputs: int) -> np.ndarray:
        """Count the trained parameters of children on genes, (children,).

        Args:
            codes: (children, decisions) positions.
            genes: Number of inputs of the first layer.
            outputs: Number of outputs.
        """
        tensor = tf.constant(np.asarray(codes), tf.int32)
        units = [mask.numpy().sum(axis=1).astype("int64") for mask in self.units(tensor)]
        inputs = [mask.numpy().sum(axis=1).astype("int64") for mask in self.inputs(tensor)]
        normalised = 2 if self.widest["normalization"] == "batch" else 0
        seen = zip([genes, *inputs], [*units, outputs], strict=True)
        each = [(before + 1) * after for before, after in seen] + [normalised * u for u in units]
        return np.sum(each, axis=0)

    def cut(
        self, network: keras.Model, weights: list[np.ndarray], code: Sequence[int]
    ) -> list[np.ndarray]:
        """Return a child's part of the widest network's weights, (folds, ...) each, in its order.

        Args:
            network: The Keras model of `widest`.
            weights: (folds, ...) each, in the order of the network's.
            code: (decisions,) positions.
        """
        gates = self.gates(network, tf.constant(np.asarray(code)[None], tf.int32))
        stacks = {v.path: stack for v, stack in zip(network.weights, weights, strict=True)}
        values, found, number = self.values(code), [], 0
        for layer in network.layers:
            # Weights that follow a dense layer belong to its units.
            number += layer in dense_layers(network)
            for variable in layer.weights:
                stack = stacks[variable.path][..., : values.get(f"width_{number}")]
                if len(stack.shape) > 2 and layer.name in gates:
                    stack = stack[:, gates[layer.name].numpy()[0] > 0]
                found.append(stack)
        return found


def dense_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the dense layers of a network, in order.

    Args:
        network: A Keras model of the family wired.
    """
    return [layer for layer in network.layers if hasattr(layer, "kernel")]


def _gated(mask, is_open):
    """Close a mask (children, units) where a bit (children,) is 0; None for open."""
    return mask if is_open is None else mask * tf.cast(is_open, tf.float32)[:, None]
