"""The rows to learn from as folds: train any configuration on all of them at once, and judge it.

A configuration's score is that of its out-of-fold outputs, averaged over seeds.
"""

import collections
import copy
import dataclasses
import json
import logging

import numpy as np

from autogenome_tf import families, metrics
from autogenome_tf.core.chunked import LIMIT
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.families import RATES
from autogenome_tf.models import Predictor
from autogenome_tf.nn.epistatic_penalty import is_exact
from autogenome_tf.nn.layers import open_gates, to_dense_weights
from autogenome_tf.nn.vectorized import structure
from autogenome_tf.preprocessing import MOST_ROWS, Transform, space_for
from autogenome_tf.training import _loop, _replicas
from autogenome_tf.training._fold_inputs import FoldInputs

log = logging.getLogger(__name__)

AUTO_FOLDS = 5
# With more rows to learn from, one validation part is as sure as folds, at a fifth of the price.
FEW_ROWS = 2000
# With fewer, one network a fold says little of a configuration, and several cost little.
FEWER_ROWS, AUTO_REPEATS = 200, 3
# Rows of a batch that are worth a device.
FEWEST_SHARED = 8
# Compiled steps that are kept for later trials of the same structure, and their bytes.
KEPT_STEPS, KEPT_BYTES = 8, 1 << 30


def number_of_folds(asked, rows, genes, limit=LIMIT):
    """Resolve the config's `search.folds` for so many rows to learn from, and bytes of memory."""
    if asked != "auto":
        return asked
    return AUTO_FOLDS if rows <= FEW_ROWS and AUTO_FOLDS * rows * genes * 4 <= limit else 1


