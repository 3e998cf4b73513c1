"""The deliverable of a representation: raw values to latent means and expected values."""

import dataclasses

import keras
import numpy as np

from autogenome_tf import preprocessing
from autogenome_tf.models._predictor import Branch, Predictor, batches
from autogenome_tf.nn.likelihoods import LIKELIHOODS
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.tasks import Representation


@dataclasses.dataclass(frozen=True)
class LatentModel(Predictor):
    """A fitted autoencoder behind its preprocessing.

    Attributes:
        model: Functional Keras model of Keras' own layers, so that it loads without this package:
            raw (rows, genes + covariates) -> dict of latent and log_variance (rows, units), and
            reconstruction (rows, kept genes): transformed values, chances, or counts, by the
            likelihood. Its layers are "preprocessing", "encoder", "decoder".
        autoencoder: The `ResVAE` itself, around the same layers.
        averages: (covariates,) means of the training rows.
        library: Median sum of a row's counts, for likelihoods of counts.
    """

    autoencoder: ResVAE = None
    averages: list = ()
    library: float | None = None

    @classmethod
    def of(cls, network, transform, constants, features, missing, averages=(), library=None):
        """Put preprocessing before a trained `ResVAE` and undo the scaling behind it.

        Args:
            network: The `ResVAE`.
            transform: `Transform`.
            constants: `FittedScaling` of the genes.
            features: Names of genes, then of covariates.
            missing: The config's `data.missing`.
            averages: See the class.
            library: See the class.
        """
        raw = keras.Input((len(features),), name="genes")
        genes = len(features) - network.covariates
        front = _front(transform, constants, len(features), genes)
        network.encoder.name, network.decoder.name = "encoder", "decoder"
        rows = front(raw)
        mean, log_variance = network.encoder(rows)
        points = mean
        if network.covariates:
            points = keras.layers.Concatenate()([mean, rows[:, len(constants.genes) :]])
        decoded = network.decoder(points)
        outputs = {
            "latent": keras.layers.Identity(name="latent")(mean),
            "log_variance": keras.layers.Identity(name="log_variance")(log_variance),
            "reconstruction": _expected(network, decoded, raw, constants, genes),
        }
        model = keras.Model(raw, outputs, name="autogenome_tf")
        task = Representation(network.covariates)
        sources = [(transform.name, _kept(constants.genes, genes, network.covariates))]
        return cls(model, task, list(features), missing, sources, network, averages, library)

    @property
    def latent_names(self):
        """z1, z2, ..., or the sets that units stand for."""
        named = self.autoencoder.get_config()["names"]
        return named or [f"z{unit}" for unit in range(1, self.autoencoder.latent + 1)]

    @property
    def kept_features(self):
        """Names of the genes that are told again."""
        (_, kept) = self.sources[0]
        return [self.features[gene] for gene in kept[: self.autoencoder.genes]]

    @property
    def branches(self):
        """What explainers look at: the way from genes to latent means."""
        (transform, kept), encoder = self.sources[0], self.autoencoder.encoder
        network = keras.Model(encoder.inputs[0], encoder.outputs[0])
        return [Branch(transform, kept, self.model.get_layer("preprocessing"), network)]

    @property
    def output_scale(self):
        """Latent means are explained as they are."""
        return np.ones(self.autoencoder.latent), np.zeros(self.autoencoder.latent)

    @property
    def output_names(self):
        """Of what is explained."""
        return self.latent_names

    def outputs(self, values):
        """Latent means of raw rows, an array or CSR (rows, genes + covariates)."""
        return self.run(values, "latent")

    def run(self, values, name):
        """One of the model's outputs for raw rows."""
        parts = [np.asarray(self.model(batch, training=False)[name]) for batch in batches(values)]
        return np.concatenate(parts)

    def bounds(self, values, seed, draws=1):
        """What held rows cost: negative log likelihood, divergence, negative tighter bound.

        Args:
            values: Raw rows, an array or CSR.
            seed: Of the draws.
            draws: Of the importance-weighted bound.

        Returns:
            (rows, 3) in nats.
        """
        parts = []
        for number, batch in enumerate(batches(values, 256)):
            given = self.model.get_layer("preprocessing")(batch, training=False)
            if self.autoencoder.likelihood.of_raw:
                (_, kept) = self.sources[0]
                given = given, batch[:, kept[: self.autoencoder.genes]]
            likelihood, divergence = self.autoencoder.bound(given, seed=seed + number)
            tight = self.autoencoder.importance_weighted(given, draws, seed + number)
            parts.append(np.stack([-likelihood, np.sum(divergence, axis=1), -tight], axis=1))
        return np.concatenate(parts)

    def reaches(self, latent):
        """How far each unit moves what is decoded, on average around some points.

        Args:
            latent: (rows, units).

        Returns:
            (units,) root mean square over points of the norm of the decoder's slopes, in units of
            transformed values (times `FittedScaling.unit`), or of logits where the likelihood is of raw
            ones. Distances between points that are multiplied by it are those of what is decoded,
            to first order (the diagonal of the mean pull-back metric; Arvanitidis et al. 2018).
        """
        covariates = np.zeros((len(latent), self.autoencoder.covariates))
        decoder, step, spread = self.autoencoder.decoder, 0.1, 1.0
        if not self.autoencoder.likelihood.of_raw:
            _, variance, _ = self.model.get_layer("reconstruction").get_weights()
            spread = np.sqrt(variance)
        found = []
        for shift in step * np.eye(latent.shape[1]):
            ends = [np.hstack([latent + sign * shift, covariates]) for sign in (1, -1)]
            high, low = (np.asarray(decoder(end.astype("float32"))) for end in ends)
            slopes = spread * (high - low) / (2 * step)
            found.append(np.sqrt((slopes**2).sum(axis=1).mean()))
        return np.array(found)

    def decode(self, latent, covariates=None, library=None):
        """Expected values of latent points, in the units of reconstructions.

        Args:
            latent: (rows, units).
            covariates: (rows, covariates) of 0 and 1, or None for the training rows' average.
            library: (rows, 1) sums of counts; the training rows' median where left out.

        Returns:
            (rows, kept genes).
        """
        if covariates is None:
            covariates = np.tile(np.asarray(self.averages, "float32"), (len(latent), 1))
        library = self.library if library is None else library
        found = self.autoencoder.decode(latent, covariates, library)
        if self.autoencoder.likelihood.of_raw:
            return np.asarray(found)
        return np.asarray(self.model.get_layer("reconstruction")(found))

    def sample(self, count, seed=None, covariates=None):
        """Expected values of points drawn from the prior; see `decode`."""
        drawn = keras.random.normal((count, self.autoencoder.latent), seed=seed)
        return self.decode(drawn, covariates)

    def _names(self):
        (name, kept) = self.sources[0]
        shared = np.asarray(self.autoencoder.shared).tolist()
        return {
            "task": "representation", "features": self.features, "missing": self.missing,
            "sources": [[name, np.asarray(kept).tolist()]],
            "averages": list(self.averages), "library": self.library,
            "autoencoder": self.autoencoder.get_config(), "shared": shared,
        }  # fmt: skip

    @classmethod
    def from_names(cls, model, names):
        """From a loaded model and what `save` wrote beside it."""
        config = {key: value for key, value in names["autoencoder"].items() if key != "name"}
        network = ResVAE.from_layers(
            config, model.get_layer("encoder"), model.get_layer("decoder"), names["shared"]
        )
        (name, kept), task = names["sources"][0], Representation(config["covariates"])
        sources = [(name, np.array(kept, int))]
        return cls(
            model, task, names["features"], names["missing"], sources, network,
            names["averages"], names["library"],
        )  # fmt: skip


