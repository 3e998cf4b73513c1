"""The HyperModel around every family: input, the member's body, the logits layer."""

from collections.abc import Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from autogenome_tf.families._base import AutoencoderFamily, Family
from autogenome_tf.families._gene_sets import Membership
from autogenome_tf.families._spaces import settings as settings_of
from autogenome_tf.families._spaces import space as space_of
from autogenome_tf.nn.layers import LayerFactory, MaskedDense
from autogenome_tf.nn.res_vae import ResVAE

# Layers that may look at the genes.
STEMS = (keras.layers.Dense, MaskedDense)


class NetworkModel(keras_tuner.HyperModel):
    """A search space whose `build` makes a compiled Keras model.

    Args:
        inputs: Number of genes.
        task: A task with targets, such as `tasks.Classification`: outputs and loss.
        space: Hyperparameter name to a list that narrows it or a scalar that fixes it; None for
            the family's own space.
        learning_rate: Of the compiled Adam optimizer; 0.001 by default.
        seed: Initial weights and dropout derive from it; 7 by default.
        features: Names of the genes, for families that need them; None by default.

    >>> from autogenome_tf import families, tasks
    >>> mlp = families.MLP(2000, tasks.Classification(["healthy", "tumour"]))
    >>> mlp.build({"layers": 1, "units": 8}).output_shape
    (None, 2)
    """

    member: type[Family]

    def __init__(
        self, inputs: int, task: Any, space: dict[str, Any] | None = None,
        learning_rate: float = 1e-3, seed: int = 7, features: Sequence[str] | None = None,
    ):  # fmt: skip
        super().__init__(name=self.member.name())
        self.inputs = int(inputs)
        self.task = task
        self.space = space_of(self.member.name(), space, task=task)
        self.settings = settings_of(self.member.name(), space)
        self.features = features
        self.learning_rate = learning_rate
        self.seed = seed

    def values(self, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
        """Return every hyperparameter of the space, asked of `hp`, as a plain dict."""
        return {name: hyper.ask(hp, name) for name, hyper in self.space.items()}

    def build(self, hp: keras_tuner.HyperParameters | dict[str, Any]) -> keras.Model:
        """Make the compiled model of one trial.

        Args:
            hp: A `keras_tuner.HyperParameters`, or a trial's values as a dict (missing ones take
                their defaults).

        Returns:
            A functional Keras model: (rows, genes) -> (rows, outputs), logits for classification.
        """
        values = hp if isinstance(hp, dict) else self.values(hp)
        model = self.network(values)
        model.compile(
            optimizer=keras.optimizers.Adam(self.learning_rate),
            loss=self.task.keras_loss(values.get("label_smoothing", 0.0)),
            metrics=self.task.keras_metrics(),
        )
        return model

    def network(
        self, values: dict[str, Any], inputs: int | None = None, space: str = "genes",
        seed: int | None = None, is_plain: bool = False,
    ) -> keras.Model:  # fmt: skip
        """Make the network without loss and optimizer.

        Args:
            values: A trial's values; missing ones take their defaults.
            inputs: Width of the input; None for the number of genes.
            space: "genes", or "rows" for coordinates in the span of the training rows.
            seed: In place of the HyperModel's own.
            is_plain: Whether to use Keras' own layers alone, for the weights that
                `nn.dense_weights.to_dense_weights` returns.

        Raises:
            TypeError: The family looks at the genes with more than one dense layer.
        """
        values = self.completed(values)
        layers = LayerFactory(values, self.seed if seed is None else seed, self.levels(), is_plain)
        genes = keras.Input((inputs or self.inputs,), name="genes")
        seen = layers.gated(layers.noisy(genes, space))
        hidden = self.member.body(seen, values, layers)
        if values.get("linear_start"):
            hidden = layers.concatenate(hidden, _stem(seen, self.name).output)
        outputs = layers.dense(hidden, self.task.outputs)
        _stem(seen, self.name)
        nonlinearity = values.get("output_nonlinearity", "none")
        if nonlinearity != "none":
            outputs = keras.layers.Activation(nonlinearity)(outputs)
        return keras.Model(genes, outputs, name="network")

    def levels(self) -> list[Membership]:
        """Return the wiring of units that stand for gene sets; nothing for most families.

        Raises:
            InputError: A family needs names of genes and has none, or its files are wrong.
        """
        return self.member.levels(self.settings, self.features)

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a trial's values; missing ones take their defaults."""
        defaults = {name: hyper.options[0] for name, hyper in self._around(values).items()}
        return defaults | values

    def _around(self, values):
        """Return the search space that a trial's values open, whose defaults complete them."""
        heads = {
            name: [np.array(values[name]).tolist()]
            for name, hyper in self.member.space.items()
            if hyper.alone and name in values and not self._is_redundant(name, values)
        }
        return space_of(self.member.name(), heads) if heads else self.space

    def _is_redundant(self, name, values):
        """Return whether a value, such as an arc, stands for others that are there."""
        prefix = self.member.stands_for.get(name)
        return bool(prefix) and any(other.startswith(prefix) for other in values)


class AutoencoderModel(NetworkModel):
    """A search space whose `build` makes a compiled `nn.res_vae.ResVAE`.

    Args:
        inputs: Number of genes.
        task: A `tasks.Representation`: the number of covariates behind the genes, and of classes.
        space: Hyperparameter name to a list that narrows it or a scalar that fixes it; None for
            the family's own space.
        learning_rate: Of the compiled Adam optimizer; 0.001 by default.
        seed: Initial weights, dropout and sampling derive from it; 7 by default.
        features: Names of the genes, if latent units stand for sets of them; None by default.

    >>> from autogenome_tf import families, tasks
    >>> model = families.ResVAE(2000, tasks.Representation()).build({"latent": 4})
    >>> model.encode(keras.ops.zeros((1, 2000)))[0].shape
    TensorShape([1, 4])
    """

    member: type[AutoencoderFamily]

    def build(self, hp: keras_tuner.HyperParameters | dict[str, Any]) -> ResVAE:
        """Make the compiled model of one trial; `fit` takes rows alone.

        Args:
            hp: A `keras_tuner.HyperParameters`, or a trial's values as a dict (missing ones take
                their defaults).
        """
        model = self.network(hp if isinstance(hp, dict) else self.values(hp))
        model.compile(optimizer=keras.optimizers.Adam(self.learning_rate, clipnorm=1.0))
        return model

    def network(
        self, values: dict[str, Any], inputs: int | None = None, space: str = "genes",
        seed: int | None = None, is_plain: bool = False,
    ) -> ResVAE:  # fmt: skip
        """Make the model without an optimizer.

        Args:
            values: A trial's values; missing ones take their defaults.
            inputs: Number of genes; None for that of the HyperModel.
            space: "genes"; an autoencoder is not trained in row space.
            seed: In place of the HyperModel's own.
            is_plain: Of no effect: `ResVAE.finished` returns the model of Keras' own layers.
        """
        levels = self.levels()
        options = self.member.options(self.completed(values), levels) | {
            "covariates": self.task.covariates,
            "classes": len(self.task.classes),
            "seed": self.seed if seed is None else seed,
        }
        if levels:
            return ResVAE.of_sets(levels[0], **options)
        return ResVAE(inputs or self.inputs, **options)


def hypermodel_class(family: type[Family]) -> type:
    """Make the HyperModel class of a family, of the same name and docstring.

    Args:
        family: Class of the family.
    """
    base = NetworkModel if family.predicts_targets else AutoencoderModel
    return type(family.__name__, (base,), {"member": family, "__doc__": family.__doc__})


def _stem(genes, name):
    """Return the one dense layer that looks at the genes; refuse a network with anything else."""
    users = [node.operation for node in genes._keras_history.operation._outbound_nodes]
    if len(users) != 1 or not isinstance(users[0], STEMS):
        found = ", ".join(type(user).__name__ for user in users)
        raise TypeError(
            f"{name}.py: body: expected one dense or masked layer on the genes and no other use of "
            f"them; found {found}. Training swaps the coordinates of the genes."
        )
    return users[0]
