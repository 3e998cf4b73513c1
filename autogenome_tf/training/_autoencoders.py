"""The rows to learn from as folds of autoencoders: train any configuration, judge it by its ELBO.

It has the place that `NetworkCrossValidation` has for networks that predict, so that searches, the final fit
and the files are the same.
"""

import collections
import json
import math

import numpy as np
import scipy.sparse
import tensorflow as tf

from autogenome_tf import families
from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.models import LatentModel
from autogenome_tf.nn.likelihoods import LIKELIHOODS
from autogenome_tf.preprocessing import Transform
from autogenome_tf.training import _loop
from autogenome_tf.training._cross_validation import CrossValidation, Outcome
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._replicas import Rows, optimizer_of

# The divergence counts more and more over this part of the epochs. What starts as principal
# components starts with units that are active, and counts it in full at once.
WARM_UP = 0.1
JUDGED = 512
# Compiled steps that are kept.
KEPT_STEPS = 2
# Rows whose principal components a network starts from, at most.
STARTED = 2000
# A step that is larger goes this far only.
CLIP_NORM = 1.0
COUNTS = ("negative_binomial", "zero_inflated")


class AutoencoderCrossValidation(CrossValidation):
    """Rows to learn from, ready to train autoencoders on.

    Args:
        values: (rows, genes + covariates) raw, an array or CSR; no test rows.
        truth: Not used; (rows,).
        task: A `tasks.Representation`.
        config: The whole `Config`.
        pairs: (train rows, held rows) of each fit.
        like: NetworkCrossValidation of the same rows whose transform is taken over.
        features: Gene names, then those of covariates.

    Raises:
        InputError: Where a likelihood that the config names is not defined on the values.
    """

    repeats = 1
    space = "genes"

    def __init__(self, values, truth, task, config, pairs, like=None, features=None):
        self.task, self.truth, self.pairs = task, truth, pairs
        self._config = config
        self.genes = values.shape[1] - task.covariates
        self._values, self._covariates = values, np.zeros((values.shape[0], 0), "float32")
        if task.covariates:
            self._values = chunked.columns(values, np.arange(self.genes), config.data.limit)
            self._covariates = _dense(values[:, self.genes :])
        self.is_streamed = values.shape[0] * values.shape[1] * 4 > config.data.limit
        data = config.data
        if like is None:
            for space in families.spaces(config).values():
                self._check(space["likelihood"].options[0])
            name = data.transforms[0]
            chosen = Transform.choose(self._values, name, data.log2_floor, data.missing)
            self.transforms = {name: chosen}
        else:
            self.transforms = like.transforms
        self.features = features if like is None else like.features
        if like is None:
            self._tell_levels()
        self._views, self._dense = {}, {}
        self._engines = collections.OrderedDict()

    def __str__(self):
        (transform,) = self.transforms.values()
        count = f"{len(self.pairs)} folds" if len(self.pairs) > 1 else "one validation part"
        why = f" ({transform.why})" if transform.why else ""
        return f"transform: {transform.name}{why}; {count}"

    def views(self, fold=0):
        """The `FoldInputs` of a fold: its transform and constants."""
        if fold not in self._views:
            (transform,) = self.transforms.values()
            self._views[fold] = FoldInputs(
                self._values, transform, self._config.data, [self.pairs[fold]], "genes",
                is_streamed=True,
            )  # fmt: skip
        return self._views[fold]

    def fit(self, family, values, plan, seed, repeats=None):
        """Train a configuration on every fold, one after the other.

        Args:
            family: Its name.
            values: Its hyperparameters.
            plan: A `_loop.Plan`.
            seed: Of initial weights, order and noise.
            repeats: Networks a fold that start differently.

        Returns:
            A `_loop.Fit`.

        Raises:
            _loop.Diverged: When not one epoch had a finite loss.
        """
        fits = []
        for repeat in range(repeats or 1):
            for fold in range(len(self.pairs)):
                own = derive(seed, f"repeat/{repeat}")
                network = self.network(family, values, own, fold)
                self._start(network, fold, own)
                engine = self._engine(values, network, plan.optimizer)
                engine.prepare(fold, plan.epochs)
                fits.append(_loop.fit(engine, [network], plan, own))
        return _loop.Fit(
            # Not as one array each: wired to the genes that a fold keeps, they differ in shape.
            list(zip(*(fit.replica(0) for fit in fits), strict=True)),
            [fit.held[0] for fit in fits[: len(self.pairs)]],
            int(np.median([fit.best_epoch for fit in fits])),
            # Some fold's is as long as the median asks for.
            max((fit.history for fit in fits), key=len),
            fits[0].parameters,
        )

    def network(self, family, values, seed=1, fold=0):
        """A fresh `ResVAE` for the genes that a fold keeps."""
        views = self.views(fold)
        return self._hypermodel(family, views.genes, seed).network(values, views.width)

    def _engine(self, values, network, optimizer):
        """The compiled steps of a configuration, those of the last few kept."""
        wiring = network.get_config()["sets"]
        key = json.dumps([values, optimizer, network.genes, wiring], sort_keys=True)
        if key not in self._engines:
            self._engines[key] = _Engine(self, network, optimizer)
        self._engines.move_to_end(key)
        while len(self._engines) > KEPT_STEPS:
            self._engines.popitem(last=False)
        return self._engines[key]

    def _start(self, network, fold, seed):
        """Start a network with a linear way as principal components of training rows."""
        if not network.get_config()["linear"]:
            return
        train = self.pairs[fold][0]
        some = np.random.default_rng(seed).permutation(train)[:STARTED]
        given = self.inputs(fold, np.sort(some), network.likelihood.of_raw)
        rows, values = given if network.likelihood.of_raw else (given, None)
        genes = network.genes
        covariates = rows[:, genes:] if network.covariates else None
        network.start(rows[:, :genes], covariates, values)

    def judge(self, fit):
        """Score a `_loop.Fit` by the ELBO of the rows each fold held out."""
        outputs = np.full((len(self.truth), self.task.outputs), np.nan)
        for (_, held), part in zip(self.pairs, fit.held, strict=False):
            outputs[held] = part
        each = [-outputs[held].sum(axis=1).mean() for _, held in self.pairs if len(held)]
        error = np.std(each, ddof=1) / len(each) ** 0.5 if len(each) > 1 else float("nan")
        score = -outputs[self.held].sum(axis=1).mean() if len(self.held) else float("nan")
        return Outcome(float(score), float(error), outputs, 1.0, fit)

    def parameters(self, family, values, fit):
        """Number of trained parameters of one network of a fit."""
        return fit.parameters

    def predictor(self, family, values, fit, temperature, features, replica=0):
        """The `LatentModel` of one replica of a fit."""
        fold = replica % len(self.pairs)
        network = self.network(family, values, fold=fold)
        network.set_weights(fit.replica(replica))
        views = self.views(fold)
        averages = self._covariates.mean(axis=0).tolist()
        library = self._library() if values.get("likelihood") in COUNTS else None
        return LatentModel.of(
            network.finished(), views.transform, views.constants[0], features,
            missing=self._config.data.missing, averages=averages, library=library,
        )  # fmt: skip

    def forget_steps(self):
        """The last steps are kept: the final fit is likely to need one of them."""

    def inputs(self, fold, index, of_raw):
        """What a `ResVAE` takes for some rows."""
        rows = self._seen(fold, index)
        if self.task.covariates:
            rows = np.concatenate([rows, self._covariates[index]], axis=1)
        if not of_raw:
            return rows
        kept = self.views(fold).constants[0].genes
        raw = _dense(chunked.taken(self._values, index))
        return rows, raw if len(kept) == raw.shape[1] else raw[:, kept]

    def _seen(self, fold, index):
        if self.is_streamed:
            return self.views(fold).batch(index)
        if fold not in self._dense:
            rows = np.arange(len(self.truth))
            chunks = [rows[start : start + JUDGED] for start in range(0, len(rows), JUDGED)]
            self._dense[fold] = np.concatenate([self.views(fold).batch(chunk) for chunk in chunks])
        return self._dense[fold][index]

    def _library(self):
        """Median sum of a row's counts."""
        sums = [np.nansum(batch, axis=1) for batch in chunked.batches(self._values)]
        return float(np.median(np.concatenate(sums)))

    def _check(self, name):
        """Refuse values that a likelihood is not defined on."""
        if not LIKELIHOODS[name].of_raw:
            return
        is_binary = name == "bernoulli"
        for known in chunked.known(self._values):
            wrong = known[(known != 0) & (known != 1)] if is_binary else known[known < 0]
            if len(wrong):
                expected = "0 and 1" if is_binary else "counts of at least 0"
                raise InputError(
                    f"families.resvae.likelihood: {name} needs values that are {expected}; "
                    f"received {wrong[0]:g}."
                )


