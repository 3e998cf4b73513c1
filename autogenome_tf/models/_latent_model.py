"""The deliverable of a representation: raw values to latent means and expected values."""

import dataclasses
import logging
from typing import Any

import keras
import numpy as np

from autogenome_tf import preprocessing
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset
from autogenome_tf.models._branch import Branch
from autogenome_tf.models._predictor import Predictor
from autogenome_tf.models._separation import beyond_chance
from autogenome_tf.models._training_scale import TrainingScale
from autogenome_tf.nn.likelihoods import LIKELIHOODS
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.tasks import Representation

log = logging.getLogger(__name__)

# Training rows that the units of the latent space are chosen by, about at most, and those of them
# around which the decoder is probed.
UNIT_ROWS, PROBED = 1000, 200
# A unit that the decoder does not use keeps this part of the largest one's reach.
LEAST_REACH = 1e-6
# Standard deviations of chance by which points in units of the prior must be separated, and how
# many times as far beyond it as in decoded distances. Where both are alike, either may have the
# better clusters, and distances of decoded values have a meaning in the data's units.
SEPARATED, CLEARLY = 3.0, 1.25


@dataclasses.dataclass(frozen=True)
class LatentModel(Predictor):
    """Keep a fitted autoencoder behind its preprocessing.

    Attributes:
        model: Functional Keras model of Keras' own layers, so that it loads without this package:
            raw (rows, genes + covariates) -> dict of latent and log_variance (rows, units), and
            reconstruction (rows, kept genes): transformed values, probabilities, or counts, by the
            likelihood. Its layers are "preprocessing", "encoder", "decoder"; where labels shaped
            the space also "classifier", whose output is probabilities (rows, classes).
        autoencoder: The `ResVAE` itself, around the same layers.
        averages: (covariates,) means of the training rows.
        library: Median sum of a row's counts, for likelihoods of counts.
        distance: What distances between latent means are, of `units`: "decoded" or "prior".
    """

    autoencoder: Any = None
    averages: Any = ()
    library: float | None = None
    distance: str = "decoded"

    @classmethod
    def of(
        cls,
        network: ResVAE,
        transform: preprocessing.Transform,
        constants: preprocessing.FittedScaling,
        features: list[str],
        *,
        missing: str,
        averages: Any = (),
        library: float | None = None,
        classes: tuple[str, ...] = (),
        distance: str = "decoded",
    ) -> "LatentModel":
        """Put preprocessing before a trained `ResVAE` and undo the scaling behind it.

        Args:
            network: The `ResVAE`.
            transform: `Transform`.
            constants: `FittedScaling` of the genes.
            features: Names of genes, then of covariates.
            missing: The config's `data.missing`.
            averages: See the class.
            library: See the class.
            classes: Names of the labels that shaped the latent space.
            distance: See the class.
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
        if network.classifier is not None:
            outputs["probabilities"] = keras.layers.Softmax(name="probabilities")(
                network.classifier(mean)
            )
        model = keras.Model(raw, outputs, name="autogenome_tf")
        task = Representation(network.covariates, classes)
        sources = [(transform.name, _kept(constants.genes, genes, network.covariates))]
        return cls(
            model, task, list(features), missing, sources,
            autoencoder=network, averages=averages, library=library, distance=distance,
        )  # fmt: skip

    @property
    def latent_names(self) -> list[str]:
        """Return z1, z2, ..., or the names of the gene sets that units stand for."""
        named = self.autoencoder.get_config()["names"]
        return named or [f"z{unit}" for unit in range(1, self.autoencoder.latent + 1)]

    @property
    def kept_features(self) -> list[str]:
        """Return the names of the genes that are reconstructed."""
        (_, kept) = self.sources[0]
        return [self.features[gene] for gene in kept[: self.autoencoder.genes]]

    @property
    def branches(self) -> list[Branch]:
        """Return the way from genes to latent means, which explainers look at."""
        (transform, kept), encoder = self.sources[0], self.autoencoder.encoder
        network = keras.Model(encoder.inputs[0], encoder.outputs[0])
        return [Branch(transform, kept, self.model.get_layer("preprocessing"), network)]

    @property
    def output_scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ones and zeros: latent means are explained as they are."""
        return np.ones(self.autoencoder.latent), np.zeros(self.autoencoder.latent)

    @property
    def output_names(self) -> list[str]:
        """Return the names of the outputs that are explained."""
        return self.latent_names

    @property
    def labels(self) -> dict[str, list[str]]:
        """Return the names at each place of the inputs (features) and of the outputs."""
        return {
            "features": list(self.features),
            "latent": self.latent_names,
            "reconstruction": self.kept_features,
            **self.task.names(),
        }

    @property
    def covariates(self) -> int:
        """Return the number of last features that are levels of covariates, 0 or 1."""
        return self.task.covariates

    def outputs(self, rows: Dataset | Matrix, is_own: bool = False) -> np.ndarray:
        """Return the latent means of raw rows; see `Predictor.outputs`."""
        self._check_lacking(rows)
        found = self.run(rows, "latent")
        self.compare_scale(rows, is_own)
        return found

    def _importance(self, values):
        return None

    def run(self, rows: Dataset | Matrix, name: str) -> np.ndarray:
        """Return one of the model's outputs for raw rows; see `Predictor.outputs`.

        Args:
            rows: Rows to encode and decode.
            name: Name of the output.
        """
        parts = [
            np.asarray(self.model(batch, training=False)[name]) for batch in self.checked(rows)
        ]
        return np.concatenate(parts)

    def bounds(self, values: Matrix, seed: int, draws: int = 1) -> np.ndarray:
        """Bound the log likelihood of validation or test rows.

        Args:
            values: Raw rows, an array or CSR.
            seed: Of the draws.
            draws: Number of draws of the importance-weighted bound.

        Returns:
            (rows, 3) in nats: negative log likelihood, divergence, negative tighter bound.
        """
        parts = []
        for number, batch in enumerate(self.checked(values, 256)):
            given = self.model.get_layer("preprocessing")(batch, training=False)
            if self.autoencoder.likelihood.of_raw:
                (_, kept) = self.sources[0]
                given = given, batch[:, kept[: self.autoencoder.genes]]
            likelihood, divergence = self.autoencoder.bound(given, seed=seed + number)
            tight = self.autoencoder.importance_weighted(given, draws, seed + number)
            parts.append(np.stack([-likelihood, np.sum(divergence, axis=1), -tight], axis=1))
        return np.concatenate(parts)

    def reaches(self, latent: np.ndarray) -> np.ndarray:
        """Measure how far each latent unit moves the decoded values, on average around points.

        Args:
            latent: (rows, units).

        Returns:
            (units,) root mean square over points of the norm of the decoder's slopes, in units of
            transformed values (times `FittedScaling.unit`), or of logits where the likelihood is of
            raw ones. Distances between points that are multiplied by it are those of decoded
            values, to first order (the diagonal of the mean pull-back metric; Arvanitidis et al.
            2018).
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

    def units(self, values: Matrix, distance: str = "auto") -> tuple[np.ndarray, str]:
        """Choose the factors of latent units that are in units of the prior.

        Args:
            values: (rows, features) raw training rows, about `UNIT_ROWS` at most.
            distance: "decoded": distances between points are those of decoded values; "prior": they
                are in standard deviations of the prior, all units alike; "auto": the second where
                the rows are separated `beyond_chance` then, and clearly more so than in the first.

        Returns:
            (units,) above 0, and which distance they give. Of "decoded" they are `reaches` around
            `PROBED` of the rows, at least `LEAST_REACH` of the largest.
        """
        points = self.run(values, "latent")
        reach = self.reaches(points[:: -(-len(points) // PROBED)])
        reach = np.maximum(reach, max(LEAST_REACH * reach.max(), LEAST_REACH))
        units = {"decoded": reach, "prior": np.ones_like(reach)}
        if distance == "auto":
            decoded, prior = beyond_chance(points, np.stack(list(units.values())))
            is_separated = prior.mean() > SEPARATED * prior.std()
            is_clearer = prior.mean() > CLEARLY * decoded.mean()
            distance = "prior" if is_separated and is_clearer else "decoded"
            log.info(
                "Distances in the latent space: %s; clusters of training rows have a mean "
                "silhouette above chance of %.3f with decoded, %.3f with prior.",
                distance, decoded.mean(), prior.mean(),
            )  # fmt: skip
        return units[distance], distance

    def decode(self, latent: np.ndarray, covariates: Any = None, library: Any = None) -> np.ndarray:
        """Decode latent points to expected values, in the units of reconstructions.

        Args:
            latent: (rows, units).
            covariates: (rows, covariates) of 0 and 1, or None for the training rows' average.
            library: (rows, 1) sums of counts; the training rows' median where left out.

        Returns:
            (rows, kept genes).

        Raises:
            InputError: Points or covariates have another shape, or no value.
        """
        latent = _table("latent", latent, self.autoencoder.latent)
        if covariates is None:
            covariates = np.tile(np.asarray(self.averages, "float32"), (len(latent), 1))
        covariates = _table("covariates", covariates, len(self.averages), len(latent))
        library = self.library if library is None else library
        found = self.autoencoder.decode(latent, covariates, library)
        if self.autoencoder.likelihood.of_raw:
            return np.asarray(found)
        return np.asarray(self.model.get_layer("reconstruction")(found))

    def sample(self, count: int, seed: int | None = None, covariates: Any = None) -> np.ndarray:
        """Decode points drawn from the prior; see `decode`.

        Args:
            count: Number of samples to draw.
            seed: Seed of the draw.
            covariates: (count, covariates) columns, or None.

        Raises:
            InputError: `count` is no number of rows, or `covariates` have another shape.
        """
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise InputError(f"count: expected an integer of at least 1; received {count!r}.")
        return self.decode(np.asarray(self.autoencoder.prior(count, seed)), covariates)

    def _names(self):
        (name, kept) = self.sources[0]
        shared = np.asarray(self.autoencoder.shared).tolist()
        return {
            "task": "representation", "features": self.features, "missing": self.missing,
            "sources": [[name, np.asarray(kept).tolist()]],
            "averages": list(self.averages), "library": self.library, "distance": self.distance,
            "autoencoder": self.autoencoder.get_config(), "shared": shared,
            **self.task.names(), **self._carried(),
        }  # fmt: skip

    @classmethod
    def from_names(cls, model: Any, names: dict) -> "LatentModel":
        """Rebuild from a loaded Keras model and the names that `save` wrote beside it."""
        config, classes = names["autoencoder"], tuple(names.get("classes", ()))
        network = ResVAE.from_layers(
            config, model.get_layer("encoder"), model.get_layer("decoder"), names["shared"],
            model.get_layer("classifier") if classes else None,
        )  # fmt: skip
        (name, kept), task = names["sources"][0], Representation(config["covariates"], classes)
        sources = [(name, np.array(kept, int))]
        return cls(
            model, task, names["features"], names["missing"], sources,
            TrainingScale.from_json(names.get("trained_on")),
            autoencoder=network, averages=names["averages"], library=names["library"],
            distance=names.get("distance", "decoded"),
        )  # fmt: skip


def _front(transform, constants, width, genes):
    """Build the preprocessing of the genes that hands covariates on."""
    front = preprocessing.model(transform, constants, genes)
    if width == genes:
        return front
    raw: Any = keras.Input((width,), name="genes")
    seen = constants.layers(preprocessing.marked(transform(raw[:, :genes])), genes)
    both = keras.layers.Concatenate()([seen, raw[:, genes:]])
    return keras.Model(raw, both, name="preprocessing")


def _kept(kept, genes, covariates):
    return np.concatenate([kept, np.arange(genes, genes + covariates)])


def _expected(network, decoded, raw, constants, genes):
    """Turn a decoder's outputs to expected values by Keras' own layers."""
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


def _table(name, values, width, count=None):
    """Return values as float32, or refuse what is no table of so many columns (and rows)."""
    expected = f"({'rows' if count is None else count}, {width})"
    # Before they are read: an AnnData would be taken for a sequence of tables.
    shape = tuple(values.shape) if hasattr(values, "shape") else np.shape(values)
    if len(shape) != 2 or shape[1] != width or shape[0] != (count or shape[0]):
        raise InputError(f"{name}: received shape {shape}; expected {expected}.")
    found = np.asarray(values, "float32")
    if not np.isfinite(found).all():
        raise InputError(f"{name}: received values that are not finite; expected numbers.")
    return found
