"""Search spaces as data: what a hyperparameter may be, what is tried when nobody says. No Keras."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from autogenome_tf.core.errors import InputError


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """One dimension of a search space.

    Attributes:
        options: The values a search tries by default, the first being the default.
        allowed: Whether a value may be used at all; configs may leave the default options.
        expected: That condition in words, for errors.
        optional: Searched only where a config names it.
        alone: Has one value in a search, as other dimensions hang on it.
        setting: Belongs to the family, not to a trial: no search sees it.
    """

    options: tuple
    allowed: Callable[[Any], bool]
    expected: str
    optional: bool = False
    alone: bool = False
    setting: bool = False

    def narrow(self, place, given):
        """Take over what a config says: a list narrows, a scalar fixes.

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
    def is_numeric(self):
        """Whether the options have an order that a search can use."""
        return all(
            isinstance(value, (int, float)) and not isinstance(value, bool)
            for value in self.options
        )

    def ask(self, hp, name):
        """Ask a KerasTuner `HyperParameters` for a value, declaring the dimension on the way.

        KerasTuner takes neither lists nor None as options, so what is not a number travels as JSON.

        Returns:
            One of `options`, or None where the dimension is inactive.
        """
        if self.is_numeric:
            ordered = sorted(self.options)
            chosen = hp.Choice(name, ordered, default=self.options[0], ordered=True)
            return next((value for value in self.options if value == chosen), None)
        texts = [self.coded(value) for value in self.options]
        chosen = hp.Choice(name, texts, default=texts[0], ordered=False)
        return None if chosen is None else json.loads(chosen)

    def coded(self, value):
        """A value as KerasTuner has it."""
        return value if self.is_numeric else json.dumps(value)


def integer(*options, low=1, high=65536, optional=False, alone=False):
    """A whole number from `low` to `high`."""

    def allowed(value):
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Hyperparameter(options, allowed, f"an integer from {low} to {high}", optional, alone)


def number(*options, low=0.0, high=1.0, below=False, optional=False):
    """A real number from `low` to `high`, or below `high`."""

    def allowed(value):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        return low <= value < high if below else low <= value <= high

    end = f"to below {high:g}" if below else f"to {high:g}"
    return Hyperparameter(options, allowed, f"a number from {low:g} {end}", optional)


def word(*options, known, alone=False):
    """One of a few words."""
    expected = f"one of {', '.join(known)}"
    return Hyperparameter(options, lambda value: value in known, expected, alone=alone)


def sizes(*options, low=1, optional=False, alone=False):
    """A list of whole numbers of at least `low`."""

    def allowed(value):
        whole = integer(low=low).allowed
        return isinstance(value, (list, tuple)) and len(value) > 0 and all(map(whole, value))

    expected = f"lists of integers of at least {low}, such as [[2, 3]]"
    expected += "" if alone else " or [[2, 3], [2, 3, 4]]"
    return Hyperparameter(options, allowed, expected, optional, alone)


def switch(*options, optional=False):
    """True or false."""
    return Hyperparameter(options, lambda value: isinstance(value, bool), "true or false", optional)


def files(optional=False):
    """Names of files, one or several, which every trial shares."""
    return Hyperparameter(
        (), lambda value: isinstance(value, str) and bool(value), "names of files", optional,
        setting=True,
    )  # fmt: skip


def limit(option, low=1, high=65536):
    """A whole number that every trial shares."""
    return dataclasses.replace(integer(option, low=low, high=high, alone=True), setting=True)


# Attribution is exact for these activations (DeepLIFT's rescale rule), so only these are offered.
ACTIVATIONS = ("relu", "elu", "selu", "tanh", "sigmoid", "softplus")

# Hyperparameters that change no shape: networks that differ in nothing else share a compiled step.
RATES = ("dropout", "input_dropout", "l2", "gate_l1", "spectral_power", "epistasis")

COMMON = {
    "dropout": number(0.4, 0.0, 0.2, 0.6, high=1.0, below=True),
    "input_dropout": number(0.3, 0.0, 0.1, 0.5, high=1.0, below=True),
    "activation": word("relu", "elu", "tanh", known=ACTIVATIONS),
    "normalization": word("batch", "none", known=("none", "batch")),
    "l2": number(1e-3, 0.0, 1e-4, 1e-2, 3e-2, high=1e6),
    "spectral_power": number(0.0, 0.5, 1.0),
    "gates": switch(True, False, optional=True),
    "gate_l1": number(1e-3, 0.0, 1e-4, 1e-2, high=1e6, optional=True),
    "output_nonlinearity": word("none", known=("none", "relu", "tanh", "sigmoid")),
}
