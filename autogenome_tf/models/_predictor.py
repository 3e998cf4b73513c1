"""The deliverable: one Keras model from raw values to logits or values, its names inside."""

import dataclasses
import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import scipy.sparse

from autogenome_tf import preprocessing
from autogenome_tf.core.chunked import batches, blocks
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.files import MODEL_NAMES, model_names, replacing
from autogenome_tf.core.trust import check_model
from autogenome_tf.tasks import Classification, Regression

# What files raise that are no models of this package.
DAMAGED = (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, RecursionError)


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A fitted model with the names of what goes in and comes out.

    Attributes:
        model: Keras model, raw (rows, genes) -> (rows, outputs): logits, or values in original
            units. Its layers are "preprocessing", "network" and "output"; where several transforms
            take part, a pair "preprocessing_<transform>", "network_<transform>" for each.
        task: A `tasks.Classification` or `tasks.Regression`.
        features: Gene names in the order of the input.
        missing: The config's `data.missing`; with "error", NaN is refused.
        sources: A pair for each transform that takes part: its name, and the (kept,) positions of
            genes that its network sees.
    """

    model: keras.Model
    task: Classification | Regression
    features: list[str]
    missing: str
    sources: list[tuple[str, np.ndarray]]

    @classmethod
    def assemble(cls, branches, task, features, missing, temperature=1.0):
        """Put preprocessing before gene-level networks and units or temperature behind their sum.

        Args:
            branches: A triple for each transform: `Transform`, `FittedScaling`, Keras network.
            task: What is predicted.
            features: Gene names.
            missing: The config's `data.missing`.
            temperature: What logits are divided by.
        """
        raw = keras.Input((len(features),), name="genes")
        parts = []
        sources = [(transform.name, constants.genes) for transform, constants, _ in branches]
        for transform, constants, network in branches:
            suffix = _suffix(transform.name, sources)
            front = preprocessing.model(transform, constants, len(features))
            front.name, network.name = f"preprocessing{suffix}", f"network{suffix}"
            parts.append(network(front(raw)))
        scale, offset = task.output_scale(temperature)
        output = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="output")
        total = keras.layers.Add()(parts) if len(parts) > 1 else parts[0]
        model = keras.Model(raw, output(total), name="autogenome_tf")
        return cls(model, task, list(features), missing, sources)

    @property
    def branches(self):
        """A `Branch` for each transform that takes part; their networks' outputs add up."""
        found = []
        for transform, kept in self.sources:
            suffix = _suffix(transform, self.sources)
            front = self.model.get_layer(f"preprocessing{suffix}")
            found.append(Branch(transform, kept, front, self.model.get_layer(f"network{suffix}")))
        return found

    @property
    def output_names(self):
        """What each output stands for."""
        return self.task.output_names

    @property
    def output_scale(self):
        """(outputs,) what the branches' sum is multiplied by, and what is added then."""
        layer = self.model.get_layer("output")
        ones = np.ones(self.task.outputs)
        return np.ravel(layer.scale) * ones, np.ravel(layer.offset) * ones

    @property
    def lowest_allowed(self):
        """0 where a transform is not defined below, else None."""
        names = [name for name, _ in self.sources]
        return None if set(names) <= set(preprocessing.OF_ALL_VALUES) else 0.0

    def check(self, dataset, source):
        """Refuse values that a transform of the model is not defined for.

        Raises:
            InputError: Naming the source, the sample and the gene.
        """
        lowest = self.lowest_allowed
        if lowest is None:
            return
        for start, block in blocks(dataset.values):
            flat = block.data if scipy.sparse.issparse(block) else block
            if np.fmin.reduce(flat, axis=None, initial=lowest) >= lowest:
                continue
            batch = next(batches(block))
            row, column = np.argwhere(batch < lowest)[0]
            raise InputError(
                f"{source}: sample {str(dataset.samples[start + row])!r}, gene "
                f"{dataset.features[column]!r}: received {batch[row, column]:g}; the model's "
                f"transform ({', '.join(name for name, _ in self.sources)}) needs values of at "
                f"least {lowest:g}, as all rows of training have."
            )

    def outputs(self, values):
        """Run on raw rows, an array or CSR (rows, genes), in batches; returns (rows, outputs)."""
        parts = [np.zeros((0, self.task.outputs), "float32")]
        # Not by `predict_on_batch`, which would be traced for every model anew.
        parts += [np.asarray(self.model(batch, training=False)) for batch in batches(values)]
        return np.concatenate(parts)

    def predict(self, dataset):
        """Predictions of a `Dataset` as a frame: sample, prediction, then a column a class."""
        frame = self.task.frame(self.outputs(dataset.values))
        frame.insert(0, "sample", list(dataset.samples))
        return frame

    def save(self, path):
        """Write a `.keras` file that `keras.models.load_model` reads without this package."""
        with replacing(path) as temporary:
            self.model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(MODEL_NAMES, json.dumps(self._names()))

    def _names(self):
        sources = [[name, np.asarray(kept).tolist()] for name, kept in self.sources]
        names = {"task": self.task.type, "features": self.features, "missing": self.missing}
        names |= {"sources": sources}
        if self.task.type == "classification":
            return names | {"classes": list(self.task.classes)}
        mean, scale = (np.ravel(part).tolist() for part in (self.task.mean, self.task.scale))
        return names | {"targets": list(self.task.targets), "mean": mean, "scale": scale}

    @classmethod
    def from_names(cls, model, names):
        """From a loaded model and what `save` wrote beside it."""
        sources = [(name, np.array(kept, int)) for name, kept in names["sources"]]
        return cls(model, _task(names), names["features"], names["missing"], sources)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote.

        Raises:
            InputError: Where the file is missing or is not such a model.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path}: no fitted model here; run the train stage first.")
        try:
            names = model_names(path)
            check_model(path)
            model = keras.models.load_model(path, compile=False, safe_mode=True)
            return cls.from_names(model, names)
        except DAMAGED as error:
            raise InputError(f"{path}: not a model of this package: {error}") from None


@dataclasses.dataclass(frozen=True)
class Branch:
    """One transform of a `Predictor` and the network behind it.

    Attributes:
        transform: Its name.
        kept: (kept,) positions of the genes it keeps.
        preprocessing: Keras model, raw (rows, genes) -> (rows, kept).
        network: Keras model (rows, kept) -> (rows, outputs) before scale and temperature.
    """

    transform: str
    kept: np.ndarray
    preprocessing: keras.Model
    network: keras.Model

    def seen(self, values):
        """What the network sees of raw rows, an array or CSR: (rows, kept) float32."""
        return np.concatenate(
            [np.asarray(self.preprocessing(batch, training=False)) for batch in batches(values)]
        )

    def outputs(self, values):
        """What the network says of raw rows, an array or CSR: (rows, outputs)."""
        return np.concatenate(
            [
                np.asarray(self.network(self.preprocessing(batch, training=False), training=False))
                for batch in batches(values)
            ]
        )


def _suffix(transform, sources):
    return f"_{transform}" if len(sources) > 1 else ""


def _task(names):
    if names["task"] == "classification":
        return Classification(names["classes"])
    mean, scale = np.array(names["mean"]), np.array(names["scale"])
    return Regression(names["targets"], mean=mean, scale=scale)
