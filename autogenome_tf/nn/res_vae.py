"""Res-VAE: a variational autoencoder with skip connections in encoder and decoder."""

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive
from autogenome_tf.nn.layers import LayerFactory, to_dense_weights
from autogenome_tf.nn.likelihoods import BOUND, LIKELIHOODS, kl_divergence, log_normal
from autogenome_tf.nn.probabilistic_pca import ProbabilisticPCA

DEFAULTS = {
    "dropout": 0.1, "input_dropout": 0.0, "activation": "relu", "normalization": "batch", "l2": 0.0,
}  # fmt: skip


# Rows decoded at once where a row has many draws.
DECODED = 4096
# Names of the last layers: the linear way, the log variances, the last of the layers beside it.
ENCODER_ENDS = ("around", "spread", "mean")
DECODER_ENDS = ("around", "told")


@keras.saving.register_keras_serializable("autogenome_tf")
class ResVAE(keras.Model):
    """A variational autoencoder of fully connected residual (or dense) blocks.

    The encoder is a dense stem and blocks that narrow, each with a way around it; the decoder is
    its mirror image. With `linear` a linear map leads around all of encoder and decoder too, so
    that the layers learn what principal components leave (see `start`). The log-variance head is
    linear and bounded; the loss is the negative evidence lower bound (ELBO; Kingma and Welling
    2014) over the number of genes: log likelihoods are summed over genes and divergences over
    units, so that `beta` (Higgins et al. 2017) means what it says.

    Args:
        genes: Number of genes.
        latent: Number of latent units.
        widths: Widths of the encoder's layers; the decoder has them in reverse.
        skip: "add" (with a projection where widths differ; He et al. 2016) or "concatenate"
            (Huang et al. 2017).
        likelihood: A name of `likelihoods.LIKELIHOODS`.
        beta: Weight of the divergence.
        free_bits: Nats of each unit's mean divergence that cost nothing (Kingma et al. 2016).
        variance: Fixes the variance of a gaussian likelihood, which is learned otherwise.
        linear: Whether a linear map leads around encoder and decoder.
        covariates: Further inputs behind the genes, which encoder and decoder both see.
        sets: In place of a deep decoder a linear one, wired: the (connections,) numbers of latent
            units and of the genes they tell of; see `of_sets`.
        names: Of the latent units, where they stand for something.
        seed: Initial weights, dropout and sampling derive from it.
        **values: dropout, input_dropout, activation, normalization, l2 of all layers.

    A call takes (rows, genes + covariates), or, where the likelihood is of raw values, a pair of
    that and the (rows, genes) raw values, and returns the expected values (rows, genes) from the
    latent means. `fit` takes the same as its only input.

    >>> model = ResVAE(genes=100, latent=2, widths=(16, 8))
    >>> model.encode(np.zeros((3, 100), "float32"))[0].shape
    TensorShape([3, 2])
    """

    def __init__(
        self, genes, latent=16, widths=(256, 128), skip="add", likelihood="gaussian", beta=1.0,
        free_bits=0.0, variance=None, linear=False, covariates=0, sets=None, names=None, seed=7,
        name=None, **values,
    ):  # fmt: skip
        super().__init__(name=name)
        self._config = {
            "genes": genes, "latent": latent, "widths": list(widths), "skip": skip,
            "likelihood": likelihood, "beta": beta, "free_bits": free_bits, "variance": variance,
            "linear": linear, "covariates": covariates, "sets": sets, "names": names,
            "seed": seed, **values,
        }  # fmt: skip
        self.genes, self.latent, self.covariates = genes, latent, covariates
        self.likelihood = LIKELIHOODS[likelihood]
        self.beta, self.free_bits = beta, free_bits
        blocks = LayerFactory(DEFAULTS | values, seed)
        self.encoder = _encoder(blocks, genes + covariates, latent, widths, skip, linear)
        heads, inputs = self.likelihood.heads, latent + covariates
        if sets:
            self.decoder = _wired_decoder(blocks, inputs, latent, genes, heads, sets)
        else:
            self.decoder = _decoder(blocks, inputs, genes * heads, widths[::-1], skip, linear)
        self.noise = keras.random.SeedGenerator(derive(seed, "latent"))
        count = {"": 0, "variance": 1, "dispersion": genes}[self.likelihood.shared]
        start = np.log(variance) if variance else 0.0
        self.shared = self.add_weight(
            shape=(count,), name="shared", trainable=bool(count) and variance is None,
            initializer=keras.initializers.Constant(start),
        )  # fmt: skip
        # Part of `beta` that counts by now; training warms it up.
        self.warmth = self.add_weight(shape=(), name="warmth", initializer="ones", trainable=False)
        self.built = True

    @classmethod
    def of_sets(cls, membership, bypass=0, **options):
        """A model whose latent units stand for sets of genes (VEGA, Seninge et al. 2021).

        The decoder is linear, and a unit tells of the genes of its set alone, so that its latent
        mean is the activity of the set.

        Args:
            membership: A `genesets.Membership` of the genes.
            bypass: Further units that tell of all genes, for what no set explains.
            **options: As for the class, but latent.
        """
        count, genes = len(membership.names), membership.inputs
        free = np.arange(count, count + bypass)
        units = np.concatenate([membership.columns, np.repeat(free, genes)])
        told = np.concatenate([membership.rows, np.tile(np.arange(genes), bypass)])
        names = [*membership.names, *(f"z{unit}" for unit in range(1, bypass + 1))]
        return cls(
            genes, count + bypass, sets=[units.tolist(), told.tolist()], names=names, **options
        )

    @classmethod
    def from_layers(cls, config, encoder, decoder, shared):
        """A model around an encoder and a decoder that were trained in another."""
        model = cls(**config)
        model.encoder, model.decoder = encoder, decoder
        model.shared.assign(shared)
        return model

    def finished(self):
        """The trained model of Keras' own layers, each unit turned so that it raises its genes.

        An autoencoder does not know a unit from its negative; the sum of a unit's weights in a
        linear decoder decides (as in expiMap, Lotfollahi et al. 2023). A deep decoder stays as it
        is.
        """
        if not self._config["sets"]:
            return self
        weights = [weight[None] for weight in self.decoder.get_weights()]
        kernel, bias = to_dense_weights(self.decoder, weights)
        # Behind the genes come chances of a zero, where there are any.
        raised = kernel[0, : self.latent, : self.genes].sum(axis=1)
        signs = np.where(raised < 0, -1.0, 1.0).astype("float32")
        kernel[0, : self.latent] *= signs[:, None]
        around, _, deep = ENCODER_ENDS
        for layer in [around, deep] if self._config["linear"] else [deep]:
            layer = self.encoder.get_layer(layer)
            layer.set_weights([part * signs for part in layer.get_weights()])
        points = keras.Input(self.decoder.input_shape[1:], name="latent")
        layer = keras.layers.Dense(kernel.shape[-1], name=DECODER_ENDS[-1])
        decoder = keras.Model(points, layer(points), name="decoder")
        decoder.set_weights([kernel[0], bias[0]])
        config = {key: value for key, value in self.get_config().items() if key != "name"}
        return type(self).from_layers(config, self.encoder, decoder, self.shared.numpy())

    def get_config(self):
        """What the constructor takes."""
        return self._config | {"name": self.name}

    def start(self, rows, covariates=None, values=None):
        """Start a `linear` model as probabilistic PCA (Tipping and Bishop 1999) of some rows.

        The linear ways become the components' encoder and decoder, the layers beside them give 0,
        and a gaussian likelihood gets the mean variance that the components leave: the ELBO is
        that of probabilistic PCA then. Other likelihoods start with the components in their
        encoder, and in their decoder to first order around the mean.

        Args:
            rows: (rows, genes), what the encoder sees, without covariates.
            covariates: (rows, covariates); the components are of what their level means leave.
            values: (rows, genes) raw, where the likelihood is of raw values.
        """
        coded = np.zeros((len(rows), 0)) if covariates is None else covariates
        levels = np.linalg.lstsq(coded, rows, rcond=None)[0]
        found = self._components((rows - coded @ levels).astype("float32"))
        spread = np.log(found.posterior)
        around, log_variances, beside = (self.encoder.get_layer(name) for name in ENCODER_ENDS)
        ways = np.vstack([found.encoder, -levels @ found.encoder])
        around.set_weights([ways, -found.mean @ found.encoder])
        log_variances.set_weights([np.zeros(log_variances.kernel.shape), spread])
        _silence(beside)
        slopes, offset = 1.0, found.mean
        if self.likelihood.of_raw:
            slopes, centre = self._tangent(rows, np.nan_to_num(values))
            offset = centre - slopes * (rows.mean(axis=0, dtype="float64") - found.mean)
        kernel, bias = self._to_heads(np.vstack([found.kernel, levels]) * slopes, offset)
        if self._config["sets"]:
            layer = self.decoder.layers[-1]
            layer.set_weights([kernel[layer.rows, layer.columns], bias])
        else:
            around, beside = (self.decoder.get_layer(name) for name in DECODER_ENDS)
            around.set_weights([kernel, bias])
            _silence(beside)
        if self.likelihood.shared == "variance" and self.shared.trainable:
            self.shared.assign([np.log(found.variance)])

    def _components(self, rows):
        """What the linear ways start as."""
        if self._config["sets"]:
            return ProbabilisticPCA.of_sets(rows, *map(np.asarray, self._config["sets"]))
        return ProbabilisticPCA.of(rows, self.latent)

    def _to_heads(self, kernel, bias):
        """A layer on the first of the likelihood's heads; all others start at 0."""
        others = (self.likelihood.heads - 1) * kernel.shape[1]
        kernel = np.hstack([kernel, np.zeros((len(kernel), others))])
        return [kernel, np.concatenate([bias, np.zeros(others)])]

    def _tangent(self, rows, values):
        """Slope of what is decoded with each gene of `rows`, and its value at the mean."""
        mean = values.mean(axis=0, dtype="float64")
        if self.likelihood.shared != "dispersion":
            chance = np.clip(mean, 0.01, 0.99)
            spread = values.std(axis=0) / np.maximum(rows.std(axis=0), 1e-6)
            return spread / (chance * (1 - chance)), np.log(chance / (1 - chance))
        shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-12)
        centre = np.log(np.maximum(shares.mean(axis=0, dtype="float64"), 1e-8))
        logs = np.log(shares + np.exp(centre))
        return logs.std(axis=0) / np.maximum(rows.std(axis=0), 1e-6), centre

    def encode(self, rows):
        """(rows, genes + covariates) -> means and log variances, (rows, latent) each.

        Nothing is drawn: the means are the latent space.
        """
        return self.encoder(rows, training=False)

    def decode(self, latent, covariates=None, library=None):
        """Expected values of latent points.

        Args:
            latent: (rows, latent).
            covariates: (rows, covariates), or None for none (or zeros).
            library: (rows, 1) sums of counts, for likelihoods of counts; 10,000 where left out.

        Returns:
            (rows, genes): scaled values, chances, or counts, by the likelihood.
        """
        latent = tf.convert_to_tensor(latent, tf.float32)
        library = 1e4 if library is None else tf.convert_to_tensor(library, tf.float32)
        decoded = self.decoder(self._with_covariates(latent, covariates), training=False)
        return self.likelihood.mean(decoded, library)

    def sample(self, count, covariates=None, library=None, seed=None):
        """Expected values of `count` points drawn from the prior; see `decode`."""
        return self.decode(
            keras.random.normal((count, self.latent), seed=seed), covariates, library
        )

    def call(self, inputs, training=False):
        """Expected values (rows, genes) from the latent means."""
        rows, values = self._parts(inputs)
        mean, _ = self.encoder(rows, training=training)
        decoded = self.decoder(self._onto(mean, rows), training=training)
        return self.likelihood.mean(decoded, _library(values))

    def bound(self, inputs, training=False, seed=None):
        """The two parts of the ELBO, with one draw a row.

        Args:
            inputs: As for a call.
            training: Whether dropout and batch statistics are used.
            seed: Of the draw: a whole number, or a tensor of it and 0, so that one trace serves
                several; the model's own stream where left out.

        Returns:
            (rows,) log likelihoods and (rows, latent) divergences, in nats.
        """
        rows, values = self._parts(inputs)
        mean, log_variance = self.encoder(rows, training=training)
        if seed is None:
            drawn = keras.random.normal(tf.shape(mean), seed=self.noise)
        else:
            seed = [seed, 0] if isinstance(seed, int) else seed
            drawn = tf.random.stateless_normal(tf.shape(mean), seed)
        points = mean + tf.exp(0.5 * log_variance) * drawn
        decoded = self.decoder(self._onto(points, rows), training=training)
        return self._log_likelihood(values, decoded), kl_divergence(mean, log_variance)

    def importance_weighted(self, inputs, draws, seed):
        """The importance-weighted bound on log p of each row (Burda et al. 2016).

        Args:
            inputs: As for a call.
            draws: How many; the bound does not fall with it on average, and at 1 is the ELBO.
            seed: Of the draws.

        Returns:
            (rows,) in nats.
        """
        rows, values = self._parts(inputs)
        mean, log_variance = self.encoder(rows, training=False)
        generator, weights = keras.random.SeedGenerator(seed), []
        count = len(mean)
        together = max(1, DECODED // count)
        for start in range(0, draws, together):
            times = min(together, draws - start)
            seen, told, centre, spread = (
                tf.tile(part, [times, 1]) for part in (rows, values, mean, log_variance)
            )
            drawn = keras.random.normal(tf.shape(centre), seed=generator)
            points = centre + tf.exp(0.5 * spread) * drawn
            decoded = self.decoder(self._onto(points, seen), training=False)
            prior = tf.reduce_sum(log_normal(points, 0.0, tf.zeros(())), axis=-1)
            posterior = tf.reduce_sum(log_normal(points, centre, spread), axis=-1)
            found = self._log_likelihood(told, decoded) + prior - posterior
            weights.append(tf.reshape(found, (times, count)))
        return tf.reduce_logsumexp(tf.concat(weights, axis=0), axis=0) - np.log(draws)

    def losses_of(self, inputs, training=False, seed=None):
        """The loss of some rows and its parts.

        Returns:
            Dict of scalars: loss (over the number of genes), reconstruction (mean negative log
            likelihood of a row) and kl (mean divergence of a row), both in nats.
        """
        likelihood, divergence = self.bound(inputs, training, seed)
        reconstruction = -tf.reduce_mean(likelihood)
        units = tf.reduce_mean(divergence, axis=0)
        paid = tf.reduce_sum(tf.maximum(units, self.free_bits))
        total = reconstruction + self.beta * self.warmth * paid
        total = total / self.genes + sum(self.losses)
        return {"loss": total, "reconstruction": reconstruction, "kl": tf.reduce_sum(units)}

    def train_step(self, data):
        """One step of `fit`."""
        inputs = keras.utils.unpack_x_y_sample_weight(data)[0]
        with tf.GradientTape() as tape:
            found = self.losses_of(inputs, training=True)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(found["loss"], variables), variables)
        return found

    def test_step(self, data):
        """One step of `evaluate`."""
        return self.losses_of(keras.utils.unpack_x_y_sample_weight(data)[0])

    def _parts(self, inputs):
        """What the encoder sees, and the values the likelihood is of."""
        if self.likelihood.of_raw:
            return inputs
        return inputs, inputs[:, : self.genes]

    def _onto(self, points, rows):
        return self._with_covariates(points, rows[:, self.genes :])

    def _with_covariates(self, points, covariates):
        if not self.covariates:
            return points
        if covariates is None:
            covariates = tf.zeros((tf.shape(points)[0], self.covariates))
        return tf.concat([points, tf.cast(covariates, tf.float32)], axis=-1)

    def _log_likelihood(self, values, decoded):
        shared = tf.clip_by_value(self.shared, -BOUND, BOUND)
        return self.likelihood.log_likelihood(values, decoded, shared, _library(values))


