"""Res-VAE: a variational autoencoder with skip connections in encoder and decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive
from autogenome_tf.nn import _res_vae_layers
from autogenome_tf.nn._elbo import ElboModel, library_sizes
from autogenome_tf.nn._res_vae_layers import ENCODER_ENDS, build_plain_decoder
from autogenome_tf.nn._res_vae_start import start_as_pca, start_classifier
from autogenome_tf.nn.dense_weights import to_dense_weights
from autogenome_tf.nn.layers import LayerFactory
from autogenome_tf.nn.likelihoods import LIKELIHOODS

DEFAULTS = {
    "dropout": 0.1, "input_dropout": 0.0, "activation": "relu", "normalization": "batch", "l2": 0.0,
}  # fmt: skip


@keras.saving.register_keras_serializable("autogenome_tf")
class ResVAE(ElboModel):
    """A variational autoencoder of fully connected residual (or dense) blocks.

    The encoder is a dense stem and blocks that narrow, each with a skip connection; the decoder is
    its mirror image. With `linear` a linear map leads around all of encoder and decoder too, so
    that the blocks learn what principal components leave (see `start`). The log-variance head is
    linear and bounded.

    The loss is the negative evidence lower bound (ELBO; Kingma and Welling 2014) over the number of
    genes. Log likelihoods are summed over genes and divergences over units, so that `beta` is the
    weight of Higgins et al. (2017).

    Args:
        genes: Number of genes.
        latent: Number of latent units.
        widths: Widths of the encoder's layers; the decoder has them in reverse.
        skip: "add" (with a projection where widths differ; He et al. 2016) or "concatenate"
            (Huang et al. 2017).
        likelihood: A name of `likelihoods.LIKELIHOODS`.
        beta: Weight of the divergence.
        free_bits: Nats of each unit's mean divergence that cost nothing (Kingma et al. 2016).
        alignment: Weight of the discrepancy between the latent points of different levels of the
            covariates; see `ElboModel.losses_of`.
        variance: Fixes the variance of a gaussian likelihood, which is learned otherwise.
        linear: Whether a linear map leads around encoder and decoder.
        covariates: Further inputs behind the genes.
        condition: "both" where encoder and decoder see the covariates; "decoder" where the decoder
            alone does (as in scVI, Lopez et al. 2018), so that latent units need not encode them;
            "shift" where a level of a covariate shifts the decoder's outputs of all rows alike,
            whatever their latent points, and nothing else sees it.
        scale: (latent,) standard deviations of the prior; None for 1. See `scaled`.
        sets: Two lists of (connections,): indices of latent units, and of the genes that a linear
            decoder wires them to; None for a deep decoder. See `of_sets`.
        names: Of the latent units, where they stand for gene sets.
        classes: Number of classes of a softmax layer on the latent units, which `fit` trains by
            labels beside the ELBO; 0 for none. See `ElboModel.losses_of`.
        seed: Initial weights, dropout and sampling derive from it.
        parts: Encoder, decoder and classifier (None without classes) of a trained model in place of
            new ones. See `from_layers`.
        **values: dropout, input_dropout, activation, normalization, l2 of all layers.

    Attributes:
        deviation: (latent,) float32 standard deviations of the prior.

    A call takes (rows, genes + covariates) and returns the expected values (rows, genes) from the
    latent means. Where the likelihood is of raw values, it takes a pair: that, and the (rows,
    genes) raw values. `fit` takes the same, and with `classes` the (rows,) positions of classes, -1
    where a row has no label.

    >>> model = ResVAE(genes=100, latent=2, widths=(16, 8))
    >>> model.encode(np.zeros((3, 100), "float32"))[0].shape
    TensorShape([3, 2])
    """

    def __init__(
        self, genes: int, latent: int = 16, widths: Sequence[int] = (256, 128), skip: str = "add",
        likelihood: str = "gaussian", beta: float = 1.0, free_bits: float = 0.0,
        alignment: float = 0.0, variance: float | None = None, linear: bool = False,
        covariates: int = 0, condition: str = "both", scale: list[float] | None = None,
        sets: list | None = None,
        names: list[str] | None = None, classes: int = 0, seed: int = 7,
        name: str | None = None, parts: Sequence[keras.Model | None] | None = None, **values: Any,
    ):  # fmt: skip
        super().__init__(name=name)
        self._config = {
            "genes": genes, "latent": latent, "widths": list(widths), "skip": skip,
            "likelihood": likelihood, "beta": beta, "free_bits": free_bits, "alignment": alignment,
            "variance": variance, "linear": linear, "covariates": covariates,
            "condition": condition, "scale": scale,
            "sets": sets, "names": names, "classes": classes, "seed": seed, **values,
        }  # fmt: skip
        self.genes, self.latent, self.covariates = genes, latent, covariates
        self.classes = classes
        self.likelihood = LIKELIHOODS[likelihood]
        self.beta, self.free_bits, self.alignment = beta, free_bits, alignment
        # Number of the last inputs that the encoder does not see.
        blind = 0 if condition == "both" else covariates
        self._seen = np.repeat([1.0, 0.0], [genes, blind]).astype("float32") if blind else None
        self.deviation = np.asarray(np.ones(latent) if scale is None else scale, "float32")
        self.encoder, self.decoder, self.classifier = parts or self._new_parts(
            LayerFactory(DEFAULTS | values, seed), widths, {"skip": skip, "linear": linear}, blind
        )
        self.noise = keras.random.SeedGenerator(derive(seed, "latent"))
        count = {"": 0, "variance": 1, "dispersion": genes}[self.likelihood.shared]
        start = np.log(variance) if variance else 0.0
        self.shared = self.add_weight(
            shape=(count,), name="shared", trainable=bool(count) and variance is None,
            initializer=keras.initializers.Constant(start),
        )  # fmt: skip
        # Factor of `beta`, which training warms up.
        self.warmth = self.add_weight(shape=(), name="warmth", initializer="ones", trainable=False)
        self.built = True

    def _new_parts(self, layers, widths, options, blind):
        """Return an untrained encoder, decoder and classifier (None without classes)."""
        inputs, outputs = self.latent + self.covariates, self.genes * self.likelihood.heads
        encoder = _res_vae_layers.build_encoder(
            layers, self.genes + self.covariates, self.latent, widths, blind=blind, **options
        )
        if sets := self._config["sets"]:
            decoder = _res_vae_layers.build_wired_decoder(
                layers, *sets, inputs=inputs, latent=self.latent, outputs=self.genes,
                heads=self.likelihood.heads,
            )  # fmt: skip
        else:
            shifts = self.covariates if self._config["condition"] == "shift" else 0
            decoder = _res_vae_layers.build_decoder(
                layers, inputs, outputs, widths[::-1], shifts=shifts, **options
            )
        if self._config["scale"] is not None:
            encoder, decoder = _res_vae_layers.scaled(encoder, decoder, self.deviation)
        classifier = None
        if self.classes:
            classifier = _res_vae_layers.build_classifier(self.latent, self.classes)
        return encoder, decoder, classifier

    @classmethod
    def of_sets(cls, membership: Any, bypass: int = 0, **options: Any) -> ResVAE:
        """Make a model whose latent units stand for gene sets (VEGA, Seninge et al. 2021).

        The decoder is linear, and a unit is wired to the genes of its set alone, so that its latent
        mean is the activity of the set.

        Args:
            membership: The `families.Membership` of the genes.
            bypass: Further units that are wired to all genes, for what no set explains.
            **options: As for the class, without `genes` and `latent`.
        """
        count, genes = len(membership.names), membership.inputs
        free = np.arange(count, count + bypass)
        units = np.concatenate([membership.columns, np.repeat(free, genes)])
        wired = np.concatenate([membership.rows, np.tile(np.arange(genes), bypass)])
        names = [*membership.names, *(f"z{unit}" for unit in range(1, bypass + 1))]
        return cls(
            genes, count + bypass, sets=[units.tolist(), wired.tolist()], names=names, **options
        )

    @classmethod
    def from_layers(
        cls, config: dict[str, Any], encoder: keras.Model, decoder: keras.Model, shared: Any,
        classifier: keras.Model | None = None,
    ) -> ResVAE:  # fmt: skip
        """Make a model of a `get_config`, a trained encoder, decoder and shared parameters.

        Args:
            config: Constructor arguments; the name is not kept.
            encoder: Keras model, rows -> mean and log variance.
            decoder: Keras model, latent points -> heads of the likelihood.
            shared: Parameters of the likelihood that all rows share.
            classifier: Keras model, latent points -> logits; None without classes.
        """
        own = {key: value for key, value in config.items() if key != "name"}
        model = cls(**own, parts=(encoder, decoder, classifier))
        model.shared.assign(shared)
        return model

    def finished(self) -> ResVAE:
        """Return the trained model of Keras' own layers, with the sign of each unit fixed.

        A unit and its negative are equivalent in training; the sum of a unit's weights in a linear
        decoder is made positive (as in expiMap, Lotfollahi et al. 2023). A model with a deep
        decoder is returned as it is.
        """
        if not self._config["sets"]:
            return self
        weights = [weight[None] for weight in self.decoder.get_weights()]
        kernel, bias = to_dense_weights(self.decoder, weights)
        # Behind the genes come the logits of structural zeros, where there are any.
        raised = kernel[0, : self.latent, : self.genes].sum(axis=1)
        signs = np.where(raised < 0, -1.0, 1.0).astype("float32")
        kernel[0, : self.latent] *= signs[:, None]
        around, _, deep = ENCODER_ENDS
        for name in [around, deep] if self._config["linear"] else [deep]:
            layer = self.encoder.get_layer(name)
            layer.set_weights([part * signs for part in layer.get_weights()])
        decoder = build_plain_decoder(kernel[0], bias[0])
        return self._with_ends(self._config, self.encoder, decoder, signs)

    def scaled(self, scale: np.ndarray) -> ResVAE:
        """Rescale the latent units of the trained model.

        Means and standard deviations of the posterior, and of the prior, are multiplied, and the
        decoder divides, so that expected values and the ELBO stay as they are.

        Args:
            scale: (latent,) factors above 0.
        """
        config = self._config | {"scale": (self.deviation * scale).tolist()}
        ends = _res_vae_layers.scaled(self.encoder, self.decoder, np.asarray(scale, "float32"))
        return self._with_ends(config, *ends, scale)

    def _with_ends(self, config, encoder, decoder, scale):
        """Return the same model around other ends, whose units are multiplied by `scale`."""
        classifier = self.classifier and _res_vae_layers.scaled_classifier(self.classifier, scale)
        return self.from_layers(config, encoder, decoder, self.shared.numpy(), classifier)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return self._config | {"name": self.name}

    def start(
        self, rows: np.ndarray, covariates: np.ndarray | None = None,
        values: np.ndarray | None = None, labels: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Start a `linear` model as probabilistic PCA (Tipping and Bishop 1999) of some rows.

        The linear maps become the components' encoder and decoder, the blocks beside them give 0,
        and a gaussian likelihood gets the mean variance that the components leave: the ELBO is
        that of probabilistic PCA then. Other likelihoods start with the components in their
        encoder, and in their decoder to first order around the mean. A classifier starts as the
        logistic regression on the components.

        Args:
            rows: (rows, genes), what the encoder sees, without covariates.
            covariates: (rows, covariates); the components are of what their level means leave.
            values: (rows, genes) raw, where the likelihood is of raw values.
            labels: (rows,) positions of classes, -1 where a row has no label; with `classes`.
        """
        start_as_pca(self, rows, covariates, values)
        if labels is not None:
            seen = rows if covariates is None else np.hstack([rows, covariates])
            start_classifier(self, self.encode(seen)[0].numpy(), labels)

    def encode(self, rows: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the means and log variances of (rows, genes + covariates), (rows, latent) each.

        Nothing is drawn: the means are the latent space.

        Args:
            rows: (rows, genes + covariates) preprocessed values.
        """
        return self._encoded(rows, training=False)

    def decode(self, latent: Any, covariates: Any = None, library: Any = None) -> tf.Tensor:
        """Compute the expected values of latent points.

        Args:
            latent: (rows, latent).
            covariates: (rows, covariates), or None for none (or zeros).
            library: (rows, 1) sums of counts, for likelihoods of counts; 10,000 where left out.

        Returns:
            (rows, genes): scaled values, probabilities, or counts, by the likelihood.
        """
        latent = tf.convert_to_tensor(latent, tf.float32)
        library = 1e4 if library is None else tf.convert_to_tensor(library, tf.float32)
        decoded = self.decoder(self._with_covariates(latent, covariates), training=False)
        return self.likelihood.mean(decoded, library)

    def sample(
        self, count: int, covariates: Any = None, library: Any = None, seed: int | None = None
    ) -> tf.Tensor:
        """Compute the expected values of `count` points drawn from the prior; see `decode`.

        Args:
            covariates: (rows, covariates) columns, or None.
            library: (rows,) library sizes of counts, or None.
            seed: Seed of the draw.
            count: Number of samples.
        """
        return self.decode(self.prior(count, seed), covariates, library)

    def prior(self, count: int, seed: int | None = None) -> tf.Tensor:
        """Draw points from the prior.

        Args:
            count: Number of points.
            seed: Seed of the draw.

        Returns:
            (count, latent) in the units of the latent space.
        """
        return keras.random.normal((count, self.latent), seed=seed) * self.deviation

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Compute the expected values (rows, genes) from the latent means.

        Args:
            inputs: As for the class.
            training: Whether dropout is on.
        """
        rows, values = self._rows_and_values(inputs)
        mean, _ = self._encoded(rows, training)
        decoded = self.decoder(self._onto(mean, rows), training=training)
        return self.likelihood.mean(decoded, library_sizes(values))
