"""The HyperModel around every family: input, the member's body, the logits layer."""

import keras
import keras_tuner
import numpy as np

from autogenome_tf import families
from autogenome_tf.core.errors import InputError
from autogenome_tf.families._family import Family, name_of
from autogenome_tf.nn.layers import LayerFactory
from autogenome_tf.nn.res_vae import ResVAE


class NetworkModel(keras_tuner.HyperModel):
    """A search space whose `build` makes a compiled Keras model.

    Args:
        inputs: Number of genes.
        task: A `tasks.Classification` or `tasks.Regression`: outputs and loss.
        space: Hyperparameter name to a list that narrows it or a scalar that fixes it.
        learning_rate: Of the compiled Adam optimizer.
        seed: Initial weights and dropout derive from it.
        features: Names of the genes, for families that look at them.

    >>> from autogenome_tf import families, tasks
    >>> mlp = families.MLP(2000, tasks.Classification(["healthy", "tumour"]))
    >>> mlp.build({"layers": 1, "units": 8}).output_shape
    (None, 2)
    """

    member: type[Family]

    def __init__(self, inputs, task, space=None, learning_rate=1e-3, seed=7, features=None):
        super().__init__(name=name_of(self.member))
        self.inputs = int(inputs)
        self.task = task
        self.space = families.space(self.name, space)
        self.settings = families.settings(self.name, space)
        self.features = features
        self.learning_rate = learning_rate
        self.seed = seed

    def values(self, hp):
        """Ask `hp` for every hyperparameter of the space; returns a plain dict."""
        return {name: hyper.ask(hp, name) for name, hyper in self.space.items()}

    def build(self, hp):
        """Make the compiled model of one trial.

        Args:
            hp: A `keras_tuner.HyperParameters`, or a trial's values as a dict (what is left out
                takes its default).

        Returns:
            A functional Keras model: (rows, genes) -> (rows, outputs), logits for classification.
        """
        values = hp if isinstance(hp, dict) else self.values(hp)
        model = self.network(values)
        model.compile(
            optimizer=keras.optimizers.Adam(self.learning_rate),
            loss=self.task.keras_loss(),
            metrics=self.task.keras_metrics(),
        )
        return model

    def network(self, values, inputs=None, space="genes", seed=None, is_plain=False):
        """Make the network alone.

        Args:
            values: A trial's values.
            inputs: Width of the input where it is not the number of genes.
            space: "genes", or "rows" where inputs are coordinates in the span of training rows.
            seed: Takes the place of the family's own.
            is_plain: Whether to make it of Keras' own layers alone, for the weights that
                `layers.to_dense_weights` gives.
        """
        values = self.completed(values)
        layers = LayerFactory(values, self.seed if seed is None else seed, self.levels(), is_plain)
        genes = keras.Input((inputs or self.inputs,), name="genes")
        seen = layers.gated(layers.noisy(genes, space))
        hidden = self.member.body(seen, values, layers)
        outputs = layers.dense(hidden, self.task.outputs)
        nonlinearity = values.get("output_nonlinearity", "none")
        if nonlinearity != "none":
            outputs = keras.layers.Activation(nonlinearity)(outputs)
        return keras.Model(genes, outputs, name="network")

    def levels(self):
        """What units stand for, a `genesets.Membership` a level; none for most families.

        Raises:
            InputError: Where a family needs names of genes and has none, or its files are wrong.
        """
        if not self.settings.get("gene_sets"):
            return ()
        if self.features is None:
            raise InputError(f"families.{self.name}: expected features, the names of the genes.")
        return self.member.levels(self.settings, self.features)

    def completed(self, values):
        """A trial's values with the defaults of what they leave out."""
        defaults = {name: hyper.options[0] for name, hyper in self._around(values).items()}
        return defaults | values

    def _around(self, values):
        """The space whose defaults complete values; some values open a space of their own."""
        heads = {
            name: [np.array(values[name]).tolist()]
            for name, hyper in self.member.space.items()
            if hyper.alone and name in values and not self._is_said(name, values)
        }
        return families.space(self.name, heads) if heads else self.space

    def _is_said(self, name, values):
        """Whether a value, such as an arc, stands for others that are there."""
        said = self.member.stands_for.get(name)
        return bool(said) and any(other.startswith(said) for other in values)


class AutoencoderModel(NetworkModel):
    """A search space whose `build` makes a compiled `resvae.ResVAE`.

    Args:
        inputs: Number of genes.
        task: A `tasks.Representation`: how many covariates stand behind the genes.
        space: Hyperparameter name to a list that narrows it or a scalar that fixes it.
        learning_rate: Of the compiled Adam optimizer.
        seed: Initial weights, dropout and sampling derive from it.
        features: Names of the genes, where latent units stand for sets of them.

    >>> from autogenome_tf import families, tasks
    >>> model = families.ResVAE(2000, tasks.Representation()).build({"latent": 4})
    >>> model.encode(keras.ops.zeros((1, 2000)))[0].shape
    TensorShape([1, 4])
    """

    def build(self, hp):
        """Make the compiled model of one trial; `fit` takes rows alone.

        Args:
            hp: A `keras_tuner.HyperParameters`, or a trial's values as a dict (what is left out
                takes its default).
        """
        model = self.network(hp if isinstance(hp, dict) else self.values(hp))
        model.compile(optimizer=keras.optimizers.Adam(self.learning_rate, clipnorm=1.0))
        return model

    def network(self, values, inputs=None, space="genes", seed=None):
        """Make the model alone; `space` is always genes."""
        values = self.completed(values)
        passed = ("skip", "likelihood", "beta", "free_bits", "dropout", "input_dropout",
                  "activation", "normalization", "l2")  # fmt: skip
        options = {name: values[name] for name in passed} | {
            "widths": self.member.widths(values),
            "covariates": self.task.covariates,
            "seed": self.seed if seed is None else seed,
        }
        options["linear"] = values["linear"] == "pca"
        for level in self.levels():
            return ResVAE.of_sets(level, values["bypass"], **options)
        return ResVAE(inputs or self.inputs, values["latent"], **options)
