"""The rows to learn from as folds: each with its own constants and coordinates.

A configuration's score is that of its out-of-fold outputs, so nothing that a fold's held rows are
judged by may have seen them: scaling, imputation, genes and basis come from its training rows.
"""

import dataclasses
import logging

import numpy as np
import scipy.sparse

from autogenome_tf import families, metrics, training
from autogenome_tf.errors import InputError
from autogenome_tf.predictor import Predictor
from autogenome_tf.preprocessing import Constants, Moments, Transform
from autogenome_tf.replicas import Rows
from autogenome_tf.rowspace import Genes, RowSpace, space_for

log = logging.getLogger(__name__)

AUTO_FOLDS = 5
# With more rows to learn from, one validation part is as sure as folds, at a fifth of the price.
FEW_ROWS = 2000
# Matrices above this many bytes are read batch by batch.
MEMORY = 1 << 30
CHUNK = 1024


def number_of_folds(asked, rows, genes):
    """Resolve the config's `search.folds` for so many rows to learn from."""
    if asked != "auto":
        return asked
    return AUTO_FOLDS if rows <= FEW_ROWS and AUTO_FOLDS * rows * genes * 4 <= MEMORY else 1


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a configuration did on rows it did not learn from.

    Attributes:
        score: The objective on out-of-fold outputs, after calibration.
        error: Its standard error over folds, NaN for one fold.
        outputs: (rows, outputs) out-of-fold outputs of the network; NaN where never held.
        temperature: What the logits must be divided by.
        fit: The `training.Fit`.
    """

    score: float
    error: float
    outputs: np.ndarray
    temperature: float
    fit: training.Fit


class Folds:
    """Rows to learn from, ready to train any family on.

    Args:
        values: (rows, genes) raw, an array or CSR; rows to learn from and to rank by, no test rows.
        truth: (rows,) class positions or (rows, targets) standardised values.
        task: A `tasks.Classification` or `tasks.Regression`.
        config: The whole `Config`.
        pairs: (train rows, held rows) of each fit.
        like: `Folds` of the same rows whose transform and space are taken over, so that what was
            found there holds here.
    """

    def __init__(self, values, truth, task, config, pairs, like=None):
        self.task, self.truth, self.pairs = task, truth, pairs
        self._config = config
        self._weights = task.row_weights(truth)
        self.genes = values.shape[1]
        data = config.data
        self._values = values
        self.is_streamed = values.shape[0] * values.shape[1] * 4 > MEMORY
        if self.is_streamed and (len(pairs) > 1 or data.missing == "median"):
            raise InputError(
                f"{values.shape[0]} x {self.genes} values do not fit the memory for search.folds "
                "above 1 or data.missing median; use folds 1 and another way to fill."
            )
        if like is None:
            self.transform = Transform.choose(values, data.transform, data.log2_floor, data.missing)
            fewest = min(len(train) for train, _ in pairs)
            genes = min(self.genes, data.top_variable or self.genes)
            asked = config.training.space
            self.space = "genes" if self.is_streamed else space_for(fewest, genes, asked)
        else:
            self.transform, self.space = like.transform, like.space
        self._transformed = None if self.is_streamed else self._transform(values)
        self._views = [self._view(train) for train, _ in pairs]

    def __str__(self):
        why = f" ({self.transform.why})" if self.transform.why else ""
        count = f"{len(self.pairs)} folds" if len(self.pairs) > 1 else "one validation part"
        where = "the span of the training rows" if self.space == "rows" else "the genes"
        return f"transform: {self.transform.name}{why}; {count}; first layer on {where}"

    @property
    def objective(self):
        """Name of the metric that judges."""
        return self._config.objective

    def _transform(self, values):
        chunks = [values[i : i + CHUNK] for i in range(0, values.shape[0], CHUNK)]
        dense = (c.toarray() if scipy.sparse.issparse(c) else c for c in chunks)
        return np.concatenate([np.asarray(self.transform(c), "float32") for c in dense])

    def _constants(self, train):
        data = self._config.data
        batches = (self._rows(train[i : i + CHUNK]) for i in range(0, len(train), CHUNK))
        moments = Moments.of(batches)
        if data.missing == "median":
            moments = moments.with_median(self._transformed[train])
        return Constants.of(moments, data.scale, data.missing, data.top_variable)

    def _rows(self, index):
        if self.is_streamed:
            return self._transform(self._values[index])
        return self._transformed[index]

    def _view(self, train):
        constants = self._constants(train)
        if self.is_streamed:
            return _Stream(self._rows, constants)
        rows = constants.apply(self._transformed)
        coordinates = RowSpace.of(rows[train]) if self.space == "rows" else Genes()
        return _View(constants, coordinates, coordinates.coordinates(rows))

    def fit(self, family, values, plan, seed):
        """Train a configuration on every fold at once.

        Args:
            family: Its name.
            values: Its hyperparameters.
            plan: A `training.Plan`.
            seed: Of initial weights and order.
        """
        rows = self._inputs(values)
        network = self.network(family, values, rows.views[0].shape[1], self.space, seed)
        return training.fit([network] * len(rows.views), rows, self.task, plan, seed)

    def ladder(self, family, values, penalties):
        """Train a family with a single minimum for penalties, strongest first.

        Yields:
            A pair for each rung: the penalty and its `training.Fit`.
        """
        rows = self._inputs(values)
        width = rows.views[0].shape[1]
        network = self.network(family, values | {"l2": 0.0}, width, self.space, 1)
        yield from training.converge(network, rows, self.task, penalties)

    def _inputs(self, values):
        views = _padded([view.inputs(_power(values)) for view in self._views])
        return Rows(views, self.truth, self._weights, *zip(*self.pairs, strict=True))

    def network(self, family, values, inputs, space, seed):
        """A fresh network of a family on so many inputs."""
        hypermodel = families.hypermodel(family)(self.genes, self.task, seed=seed)
        return hypermodel.network(values, inputs, space)

    def parameters(self, family, values):
        """Number of trained parameters of the gene-level network."""
        genes = min(self.genes, self._config.data.top_variable or self.genes)
        trained = self.network(family, values, self._width, self.space, 1).trainable_weights
        stem = trained[0].shape
        return sum(int(np.prod(v.shape)) for v in trained) + (genes - stem[0]) * stem[1]

    @property
    def _width(self):
        return max(view.width for view in self._views)

    def judge(self, fit):
        """Score a `training.Fit` by its outputs for the rows each fold held out."""
        outputs = np.full((len(self.truth), self.task.outputs), np.nan)
        for (_, held), part in zip(self.pairs, fit.held, strict=True):
            outputs[held] = part
        held = np.concatenate([held for _, held in self.pairs])
        temperature = 1.0
        if self.task.type == "classification":
            temperature = metrics.temperature(self.truth[held], outputs[held], self._weights[held])
        score = self.score(held, outputs / temperature)
        each = [self.score(part, outputs / temperature) for _, part in self.pairs]
        error = np.std(each, ddof=1) / len(each) ** 0.5 if len(each) > 1 else float("nan")
        return Outcome(score, float(error), outputs, temperature, fit)

    def score(self, index, outputs):
        """The objective on some rows in original units; `outputs` are the network's."""
        measure = getattr(metrics, self.task.type)
        truth, found = self.truth[index], outputs[index]
        if self.task.type == "regression":
            scale, offset = self.task.output_scale()
            truth, found = truth * scale + offset, found * scale + offset
        return float(measure(truth, found)[self.objective][0])

    def predictor(self, family, values, fit, temperature, features):
        """The gene-level model of a fit of one replica, with its preprocessing in front."""
        (view,) = self._views
        network = self.network(family, values, len(view.constants.genes), "genes", 1)
        network.set_weights(_folded(network, fit.weights[0], view, _power(values)))
        missing = self._config.data.missing
        return Predictor.assemble(
            self.transform, view.constants, network, self.task, features, missing, temperature
        )


