"""Cross-validation of autoencoders: one fold after the other, judged by the ELBO."""

import functools
import json
import logging

import numpy as np

from autogenome_tf import families
from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.models import UNIT_ROWS, LatentModel
from autogenome_tf.nn.likelihoods import LIKELIHOODS
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.preprocessing import Transform
from autogenome_tf.preprocessing.scale import COUNTS, LINEAR, Scale, whole_share
from autogenome_tf.training import _loop
from autogenome_tf.training._cross_validation import CrossValidation
from autogenome_tf.training._engines import AutoencoderEngine, TrainingRows
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._plan import Fit
from autogenome_tf.training._trials import Configuration

log = logging.getLogger(__name__)

# Rows whose principal components a network starts from, at most.
STARTED = 2000
OF_COUNTS = ("negative_binomial", "zero_inflated")
# Of expected counts (RSEM, Salmon) most are whole: only reads that fit several places are divided.
# Of values that are divided by lengths or totals hardly any is.
LEAST_WHOLE = 0.5
# Networks that differ in these alone share a compiled step.
LOOSE = ("name", "names", "seed")


class AutoencoderCrossValidation(CrossValidation):
    """Train autoencoders; see `CrossValidation`.

    Columns of covariates stand behind those of the genes.

    Raises:
        InputError: Where a likelihood that the config names is not defined on the values, levels
            of covariates that there are not are to be aligned, or several processes are to train
            together.
    """

    repeats = 1
    _kept_steps = 2

    def __init__(self, matrix, targets, task, settings, **options):
        super().__init__(matrix, targets, task, settings, **options)
        if self.workers:
            raise InputError("TF_CONFIG: a representation is trained by one process.")
        self.genes -= task.covariates
        self._classes = task.classes
        self._values, self._covariates = matrix, np.zeros((matrix.shape[0], 0), "float32")
        if task.covariates:
            self._values = chunked.columns(matrix, np.arange(self.genes), settings.data.limit)
            self._covariates = chunked.dense(matrix[:, self.genes :])
        data = settings.data
        name = data.transforms[0]
        chosen = Transform.choose(self._values, name, data.log2_floor, data.missing)
        self.transforms = {name: chosen}
        self._likelihoods = {name: self._likelihood(name) for name in settings.families}
        self._check_alignment()
        self._log_levels()
        self._forget_inputs()

    def __str__(self):
        count = f"{len(self.splits)} folds" if len(self.splits) > 1 else "one validation part"
        why = f" ({self._transform.why})" if self._transform.why else ""
        likelihoods = ", ".join(sorted(set(self._likelihoods.values())))
        labels = ""
        if self._classes:
            train = self.targets[self.splits[0][0]]
            labels = f"labels of {(train >= 0).sum()} of {len(train)} training rows are learned; "
        return f"transform: {self._transform.name}{why}; likelihood: {likelihoods}; {labels}{count}"

    @property
    def is_repeatable(self) -> bool:
        """Return whether several networks a fold can be trained: one after the other always."""
        return True

    @property
    def _transform(self):
        (transform,) = self.transforms.values()
        return transform

    def _of_fold(self, fold: int) -> FoldInputs:
        """Return the inputs of a fold, prepared batch by batch."""
        if fold not in self._inputs:
            self._inputs[fold] = FoldInputs(
                self._values, self._transform, self.settings.data, [self.splits[fold]], "genes",
                is_streamed=True,
            )  # fmt: skip
        return self._inputs[fold]

    def kept_genes(self, configuration):
        """Return the sorted numbers of the genes that the first fold keeps."""
        return self._of_fold(0).genes

    def fit(self, configuration, plan, seed, repeats=None):
        """Train a configuration on one fold after the other; see `CrossValidation.fit`."""
        fits = []
        for repeat in range(repeats or 1):
            for fold in range(len(self.splits)):
                own = derive(seed, f"repeat/{repeat}")
                network = self.network(configuration, own, fold)
                self._start(network, fold, own)
                with self._engine(network, plan.optimizer) as engine:
                    engine.set_rows(self._rows(network, fold), plan.epochs)
                    engine.begin([network], own)
                    fits.append(_loop.fit(engine, plan, own))
        return Fit(
            # Not as one array each: wired to the genes that a fold keeps, they differ in shape.
            list(zip(*(fit.replica(0) for fit in fits), strict=True)),
            [fit.validation[0] for fit in fits[: len(self.splits)]],
            int(np.median([fit.best_epoch for fit in fits])),
            # Some fold's is as long as the median asks for.
            max((fit.history for fit in fits), key=len),
            fits[0].parameters,
        )

    def network(self, configuration: Configuration, seed: int = 1, fold: int = 0) -> ResVAE:
        """Return a fresh `ResVAE` for the genes that a fold keeps."""
        own, family = self._of_fold(fold), configuration.family
        known = {**configuration.values, "likelihood": self._likelihoods[family]}
        return self._hypermodel(family, own.genes, seed).network(known, own.width)

    def _engine(self, network, optimizer):
        """Lend the compiled step for autoencoders of this structure."""
        config = {name: value for name, value in network.get_config().items() if name not in LOOSE}
        key = type(network), optimizer, json.dumps(config, sort_keys=True)
        make = functools.partial(AutoencoderEngine, network, self.task, optimizer)
        return self._lent(key, make, network.count_params())

    def _rows(self, network, fold):
        """Return the `TrainingRows` of a fold for networks of one structure."""
        train, validation = self.splits[fold]
        inputs = _Inputs(self, fold, network.likelihood.of_raw)
        return TrainingRows([inputs], self.targets, self.weights, [train], [validation])

    def _start(self, network, fold, seed):
        """Start a network with a linear way as principal components of training rows."""
        if not network.get_config()["linear"]:
            return
        train = self.splits[fold][0]
        some = np.sort(np.random.default_rng(seed).permutation(train)[:STARTED])
        covariates = self._covariates[some] if network.covariates else None
        raw = self._raw(fold, some) if network.likelihood.of_raw else None
        labels = self.targets[some] if network.classes else None
        network.start(self._prepared(fold, some), covariates, raw, labels)

    def final_model(self, configuration, fit, temperature, *replicas) -> LatentModel:
        """Return the `LatentModel` of one replica of a fit; see `CrossValidation.final_model`."""
        (replica,) = replicas or (0,)
        fold = replica % len(self.splits)
        network = self.network(configuration, fold=fold)
        network.set_weights(fit.replica(replica))
        own = self._of_fold(fold)
        averages = self._covariates.mean(axis=0).tolist()
        library = self._library() if self._likelihoods[configuration.family] in OF_COUNTS else None

        def made(autoencoder, distance):
            return LatentModel.of(
                autoencoder, own.transform, own.constants[0], self.features,
                missing=self.settings.data.missing, averages=averages, library=library,
                classes=self._classes, distance=distance,
            )  # fmt: skip

        if not fit.best_epoch:
            log.warning(
                "No epoch of training had a better ELBO on validation rows than the principal "
                "components that the network starts as: the latent space is theirs.",
                extra={"about": "start"},
            )
        finished, train = network.finished(), self.splits[fold][0]
        # Spread over the rows, whose order may be that of batches or classes.
        some = chunked.taken(self.matrix, train[:: -(-len(train) // UNIT_ROWS)])
        asked = self._asked(configuration.family, "distance")
        units, distance = made(finished, "prior").units(some, asked)
        return made(finished.scaled(units), distance)

    def inputs(self, fold: int, index: np.ndarray, of_raw: bool):
        """Return what a `ResVAE` takes for some rows.

        Args:
            fold: Number of the fold whose constants scale them.
            index: (n,) numbers of the rows.
            of_raw: Whether the likelihood is of raw values.

        Returns:
            (n, genes + covariates); with `of_raw` a pair of that and (n, genes) raw values.
        """
        rows = self._prepared(fold, index)
        if self._covariates.shape[1]:
            rows = np.concatenate([rows, self._covariates[index]], axis=1)
        return (rows, self._raw(fold, index)) if of_raw else rows

    def _raw(self, fold, index):
        """Return (n, genes) raw values of some rows, of the genes that a fold keeps."""
        kept = self._of_fold(fold).constants[0].genes
        raw = chunked.dense(chunked.taken(self._values, index))
        return raw if len(kept) == raw.shape[1] else raw[:, kept]

    def _prepared(self, fold, index):
        """Return (n, genes) of some rows as a fold sees them; in memory they are prepared once."""
        if self.is_streamed:
            return self._of_fold(fold).batch(index)
        if fold not in self._in_memory:
            self._in_memory[fold] = self._of_fold(fold).preprocessed(0)
        return self._in_memory[fold][index]

    def _forget_inputs(self):
        self._inputs: dict[int, FoldInputs] = {}
        self._in_memory: dict[int, np.ndarray] = {}

    def _library(self):
        """Return the median sum of a row's counts."""
        sums = [np.nansum(batch, axis=1) for batch in chunked.batches(self._values)]
        return float(np.median(np.concatenate(sums)))

    def _asked(self, family, hyperparameter):
        """Return what the config asks of a hyperparameter that no search varies."""
        given = self.settings.families[family]
        return families.space(family, given)[hyperparameter].options[0]

    def _likelihood(self, name):
        """Return the likelihood of a family; `auto` is decided by the values.

        Counts have a negative binomial one, values of 0 and 1 a bernoulli one, others a gaussian;
        of those that may be expected counts a warning says so.
        """
        asked = self._asked(name, "likelihood")
        if asked != "auto":
            self._check_values(asked, f"families.{name}.likelihood")
            return asked
        if self._misfit("bernoulli") is None:
            return "bernoulli"
        kind = Scale.of(self._values).kind
        if kind not in (COUNTS, LINEAR) or self._misfit("negative_binomial") is not None:
            return "gaussian"
        if kind == COUNTS:
            return "negative_binomial"
        whole = whole_share(self._values)
        if whole >= LEAST_WHOLE:
            log.warning(
                "%.0f %% of the values above 0 are whole numbers: they may be expected counts of "
                "reads. They are taken for values on a continuous scale; if they are counts, set "
                "families.%s.likelihood to negative_binomial.", 100 * whole, name,
                extra={"about": "likelihood"},
            )  # fmt: skip
        return "gaussian"

    def _check_alignment(self):
        """Refuse an alignment without covariates; with them, warn of what it may merge."""
        for name in self.settings.families:
            weight = self._asked(name, "alignment")
            if weight and not self._covariates.shape[1]:
                raise InputError(
                    f"families.{name}.alignment: it mixes the levels of data.covariates; expected "
                    f"0 without covariates; received {weight:g}."
                )
            if weight:
                log.warning(
                    "families.%s.alignment %g mixes the levels of the covariates. Where they hold "
                    "other cell types, or the same in very different shares, it can merge types "
                    "that are alike: compare clusters.tsv with a run of alignment 0.", name,
                    weight, extra={"about": "alignment"},
                )  # fmt: skip

    def _misfit(self, likelihood):
        """Return the first value that a likelihood is not defined on, or None."""
        for known in chunked.known(self._values):
            is_binary = likelihood == "bernoulli"
            wrong = known[(known != 0) & (known != 1)] if is_binary else known[known < 0]
            if len(wrong):
                return wrong[0]
        return None

    def _check_values(self, name, place):
        """Refuse values that a likelihood is not defined on."""
        wrong = self._misfit(name) if LIKELIHOODS[name].of_raw else None
        if wrong is not None:
            expected = "0 and 1" if name == "bernoulli" else "counts of at least 0"
            raise InputError(
                f"{place}: {name} needs values that are {expected}; received {wrong:g}."
            )


class _Inputs:
    """Make batches of what a `ResVAE` takes, for the rows of a fold.

    Args:
        cross_validation: The `AutoencoderCrossValidation` of the rows.
        fold: Number of the fold.
        of_raw: Whether the likelihood is of raw values.
    """

    def __init__(self, cross_validation, fold, of_raw):
        self._cross_validation, self._fold, self._of_raw = cross_validation, fold, of_raw

    def batch(self, index):
        """Return what a `ResVAE` takes for (n,) numbers of rows."""
        return self._cross_validation.inputs(self._fold, index, self._of_raw)
