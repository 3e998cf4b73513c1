"""Hyperparameters as data: allowed values, and the values that a search tries. No Keras."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from autogenome_tf.core.errors import InputError


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a search space.

    Attributes:
        options: Values that a search tries by default; the first is the default.
        allowed: Function from a value to whether a config may name it; options are a part of the
            allowed values.
        expected: The allowed values in words, for errors.
        optional: Whether it is searched only if a config names it.
        alone: Whether a search has a single value of it, as other dimensions depend on it.
        setting: Whether it belongs to the family, not to a trial: all trials share its values.
        names_files: Whether values are names of files, which configs give relative to themselves.
    """

    options: tuple
    allowed: Callable[[Any], bool]
    expected: str
    optional: bool = False
    alone: bool = False
    setting: bool = False
    names_files: bool = False

    def narrow(self, place: str, given: Any) -> "Hyperparameter":
        """Return the dimension with the options of a config: a list narrows, a scalar fixes.

        Args:
            place: Key of the config, for errors.
            given: Its value.

        Raises:
            InputError: Naming the place and the first value that is not allowed.
        """
        options = given if isinstance(given, list) else [given]
        if not options:
            raise InputError(f"{place}: expected at least one value; received [].")
        if self.alone and len(options) > 1:
            raise InputError(f"{place}: expected a single value; received {given!r}.")
        for value in options:
            if not self.allowed(value):
                raise InputError(f"{place}: expected {self.expected}; received {value!r}.")
        if any(isinstance(value, float) for value in options):
            options = [float(value) for value in options]  # KerasTuner refuses mixed kinds
        unique = tuple({json.dumps(value): value for value in options}.values())
        return dataclasses.replace(self, options=unique, optional=False)

    @property
    def is_numeric(self) -> bool:
        """Return whether the options have an order that a search can use."""
        return all(
            isinstance(value, (int, float)) and not isinstance(value, bool)
            for value in self.options
        )

    def ask(self, hp: Any, name: str) -> Any:
        """Declare the dimension to a KerasTuner `HyperParameters` and return its value.

        KerasTuner takes neither lists nor None as options: all but numbers are passed as JSON.

        Args:
            hp: The `HyperParameters`.
            name: Of the dimension.

        Returns:
            One of `options`, or None if the dimension is inactive.
        """
        if self.is_numeric:
            ordered = sorted(self.options)
            chosen = hp.Choice(name, ordered, default=self.options[0], ordered=True)
            return next((value for value in self.options if value == chosen), None)
        texts = [self.coded(value) for value in self.options]
        chosen = hp.Choice(name, texts, default=texts[0], ordered=False)
        return None if chosen is None else json.loads(chosen)

    def coded(self, value: Any) -> Any:
        """Return a value in the form that KerasTuner takes.

        Args:
            value: A value of the hyperparameter.
        """
        return value if self.is_numeric else json.dumps(value)


def integer(
    *options: int, low: int = 1, high: int = 65536, optional: bool = False, alone: bool = False
) -> Hyperparameter:
    """Declare an integer.

    Args:
        *options: Values that a search tries; the first is the default.
        low: Smallest allowed value; 1 by default.
        high: Largest allowed value; 65536 by default.
        optional: Whether it is searched only if a config names it.
        alone: Whether a search has a single value of it.
    """

    def allowed(value):
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Hyperparameter(options, allowed, f"an integer from {low} to {high}", optional, alone)


def number(
    *options: float, low: float = 0.0, high: float = 1.0, below: bool = False,
    optional: bool = False, alone: bool = False,
) -> Hyperparameter:  # fmt: skip
    """Declare a real number.

    Args:
        *options: Values that a search tries; the first is the default.
        low: Smallest allowed value; 0 by default.
        high: Largest allowed value; 1 by default.
        below: Whether `high` itself is not allowed.
        optional: Whether it is searched only if a config names it.
        alone: Whether a search has a single value of it.
    """

    def allowed(value):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        return low <= value < high if below else low <= value <= high

    end = f"to below {high:g}" if below else f"to {high:g}"
    return Hyperparameter(options, allowed, f"a number from {low:g} {end}", optional, alone)