class _Engine:
    """One autoencoder and its compiled steps, as `_loop.fit` asks of an engine."""

    folds = count = 1

    def __init__(self, folds, network, optimizer):
        self._folds, self.task, self.optimizer = folds, folds.task, optimizer
        # A copy, since a network that was trained belongs to whoever asked for it.
        self._network = network = type(network).from_config(network.get_config())
        clipped = optimizer_of(optimizer)
        clipped.clipnorm = CLIP_NORM
        network.compile(optimizer=clipped)
        clipped.build(network.trainable_variables)
        self._fresh = [v.numpy().copy() for v in clipped.variables]
        self._step = tf.function(network.train_step, autograph=False, reduce_retracing=True)
        self._bound = tf.function(network.bound, autograph=False, reduce_retracing=True)
        self._measured = {}

    @property
    def parameters(self):
        """Number of trained parameters."""
        return int(sum(np.prod(v.shape) for v in self._network.trainable_variables))

    @property
    def is_settled(self):
        """Whether the loss is the one that counts, the divergence weighing fully."""
        return self._epochs >= self._warm_up

    def prepare(self, fold, epochs):
        """Turn to the rows of a fold, to train for so many epochs at most."""
        self._fold, self._epochs = fold, 0
        train, held = self._folds.pairs[fold]
        weights = np.ones(len(self._folds.truth), "float32")
        self.rows = Rows([None], self._folds.truth, weights, [train], [held])
        is_warm = self._network.get_config()["linear"]
        self._warm_up = 0 if is_warm else math.ceil(WARM_UP * epochs)

    def begin(self, networks, seed, factors=None, epistasis=0.0):
        """Start as a network of the same structure does, noise included; the rest is not for it."""
        for variable, value in zip(self._network.variables, networks[0].variables, strict=True):
            variable.assign(value)
        for variable, value in zip(self._network.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)

    def epoch(self, index, rates, judge=True):
        """Train on (steps, 1, batch) row numbers.

        Returns:
            (steps,) losses, and a list with (held rows, 2): negative log likelihood, divergence.
        """
        network, parts = self._network, []
        self._epochs += judge
        network.warmth.assign(min(1.0, max(self._epochs, 1) / max(self._warm_up, 1)))
        for inputs, rate in zip(self._batches(index[:, 0]), rates, strict=True):
            network.optimizer.learning_rate.assign(rate)
            found = self._step((inputs,))
            parts.append([float(found[name]) for name in ("loss", "reconstruction", "kl")])
        losses, reconstruction, kl = np.array(parts).T
        if not judge:
            return losses, []
        held = self._judged()
        self._measured = {
            "reconstruction": float(reconstruction.mean()), "kl": float(kl.mean()),
            "warmth": float(network.warmth),
        }  # fmt: skip
        if len(held):
            means = held.mean(axis=0)
            self._measured |= {
                "validation_reconstruction": float(means[0]), "validation_kl": float(means[1])
            }  # fmt: skip
        # As large as the loss of held rows, whose parts are sums.
        return reconstruction + kl, [held]

    def measured(self):
        """Further columns of the last epoch's line."""
        return self._measured

    def weights(self):
        """A copy of the network's weights, (1, ...) each."""
        return [v.numpy().copy()[None] for v in self._network.weights]

    def state(self):
        """What `restore` takes."""
        variables = [*self._network.variables, *self._network.optimizer.variables]
        return [v.numpy().copy() for v in variables]

    def restore(self, state):
        """Go back to a state."""
        variables = [*self._network.variables, *self._network.optimizer.variables]
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)

    def _batches(self, index):
        """Inputs of each batch of (batches, rows) numbers, some batches made at once and ahead."""
        count, size = max(1, chunked.BLOCK // index.shape[1]), index.shape[1]
        parts = [index[start : start + count] for start in range(0, len(index), count)]
        for made in chunked.ahead(lambda part: self._inputs(part.ravel()), parts):
            several = made if isinstance(made, tuple) else (made,)
            for start in range(0, len(several[0]), size):
                batch = tuple(one[start : start + size] for one in several)
                yield batch if isinstance(made, tuple) else batch[0]

    def _inputs(self, index):
        return self._folds.inputs(self._fold, index, self._network.likelihood.of_raw)

    def _judged(self):
        """(held rows, 2), every epoch by the same draws."""
        held, parts = self.rows.held[0], [np.zeros((0, 2), "float32")]
        starts = range(0, len(held), JUDGED)
        made = chunked.ahead(lambda start: self._inputs(held[start : start + JUDGED]), starts)
        for start, inputs in zip(starts, made, strict=True):
            likelihood, divergence = self._bound(inputs, seed=tf.constant([start + 1, 0]))
            parts.append(np.stack([-likelihood, np.sum(divergence, axis=1)], axis=1))
        return np.concatenate(parts)


def _dense(values):
    return np.asarray(values.toarray() if scipy.sparse.issparse(values) else values, "float32")