def _silence(layer):
    layer.set_weights([np.zeros(weights.shape) for weights in layer.get_weights()])


def _library(values):
    known = tf.where(tf.math.is_finite(values), values, 0.0)
    return tf.reduce_sum(known, axis=-1, keepdims=True)


def _encoder(blocks, inputs, latent, widths, skip, linear):
    """(rows, inputs) -> means and log variances (rows, latent)."""
    rows = keras.Input((inputs,), name="genes")
    seen = blocks.noisy(rows, "genes")
    hidden = _through(blocks, seen, widths, skip)
    around, spread, deep = ENCODER_ENDS
    mean = blocks.dense(hidden, latent, deep)
    if linear:
        mean = keras.layers.Add()([blocks.dense(seen, latent, around), mean])
    log_variance = keras.ops.clip(blocks.dense(hidden, latent, spread), -BOUND, BOUND)
    return keras.Model(rows, [mean, log_variance], name="encoder")


def _decoder(blocks, inputs, outputs, widths, skip, linear):
    """(rows, inputs) -> (rows, outputs)."""
    points = keras.Input((inputs,), name="latent")
    around, deep = DECODER_ENDS
    decoded = blocks.dense(_through(blocks, points, widths, skip), outputs, deep)
    if linear:
        decoded = keras.layers.Add()([blocks.dense(points, outputs, around), decoded])
    return keras.Model(points, decoded, name="decoder")


def _wired_decoder(blocks, inputs, latent, genes, heads, sets):
    """(rows, inputs) -> (rows, heads * genes), linear; covariates tell of all genes."""
    units, told = (np.asarray(part) for part in sets)
    around = np.repeat(np.arange(latent, inputs), genes)
    units = np.concatenate([units, around])
    told = np.concatenate([told, np.tile(np.arange(genes), inputs - latent)])
    shifts = np.repeat(np.arange(heads) * genes, len(told))
    points = keras.Input((inputs,), name="latent")
    decoded = blocks.masked(
        points, np.tile(units, heads), np.tile(told, heads) + shifts, genes * heads
    )
    return keras.Model(points, decoded, name="decoder")


def _through(blocks, x, widths, skip):
    """A dense stem, then blocks with a way around each."""
    x = blocks.activated(blocks.dense(x, widths[0]))
    for width in widths[1:]:
        inside = blocks.activated(blocks.dense(x, width))
        if skip == "concatenate":
            x = blocks.concatenate(x, inside)
        else:
            around = x if x.shape[-1] == width else blocks.dense(x, width)
            x = keras.layers.Add()([around, inside])
    return x