@dataclasses.dataclass(frozen=True)
class _View:
    """One fold's constants and coordinates, and all rows in them."""

    constants: Constants
    coordinates: object
    rows: np.ndarray

    @property
    def width(self):
        """Number of inputs."""
        return self.rows.shape[1]

    def inputs(self, power):
        """(rows, inputs) with the coordinates divided by their deviation to a power."""
        if self.coordinates.name == "genes":
            return self.rows
        factors = self.coordinates.powered(power).factors / self.coordinates.factors
        return (self.rows * factors).astype("float32")


class _Stream:
    """Rows that are transformed and scaled batch by batch."""

    def __init__(self, rows, constants):
        self._rows, self.constants = rows, constants
        self.coordinates = Genes()
        self.width = len(constants.genes)
        self.shape = (None, self.width)

    def inputs(self, power):
        """The same for every power: streamed rows stay in gene coordinates."""
        return self

    def batch(self, index):
        """(len(index), genes) as the network sees them."""
        return self.constants.apply(self._rows(index))


def _power(values):
    return values.get("spectral_power", 0.0)


def _padded(views):
    """Bring views of unequal rank to one width with zeros, which no weight can use."""
    width = max(view.shape[1] for view in views)
    if all(view.shape[1] == width for view in views):
        return views
    return [np.pad(view, ((0, 0), (0, width - view.shape[1]))) for view in views]


def _folded(network, weights, view, power):
    """Weights of the gene-level network: the stem's kernel goes back from coordinates to genes."""
    coordinates = view.coordinates.powered(power)
    kernel, bias, *others = weights
    return [*coordinates.fold(kernel, bias), *others]
