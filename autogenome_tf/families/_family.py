"""The contract of a family: a search space and the networks that it stands for. No Keras here."""

from __future__ import annotations

import abc
import re
from typing import TYPE_CHECKING, Any, ClassVar

from autogenome_tf.families._space import Hyperparameter

if TYPE_CHECKING:
    from autogenome_tf.families._gene_sets import Membership

Space = dict[str, Hyperparameter]


class Family(abc.ABC):
    """A search space with the networks that its values stand for; a class in a file is a member.

    A member gives `space` and `body`. Its name is that of its file; configs, the command line,
    schema and report know it by being there. Members hold no state, so all methods are of the
    class; the file must import without Keras, which only `body` may touch through its arguments.

    Attributes:
        space: Hyperparameter name to `Hyperparameter`: all that a config may name.
        predicts_targets: Whether networks predict targets; an autoencoder does not.
        is_convex: Whether the loss has a single minimum, so that training goes to it instead of
            stopping early.
        sees_genes: Whether units of the first layer stand for genes, so that the inputs must not
            be rotated into the span of the training rows.
        level_names: Names of the levels of units that stand for gene sets, from the genes on;
            names of their activations in the network. Empty where units stand for nothing.
        stands_for: Name of a hyperparameter to the prefix of those that it decides, so that
            values which hold both need only the latter.
    """

    space: ClassVar[Space]
    predicts_targets: ClassVar[bool] = True
    is_convex: ClassVar[bool] = False
    sees_genes: ClassVar[bool] = False
    level_names: ClassVar[tuple[str, ...]] = ()
    stands_for: ClassVar[dict[str, str]] = {}

    @classmethod
    def opened(cls, given: dict, place: str) -> Space:
        """Return the space where some dimensions depend on what a config says of others.

        Args:
            given: What the config says of the family.
            place: Where it says so, such as ``families.wired``, for errors.

        Raises:
            InputError: For a value that is not allowed.
        """
        return cls.space

    @classmethod
    def is_open(cls) -> bool:
        """Return whether some dimensions depend on others."""
        return cls.opened.__func__ is not Family.opened.__func__

    @classmethod
    def levels(cls, settings: dict, features: list[str]) -> list[Membership]:
        """Return what the units of each level are connected to, from the genes on.

        Args:
            settings: `families.settings` of the family.
            features: Names of the genes that the network sees.

        Raises:
            InputError: Where a file cannot be read, or no set is left.
        """
        return []

    @staticmethod
    @abc.abstractmethod
    def body(x: Any, values: dict, layers: Any) -> Any:
        """Turn the genes into the last hidden layer.

        The first layer on `x` is one of `layers.dense` or `layers.masked`, and nothing else may
        look at `x`: training swaps its coordinates. (A family without hidden layers returns it.)

        Args:
            x: (rows, genes), symbolic: preprocessed genes, behind gates and input noise.
            values: A trial's values, all of them.
            layers: The `nn.layers.LayerFactory` of the trial: seeded, with its activation,
                normalisation, dropout and L2.

        Returns:
            (rows, units), symbolic; the logits layer stands behind it.
        """


class AutoencoderFamily(Family):
    """A family of autoencoders (`nn.res_vae.ResVAE`) in place of networks that predict."""

    predicts_targets = False

    @staticmethod
    @abc.abstractmethod
    def widths(values: dict) -> list[int]:
        """Return the widths of the encoder's layers; the decoder has them in reverse."""

    @staticmethod
    def body(x: Any, values: dict, layers: Any) -> Any:
        """Refuse: encoder and decoder are made by `ResVAE` itself."""
        raise NotImplementedError("an autoencoder is made of widths, not by a body")


def name_of(family: type[Family]) -> str:
    """Return the name of a family: that of its file."""
    return re.sub(r".*\.", "", family.__module__)