def word(*options: str, known: tuple[str, ...], alone: bool = False) -> Hyperparameter:
    """Declare a choice between words.

    Args:
        *options: Values that a search tries; the first is the default.
        known: All allowed values.
        alone: Whether a search has a single value of it.
    """
    expected = f"one of {', '.join(known)}"
    return Hyperparameter(options, lambda value: value in known, expected, alone=alone)


def sizes(
    *options: list[int], low: int = 1, optional: bool = False, alone: bool = False
) -> Hyperparameter:
    """Declare a list of integers, such as widths of layers.

    Args:
        *options: Lists that a search tries; the first is the default.
        low: Smallest allowed integer; 1 by default.
        optional: Whether it is searched only if a config names it.
        alone: Whether a search has a single value of it.
    """

    def allowed(value):
        whole = integer(low=low).allowed
        return isinstance(value, (list, tuple)) and len(value) > 0 and all(map(whole, value))

    expected = f"lists of integers of at least {low}, such as [[2, 3]]"
    expected += "" if alone else " or [[2, 3], [2, 3, 4]]"
    return Hyperparameter(options, allowed, expected, optional, alone)


def switch(*options: bool, optional: bool = False) -> Hyperparameter:
    """Declare true or false.

    Args:
        *options: Values that a search tries; the first is the default.
        optional: Whether it is searched only if a config names it.
    """
    return Hyperparameter(options, lambda value: isinstance(value, bool), "true or false", optional)


def files(optional: bool = False) -> Hyperparameter:
    """Declare names of files, one or several, which all trials share.

    Args:
        optional: Whether a config may name none.
    """
    return Hyperparameter(
        (), lambda value: isinstance(value, str) and bool(value), "names of files", optional,
        setting=True, names_files=True,
    )  # fmt: skip


def limit(*option: int, low: int = 1, high: int = 65536) -> Hyperparameter:
    """Declare an integer that all trials share.

    Args:
        *option: The default; none for no limit.
        low: Smallest allowed value; 1 by default.
        high: Largest allowed value; 65536 by default.
    """
    known = integer(*option, low=low, high=high, optional=not option, alone=True)
    return dataclasses.replace(known, setting=True)


# Attribution is exact for these activations (DeepLIFT's rescale rule), so only these are offered.
ACTIVATIONS = ("relu", "elu", "selu", "tanh", "sigmoid", "softplus")

# Hyperparameters that change no shape: networks that differ in these alone share a compiled step.
RATES = (
    "dropout", "input_dropout", "l2", "gate_l1", "spectral_power", "gene_power", "epistasis",
)  # fmt: skip
# Each gene is multiplied by its F statistic to half this power: `preprocessing.gene_weights`.
GENE_POWER = number(1.0, 0.0, 0.5, 2.0, high=4.0)

# L2 of the linear learner as which a network begins; 0: it begins at random.
LINEAR_START = number(0.0, 0.01, 0.1, 1.0, high=1e9, optional=True)

# Hyperparameters of all networks.
COMMON = {
    "dropout": number(0.4, 0.0, 0.2, 0.6, high=1.0, below=True),
    "input_dropout": number(0.3, 0.0, 0.1, 0.5, high=1.0, below=True),
    "activation": word("relu", "elu", "tanh", known=ACTIVATIONS),
    "normalization": word("batch", "none", known=("none", "batch")),
    "l2": number(1e-3, 0.0, 1e-4, 1e-2, 3e-2, high=1e6),
    "label_smoothing": number(0.0, 0.05, 0.1, high=1.0, below=True, optional=True),
    "spectral_power": number(0.0, 0.5, 1.0),
    "gene_power": GENE_POWER,
    "gates": switch(True, False, optional=True),
    "gate_l1": number(1e-3, 0.0, 1e-4, 1e-2, high=1e6, optional=True),
    "output_nonlinearity": word("none", known=("none", "relu", "tanh", "sigmoid")),
}
