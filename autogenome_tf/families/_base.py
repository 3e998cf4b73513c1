"""The contract of a family: a search space and the networks that it stands for. No Keras here."""

from __future__ import annotations

import abc
from collections.abc import Sequence
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
        is_of_trees: Whether decision trees are fitted in place of networks that are trained.
        stands_for: Name of a hyperparameter to the prefix of those that it decides, so that
            values which hold both need only the latter.
    """

    space: ClassVar[Space]
    predicts_targets: ClassVar[bool] = True
    is_convex: ClassVar[bool] = False
    sees_genes: ClassVar[bool] = False
    level_names: ClassVar[tuple[str, ...]] = ()
    is_of_trees: ClassVar[bool] = False
    stands_for: ClassVar[dict[str, str]] = {}

    @classmethod
    def name(cls) -> str:
        """Return the name that configs use: that of the file."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def opened(cls, given: dict[str, Any], place: str) -> Space:
        """Return the space; a member overrides this if some dimensions depend on others.

        Args:
            given: The config's values for the family.
            place: Place of these values, such as ``families.wired``, for errors.

        Raises:
            InputError: For a value that is not allowed.
        """
        return cls.space

    @classmethod
    def for_task(cls, space: Space, task: Any) -> Space:
        """Return the part of the space that a task can use.

        Labels of classes alone are smoothed, and no network begins as a Cox regression, whose loss
        is not one of single rows.

        Args:
            space: What `opened` returned.
            task: A task or its class, such as `tasks.Classification`.
        """
        unused = set() if task.has_classes else {"label_smoothing"}
        unused |= {"linear_start"} if "cox" in task.linear_losses else set()
        return {name: hyper for name, hyper in space.items() if name not in unused}

    @classmethod
    def fits(cls, kind: Any) -> bool:
        """Return whether the family is for a kind of task.

        Args:
            kind: A class of task, such as `tasks.Classification`.
        """
        return cls.predicts_targets == kind.has_targets

    @classmethod
    def path(cls, values: dict[str, Any]) -> str:
        """Return the hyperparameter that is solved for a path of values, where `is_convex`.

        Args:
            values: Hyperparameters of a trial.
        """
        return "l2"

    @classmethod
    def is_of_genes(cls, values: dict[str, Any]) -> bool:
        """Return whether networks of a trial see genes, not coordinates in row space.

        Args:
            values: Hyperparameters of a trial.
        """
        return cls.sees_genes or bool(values.get("gates"))

    @classmethod
    def is_open(cls) -> bool:
        """Return whether some dimensions depend on others."""
        return cls.opened.__func__ is not Family.opened.__func__

    @classmethod
    def levels(cls, settings: dict[str, tuple], features: Sequence[str] | None) -> list[Membership]:
        """Return the wiring of the units that stand for gene sets, one level after the other.

        Args:
            settings: `families.settings` of the family.
            features: Names of the genes in the order of the network's inputs; None if unknown.

        Raises:
            InputError: A file cannot be read, no set is left, or names of genes are missing.
        """
        return []

    @staticmethod
    @abc.abstractmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Turn the genes into the last hidden layer.

        The first layer on `x` is `layers.dense` or `layers.masked`, and nothing else uses `x`:
        training swaps its coordinates. (A family without hidden layers returns `x`.)

        Args:
            x: (rows, genes), symbolic: preprocessed genes, behind gates and input noise.
            values: All values of a trial by hyperparameter.
            layers: The `nn.layers.LayerFactory` of the trial: seeded, with its activation,
                normalisation, dropout and L2; `layers.levels` is what `levels` returned.

        Returns:
            (rows, units), symbolic; the logits layer stands behind it.
        """


class AutoencoderFamily(Family):
    """A family of autoencoders (`nn.res_vae.ResVAE`) in place of networks that predict.

    A member gives `space`, with `likelihood` in it, and `options` in place of `body`.
    """

    predicts_targets = False

    @staticmethod
    @abc.abstractmethod
    def options(values: dict[str, Any], levels: list[Membership]) -> dict[str, Any]:
        """Return the arguments of `ResVAE` that a trial's values stand for.

        Args:
            values: All values of a trial by hyperparameter.
            levels: What `levels` returned: nothing, or the membership that latent units stand for.

        Returns:
            Arguments of `ResVAE`, or of `ResVAE.of_sets` if there are levels; without genes,
            membership, covariates and seed.
        """

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Refuse: `ResVAE` makes encoder and decoder itself."""
        raise NotImplementedError("an autoencoder is made of options, not by a body")


class TreeFamily(Family):
    """A family of decision trees that scikit-learn fits, in place of networks that are trained.

    A member gives `space`, with the number of `trees` in it, and `estimator` in place of `body`.
    """

    is_of_trees = True

    @classmethod
    def fits(cls, kind: Any) -> bool:
        """Return whether a task has classes, values or one log-risk, but no bins of time."""
        has_risk = kind.has_times and kind.is_of_sets
        return super().fits(kind) and (kind.has_classes or kind.has_units or has_risk)

    @staticmethod
    @abc.abstractmethod
    def estimator(values: dict[str, Any], kind: Any, rows: int) -> Any:
        """Return one of scikit-learn's forests, not fitted; its outputs are means over trees.

        Args:
            values: All values of a trial by hyperparameter.
            kind: A task or its class. Of times the forest learns counts of events, by the Poisson
                deviance.
            rows: Number of training rows.
        """

    @staticmethod
    def body(x: Any, values: dict[str, Any], layers: Any) -> Any:
        """Refuse: trees are fitted, not trained."""
        raise NotImplementedError("trees are fitted by scikit-learn, not built by a body")