def _front(transform, constants, width, genes):
    """Preprocessing of the genes, covariates handed on."""
    front = preprocessing.model(transform, constants, genes)
    if width == genes:
        return front
    raw = keras.Input((width,), name="genes")
    seen = constants.layers(preprocessing.marked(transform(raw[:, :genes])), genes)
    both = keras.layers.Concatenate()([seen, raw[:, genes:]])
    return keras.Model(raw, both, name="preprocessing")


def _kept(kept, genes, covariates):
    return np.concatenate([kept, np.arange(genes, genes + covariates)])


def _expected(network, decoded, raw, constants, genes):
    """What a decoder's numbers mean, as Keras' own layers."""
    ops, likelihood = keras.ops, network.likelihood
    if not likelihood.of_raw:
        # Scaling undone: values as the transform gives them.
        unscaled = constants.scaling("reconstruction", invert=True)
        if constants.unit != 1:
            back = [unscaled, keras.layers.Rescaling(1 / constants.unit)]
            unscaled = keras.Sequential(back, name="reconstruction")
        return unscaled(decoded)
    if likelihood is LIKELIHOODS["bernoulli"]:
        return keras.layers.Activation("sigmoid", name="reconstruction")(decoded)
    counts = raw[:, :genes]
    if len(constants.genes) < genes:
        counts = ops.take(counts, constants.genes.astype("int32"), axis=-1)
    library = ops.sum(ops.where(ops.isnan(counts), 0.0, counts), axis=-1, keepdims=True)
    scale = decoded[:, : network.genes]
    expected = library * ops.softmax(scale, axis=-1)
    if likelihood.heads == 2:
        expected = expected * ops.sigmoid(-decoded[:, network.genes :])
    return keras.layers.Identity(name="reconstruction")(expected)