def number_of_repeats(config, rows, folds):
    """Resolve the config's `search.repeats` for so many rows to learn from in so many folds.

    Where a single network will be the final one, a single network is judged.
    """
    if config.search.repeats != "auto":
        return config.search.repeats
    is_averaged = config.ensemble.size != 1
    return AUTO_REPEATS if is_averaged and rows < FEWER_ROWS and folds > 1 else 1


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a configuration did on rows it did not learn from.

    Attributes:
        score: The objective on out-of-fold outputs, after calibration.
        error: Its standard error over folds, NaN for one fold.
        outputs: (rows, outputs) out-of-fold outputs of the networks; NaN where never held.
        temperature: What the logits must be divided by.
        fit: The `_loop.Fit`.
    """

    score: float
    error: float
    outputs: np.ndarray
    temperature: float
    fit: _loop.Fit

    @property
    def calibrated(self):
        """(rows, outputs) divided by the temperature."""
        return self.outputs / self.temperature


class CrossValidation:
    """What folds of networks that predict and folds of autoencoders have alike.

    Attributes:
        task: What is learned.
        pairs: (train rows, held rows) of each fit.
        genes: Number of columns.
        features: Their names, or None.
        cluster: The `cluster.Cluster` whose processes train together, or None.
    """

    cluster = None

    @property
    def objective(self):
        """Name of the metric that judges."""
        return self._config.objective

    @property
    def held(self):
        """Numbers of all rows that some fold holds out, in order."""
        return np.sort(np.concatenate([held for _, held in self.pairs]))

    def levels(self, family, values=None):
        """What a family's units stand for, a `genesets.Membership` a level.

        Args:
            family: Its name.
            values: Of a trial, for the genes that it sees; None for all genes.
        """
        genes = np.arange(self.genes) if values is None else self.views(family, values).genes
        return self._hypermodel(family, genes).levels()

    def _hypermodel(self, family, genes, seed=1):
        names = None if self.features is None else [self.features[gene] for gene in genes]
        space = self._config.families.get(family)
        return families.hypermodel(family)(self.genes, self.task, space, seed=seed, features=names)

    def _tell_levels(self):
        for family in self._config.families:
            for level in self.levels(family):
                log.info("%s: %s", family, level)


class NetworkCrossValidation(CrossValidation):
    """Rows to learn from, ready to train any family on.

    Args:
        values: (rows, genes) raw, an array or CSR; rows to learn from and to rank by, no test rows.
        truth: (rows,) class positions or (rows, targets) standardised values.
        task: A `tasks.Classification` or `tasks.Regression`.
        config: The whole `Config`.
        pairs: (train rows, held rows) of each fit.
        like: `NetworkCrossValidation` of the same rows whose transforms, space and cluster are taken over, so that
            what was found there holds here.
        features: Gene names, for families that look at them.
        cluster: The `cluster.Cluster` whose processes train together, or None.

    Attributes:
        transforms: `Transform` by the name that the config gives it; the first is the default.
        repeats: Networks a fold.
    """

    def __init__(self, values, truth, task, config, pairs, like=None, features=None, cluster=None):
        self.cluster = like.cluster if like else cluster
        self.task, self.truth, self.pairs = task, truth, pairs
        self._config = config
        self.features = features if like is None else like.features
        self._weights = task.row_weights(truth)
        self.genes = values.shape[1]
        self._values = values
        self.is_streamed = values.shape[0] * values.shape[1] * 4 > config.data.limit
        self._check_streaming()
        data = config.data
        if like is None:
            # What a network makes of genotypes that are not there needs their sites as they are.
            of_genotypes = config.training.epistasis is not None
            self.transforms = {
                name: Transform.choose(
                    values, "none" if of_genotypes else name, data.log2_floor, data.missing
                )
                for name in data.transforms
            }
            genes = min(self.genes, data.top_variable or self.genes)
            if of_genotypes:
                is_exact(config.training.epistasis.method, genes)
            in_genes = self.is_streamed or of_genotypes
            asked = "genes" if in_genes else config.training.space
            self.space = space_for(len(truth), genes, asked)
        else:
            self.transforms, self.space = like.transforms, like.space
        if like is None:
            self._tell_levels()
        self.repeats = number_of_repeats(config, len(truth), len(pairs))
        self._devices = self._number_of_devices()
        self._views = {}
        self._engines = collections.OrderedDict()

    def __str__(self):
        names = []
        for transform in self.transforms.values():
            names.append(transform.name + (f" ({transform.why})" if transform.why else ""))
        count = f"{len(self.pairs)} folds" if len(self.pairs) > 1 else "one validation part"
        seeds = f" x {self.repeats} seeds" if self.repeats > 1 else ""
        where = "the span of the training rows" if self.space == "rows" else "the genes"
        of_genes = [name for name in self._config.families if families.is_of_genes(name, {})]
        if self.space == "rows" and of_genes:
            where += f", of {' and '.join(of_genes)} on the genes"
        return f"transform: {' or '.join(names)}; {count}{seeds}; first layer on {where}"

    def space_of(self, family, values):
        """Coordinates that a trial's first layer works on: "genes" or "rows"."""
        return "genes" if families.is_of_genes(family, values) else self.space

    def views(self, family, values):
        """The `FoldInputs` that a trial's family and values ask for."""
        transform = self.transforms[values.get("transform", next(iter(self.transforms)))]
        # "auto" may have chosen what another name says.
        name = transform.name, self.space_of(family, values)
        if name not in self._views:
            self._views[name] = FoldInputs(
                self._values,
                transform,
                self._config.data,
                self.pairs,
                name[1],
                is_truncated=len(self.truth) > MOST_ROWS,
                is_streamed=self.is_streamed,
            )
        return self._views[name]

    def relabelled(self, truth):
        """The same rows with other targets; what was made and compiled for them is shared.

        Args:
            truth: As for the class.
        """
        other = copy.copy(self)
        other.truth, other._weights = truth, self.task.row_weights(truth)
        return other

    def fit(self, family, values, plan, seed, repeats=None):
        """Train a configuration on every fold and seed at once.

        Args:
            family: Its name.
            values: Its hyperparameters.
            plan: A `_loop.Plan`.
            seed: Of initial weights and order.
            repeats: Networks a fold, in place of `repeats`.

        Returns:
            A `_loop.Fit`.

        Raises:
            _loop.Diverged: When not one epoch had a finite loss.
        """
        if self._is_solved(family):
            ((_, fit),) = self.ladder(family, values, [values["l2"]], plan.deadline)
            return fit
        networks = [
            self.network(family, values, derive(seed, f"repeat/{repeat}"))
            for repeat in range(repeats or self.repeats)
        ]
        engine = self._engine(family, values, networks, plan.optimizer)
        factors, epistasis = self.factors(family, values), values.get("epistasis", 0.0)
        fit = _loop.fit(engine, networks, plan, seed, factors, epistasis)
        return dataclasses.replace(fit, gates=open_gates(networks[0], fit.weights))

    def fit_views(self, family, values, views, plan, seed):
        """Train a configuration on other views of the rows, all at once; nothing is held out.

        Args:
            family: Its name.
            values: Its hyperparameters.
            views: (views, rows, inputs), what takes the place of the rows as the first fold's
                network sees them; its training rows are trained on.
            plan: A `_loop.Plan`.
            seed: Of initial weights, the same for all views, and order.

        Returns:
            A `_loop.Fit`, a replica a view.
        """
        count, nothing = len(views), np.zeros(0, int)
        rows = dataclasses.replace(
            self.rows(family, values), views=_replicas.resident(views),
            train=[self.pairs[0][0]] * count, held=[nothing] * count, genotypes=None,
        )  # fmt: skip
        networks = [self.network(family, values, seed)]
        engine = _replicas.engine(networks[0], 1, rows, self.task, plan.optimizer)
        return _loop.fit(engine, networks, plan, seed)

    def ladder(self, family, values, penalties, deadline=float("inf")):
        """Solve a family with a single minimum for penalties.

        Args:
            family: Its name.
            values: Its other hyperparameters.
            penalties: L2 values, strongest first.
            deadline: `time.monotonic()` after which no further iteration starts.

        Yields:
            A pair for each rung: the penalty and its `_loop.Fit`.
        """
        values = values | {"l2": 0.0}
        network = self.network(family, values, 1)
        engine = self._engine(family, values, [network], "adam")
        factors = self.factors(family, values)
        yield from _loop.converge(engine, network, penalties, deadline=deadline, factors=factors)

    def _is_solved(self, family):
        """Whether a family's loss has a single minimum, and all rows are at hand to find it."""
        return families.member(family).is_convex and not self.is_streamed

    def network(self, family, values, seed=1, inputs=None, is_plain=False):
        """A fresh network of a family on the coordinates of these rows.

        Args:
            family: Its name.
            values: Its hyperparameters.
            seed: Of initial weights.
            inputs: Width in place of that of the coordinates.
            is_plain: Whether to make it of Keras' own layers alone, for what `layers.to_dense_weights` makes
                of weights.
        """
        views, space = self.views(family, values), self.space_of(family, values)
        hypermodel = self._hypermodel(family, views.genes, seed)
        return hypermodel.network(values, inputs or views.width, space, is_plain=is_plain)

    def factors(self, family, values):
        """(folds, inputs) that a trial's values multiply inputs by, or None."""
        return self.views(family, values).factors(values.get("spectral_power", 0.0))

    def rows(self, family, values):
        """The `_replicas.Rows` that a trial's family and values ask for."""
        views, asked = self.views(family, values), self._config.training.epistasis
        # A strength of 0 is no penalty, and costs none.
        genotypes = views.genotypes(asked) if values.get("epistasis") else None
        return _replicas.Rows(
            views.rows, self.truth, self._weights, *zip(*self.pairs, strict=True), genotypes
        )

    def _engine(self, family, values, networks, optimizer):
        """The compiled step for networks of this structure, made at most once while it is kept."""
        # The values stand for the wiring, which `structure` leaves out.
        shapes = {name: value for name, value in values.items() if name not in RATES}
        shared = [family, shapes, optimizer, len(networks), bool(values.get("epistasis"))]
        key = json.dumps(shared, sort_keys=True) + structure(networks[0])
        if key not in self._engines:
            rows = self.rows(family, values)
            made = _replicas.engine(
                networks[0], len(networks), rows, self.task, optimizer, self._devices, self.cluster
            )
            self._engines[key] = made
        elif self._engines[key].rows.truth is not self.truth:
            self._engines[key].teach(self.truth, self._weights)
        self._engines.move_to_end(key)
        while len(self._engines) > 1 and self._keeps_too_much():
            self._engines.popitem(last=False)
        return self._engines[key]

    def _keeps_too_much(self):
        kept = self._engines.values()
        return len(kept) > KEPT_STEPS or sum(engine.nbytes for engine in kept) > KEPT_BYTES

    def parameters(self, family, values, fit):
        """Number of trained parameters of one gene-level network of a fit."""
        views = self.views(family, values)
        if views.coordinates[0].name == "genes":
            return fit.parameters
        _, inputs, units = fit.weights[0].shape
        genes = max(len(constants.genes) for constants in views.constants)
        return fit.parameters + (genes - inputs) * units

    def forget_steps(self):
        """Free what compiled steps hold."""
        self._engines.clear()

    def judge(self, fit):
        """Score a `_loop.Fit` by its outputs for the rows each fold held out."""
        outputs = np.full((len(self.truth), self.task.outputs), np.nan)
        for (_, held), part in zip(self.pairs, fit.held, strict=True):
            outputs[held] = part
        temperature = self.temperature(outputs)
        score = self.score(self.held, outputs / temperature)
        each = [self.score(part, outputs / temperature) for _, part in self.pairs]
        error = np.std(each, ddof=1) / len(each) ** 0.5 if len(each) > 1 else float("nan")
        return Outcome(score, float(error), outputs, temperature, fit)

    def temperature(self, outputs):
        """What calibrates out-of-fold logits (rows, outputs); 1 for regression."""
        if self.task.type != "classification":
            return 1.0
        held = self.held
        return metrics.temperature(self.truth[held], outputs[held], self._weights[held])

    def score(self, index, outputs):
        """The objective on some rows in original units; `outputs` are the network's."""
        measure = getattr(metrics, self.task.type)
        truth, found = self.truth[index], outputs[index]
        if self.task.type == "regression":
            scale, offset = self.task.output_scale()
            truth, found = truth * scale + offset, found * scale + offset
        return float(measure(truth, found)[self.objective][0])

    def predictor(self, family, values, fit, temperature, features, replica=0):
        """The gene-level model of one replica of a fit, with its preprocessing in front."""
        views, fold = self.views(family, values), replica % len(self.pairs)
        constants = views.constants[fold]
        weights = [stack[replica : replica + 1] for stack in fit.weights]
        (kernel,), (bias,), *others = to_dense_weights(self.network(family, values), weights)
        stem = views.on_genes(fold, kernel, bias, constants, values.get("spectral_power", 0.0))
        network = self.network(family, values, inputs=len(constants.genes), is_plain=True)
        network.set_weights([*stem, *(stack[0] for stack in others)])
        return Predictor.assemble(
            [(views.transform, constants, network)],
            self.task,
            features,
            self._config.data.missing,
            temperature,
        )

    def _number_of_devices(self):
        """Devices that share each batch; what cannot be is said."""
        asked = self._config.training.devices
        if asked == 1 or self.cluster:
            return 1
        if not self.is_streamed:
            log.info("training.devices %d is without effect: all rows are on one device", asked)
            return 1
        found = min(asked, len(_replicas.devices()))
        if found < asked:
            log.warning("training.devices: %d asked for, %d found", asked, found)
        # Statistics of a batch are of each device's part, which must have some rows.
        return max(1, min(found, self._config.training.batch_size // FEWEST_SHARED))

    def _check_streaming(self):
        """Refuse what needs all rows in memory where they do not fit."""
        if self.cluster and not self.is_streamed:
            raise InputError(
                "TF_CONFIG: several processes share batches of rows that are read batch by batch, "
                f"and {self._values.shape[0]} x {self.genes} values fit data.memory; unset "
                "TF_CONFIG, or search by chief and workers (--role)."
            )
        data, repeats = self._config.data, self._config.search.repeats
        several = len(self.pairs) > 1 or repeats not in ("auto", 1)
        if self.is_streamed and (several or data.missing == "median" or "rank" in data.transforms):
            raise InputError(
                f"{self._values.shape[0]} x {self.genes} values do not fit the memory for "
                "search.folds or search.repeats above 1, data.missing median or data.transform "
                "rank; use folds 1 and another way."
            )
