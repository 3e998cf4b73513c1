"""Cross-validation of networks that predict: all folds and seeds of a configuration at once.

A configuration's score is that of its out-of-fold outputs, averaged over seeds.
"""

import contextlib
import dataclasses
import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np

from autogenome_tf import families
from autogenome_tf.core.seeds import derive
from autogenome_tf.models import Predictor
from autogenome_tf.nn.dense_weights import open_gates
from autogenome_tf.nn.epistatic_penalty import check_sites
from autogenome_tf.nn.trees import forest_network
from autogenome_tf.nn.vectorized import structure
from autogenome_tf.preprocessing import MOST_ROWS, Transform, space_for
from autogenome_tf.training import _engines, _forests, _loop
from autogenome_tf.training._batches import USUAL_BATCH
from autogenome_tf.training._cross_validation import CrossValidation, Lent
from autogenome_tf.training._engines import InMemory, Objective, TrainingRows
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._gene_network import gene_network
from autogenome_tf.training._linear import SOLVERS
from autogenome_tf.training._linear_fit import linear_fit
from autogenome_tf.training._linear_start import begin_as_linear
from autogenome_tf.training._plan import Fit, Plan
from autogenome_tf.training._solved import solved
from autogenome_tf.training._streaming import check_streaming
from autogenome_tf.training._trials import Configuration

log = logging.getLogger(__name__)

# Rows of a batch that are worth a device.
FEWEST_MIRRORED = 8


class NetworkCrossValidation(CrossValidation):
    """Train networks of all supervised families; see `CrossValidation`.

    Attributes:
        space: Coordinates of the first layer: "genes", or "rows", the span of the training rows.
    """

    space: str

    def __init__(self, matrix, targets, task, settings, **options):
        super().__init__(matrix, targets, task, settings, **options)
        check_streaming(self)
        self.transforms = self._chosen_transforms()
        self.space = self._chosen_space()
        self._log_levels()
        self.repeats = settings.number_of_repeats(len(targets), len(self.splits))
        self._devices = self._number_of_devices()
        self._forget_inputs()

    def __str__(self):
        names = []
        for transform in self.transforms.values():
            names.append(transform.name + (f" ({transform.why})" if transform.why else ""))
        count = f"{len(self.splits)} folds" if len(self.splits) > 1 else "one validation part"
        seeds = f" x {self.repeats} seeds" if self.repeats > 1 else ""
        rows = "the widest directions" if self._is_truncated else "the span"
        where = f"{rows} of the training rows" if self.space == "rows" else "the genes"
        of_genes = [name for name in self.settings.families if families.is_of_genes(name, {})]
        if self.space == "rows" and of_genes:
            where += f", of {' and '.join(of_genes)} on the genes"
        return f"transform: {' or '.join(names)}; {count}{seeds}; first layer on {where}"

    def space_of(self, configuration: Configuration) -> str:
        """Return the coordinates that a configuration's first layer works on.

        The baseline is logistic or ridge regression of all genes also where networks see the widest
        directions alone: without weights of genes, they may be noise.
        """
        family, values = configuration.family, configuration.values
        is_exact = self._is_convex(family) and values.get("loss") not in SOLVERS
        if is_exact and self._is_truncated and not values.get("gene_power"):
            return "genes"
        return "genes" if families.is_of_genes(family, values) else self.space

    @property
    def _is_truncated(self):
        """Return whether "rows" are only the widest directions, by the choice of `auto`."""
        return len(self.targets) > MOST_ROWS and self.settings.training.space == "auto"

    def fold_inputs(self, configuration):
        """Return the inputs of every fold; see `CrossValidation.fold_inputs`."""
        key, own = self._plain_inputs(configuration)
        power = configuration.values.get("gene_power", 0.0)
        if not power:
            return own
        if key not in self._statistics:
            self._statistics[key] = [
                self.task.gene_statistics(own.training_batches(fold), self.targets, self.weights)
                for fold in range(len(self.splits))
            ]
        if (*key, power) not in self._weighed_inputs:
            if key[1] == "rows":
                self._free_genes()
            self._weighed_inputs[*key, power] = own.weighed(self._statistics[key], power)
        return self._weighed_inputs[*key, power]

    def with_targets(self, targets):
        """Return the same rows with other targets; what weighs genes by targets is not shared."""
        other = super().with_targets(targets)
        other._forget_weights()
        return other

    def _plain_inputs(self, configuration):
        """Return the inputs of every fold, all genes of weight 1, and the key of these inputs."""
        default = next(iter(self.transforms))
        transform = self.transforms[configuration.values.get("transform", default)]
        # "auto" may have chosen what another name says.
        key = transform.name, self.space_of(configuration)
        if key not in self._inputs:
            self._free_genes()
            self._inputs[key] = FoldInputs(
                self.matrix,
                transform,
                self.settings.data,
                self.splits,
                key[1],
                row_weights=self.row_weights,
                is_truncated=len(self.targets) > MOST_ROWS,
                is_streamed=self.is_streamed,
            )
        return key, self._inputs[key]

    def _free_genes(self):
        """Free rows of all genes where they may be as large as the matrix, until they are used."""
        if self._is_truncated:
            for inputs in self._inputs.values():
                inputs.forget_genes()

    def kept_genes(self, configuration):
        """Return the sorted numbers of the genes that some fold keeps."""
        return self.fold_inputs(configuration).genes

    def fit(self, configuration, plan, seed, repeats=None):
        """Train a configuration on every fold and seed at once; see `CrossValidation.fit`."""
        family, values = configuration.family, configuration.values
        if families.is_of_trees(family):
            inputs, repeats = self.fold_inputs(configuration), repeats or 1
            return _forests.fitted(self, inputs, configuration, plan, seed, repeats)
        if self._is_convex(family):
            name = families.member(family).path(values)
            ((_, fit),) = self.path(configuration, [values[name]], plan.deadline)
            return fit
        networks = [
            self.network(configuration, derive(seed, f"repeat/{repeat}"))
            for repeat in range(repeats or self._repeats_of(family))
        ]
        rows, factors = self.rows(configuration), self.factors(configuration)
        linear = linear_fit(self._solver, rows, self.task, values, plan.deadline, factors)
        with self._engine(rows, networks, plan.optimizer) as engine:
            engine.begin(networks, seed, factors, Objective.of(values))
            begin_as_linear(engine, networks[0], linear)
            fit = _loop.fit(engine, plan, seed)
        return dataclasses.replace(fit, gates=open_gates(networks[0], fit.weights))

    def _repeats_of(self, family):
        """Return the number of networks a fold; one where the final model is one, if not asked."""
        asked = self.settings.repeats != "auto" or self.settings.size != 1
        return self.repeats if asked or self.seeds_of(family) > 1 else 1

    def fit_inputs(
        self, configuration: Configuration, inputs: np.ndarray, plan: Plan, seed: int,
        factors: np.ndarray | None = None,
    ) -> Fit:  # fmt: skip
        """Train a configuration on other inputs of the first fold's rows; no rows validate.

        Args:
            configuration: Family and hyperparameters.
            inputs: (inputs, rows, coordinates), what takes the place of the rows as the first
                fold's network sees them; its training rows are trained on.
            plan: How it is trained.
            seed: Of initial weights, the same for all inputs, and order.
            factors: (inputs, coordinates) that inputs are multiplied by, or None.

        Returns:
            A `Fit`, a replica for each of the inputs.
        """
        count, nobody = len(inputs), np.zeros(0, int)
        rows = dataclasses.replace(
            self.rows(configuration), inputs=_engines.resident(inputs),
            train=[self.splits[0][0]] * count, validation=[nobody] * count, genotypes=None,
        )  # fmt: skip
        networks = [self.network(configuration, seed)]
        values = configuration.values
        linear = linear_fit(self._solver, rows, self.task, values, plan.deadline, factors)
        engine = _engines.engine(networks[0], 1, rows, self.task, plan.optimizer)
        engine.begin(networks, seed, factors, Objective.of(values))
        begin_as_linear(engine, networks[0], linear)
        return _loop.fit(engine, plan, seed)

    def path(
        self, configuration, options: Iterable[Any], deadline=float("inf")
    ) -> Iterator[tuple[Any, Fit]]:
        """Solve a convex family for each value of its path; see `CrossValidation.path`."""
        try:
            yield from self._path(configuration, options, deadline)
        finally:
            self._free_genes()

    def _path(self, configuration, options, deadline):
        if configuration.values.get("loss") in SOLVERS:
            self._check_memory(configuration)
            inputs = self.fold_inputs(configuration)
            yield from solved(self, inputs, configuration, options, deadline)
            return
        penalties = list(options)
        # Those of several targets, a dict, come alone.
        if len(penalties) > 1:
            penalties.sort(reverse=True)
        network = self.network(configuration, 1)
        factors = self.factors(configuration)
        with self._solver(self.rows(configuration), network) as engine:
            yield from _loop.converge(
                engine, network, penalties, deadline=deadline, factors=factors
            )

    def _check_memory(self, configuration):
        """Refuse a linear learner whose rows are not in memory, or would not be on genes."""
        data, rows = self.settings.data, self.matrix.shape[0]
        is_wide = self.space_of(configuration) == "genes"
        copies = len(self.splits) if is_wide else 1
        needed = 4 * rows * min(self.genes, data.top_variable or self.genes) * copies
        if self.is_streamed or needed > data.limit:
            family, loss = configuration.family, configuration.values["loss"]
            raise ValueError(
                f"families.{family}.loss: {loss} needs the rows of all folds in memory, "
                f"{needed:,} bytes; data.memory allows {data.limit:,}. Expected a larger "
                "data.memory, a smaller data.top_variable or another loss."
            )

    def _is_convex(self, family):
        """Return whether a family's loss is convex and all rows are in memory."""
        return families.member(family).is_convex and not self.is_streamed

    def network(
        self,
        configuration: Configuration,
        seed: int = 1,
        inputs: int | None = None,
        is_plain: bool = False,
    ) -> keras.Model:
        """Return a fresh network of a family on the coordinates of these rows.

        Args:
            configuration: Family and hyperparameters.
            seed: Of initial weights.
            inputs: Width in place of that of the coordinates.
            is_plain: Whether to make it of Keras' own layers alone, for the weights that
                `dense_weights.to_dense_weights` returns.
        """
        own, space = self.fold_inputs(configuration), self.space_of(configuration)
        family, values = configuration.family, configuration.values
        if self._is_convex(family):
            # The engine adds the penalty itself, which may be one a target.
            values = values | {"l2": 0.0}
        hypermodel = self._hypermodel(family, own.genes, seed)
        return hypermodel.network(values, inputs or own.width, space, is_plain=is_plain)

    def factors(self, configuration: Configuration) -> np.ndarray | None:
        """Return (folds, inputs) that a configuration multiplies inputs by, or None."""
        return self.fold_inputs(configuration).factors(
            configuration.values.get("spectral_power", 0.0)
        )

    def rows(self, configuration: Configuration) -> TrainingRows:
        """Return the rows that a configuration's replicas learn from."""
        own, asked = self.fold_inputs(configuration), self.settings.training.epistasis
        # A strength of 0 is no penalty, and costs none.
        genotypes = own.genotypes(asked) if configuration.values.get("epistasis") else None
        train, validation = map(list, zip(*self.splits, strict=True))
        return TrainingRows(own.rows, self.targets, self.weights, train, validation, genotypes)

    def _engine(self, rows, networks, optimizer):
        """Lend the compiled step for networks of this structure, turned to these rows."""
        options = optimizer, self._devices, self.workers
        make = functools.partial(
            _engines.engine, networks[0], len(networks), rows, self.task, *options
        )
        return self._lent_for(rows, networks, optimizer, make)

    def _solver(self, rows: TrainingRows, network: keras.Model) -> AbstractContextManager[InMemory]:
        """Lend the engine that minimises a network's convex loss, turned to rows in memory."""
        make = functools.partial(InMemory, network, 1, rows, self.task)
        return self._lent_for(rows, [network], "adam", make)

    @contextlib.contextmanager
    def _lent_for(
        self,
        rows: TrainingRows,
        networks: list[keras.Model],
        optimizer: str,
        make: Callable[[], Lent],
    ) -> Iterator[Lent]:
        """Lend the engine that `make` makes, or one kept from networks of the same structure."""
        (network, *_), seeds = networks, len(networks)
        key = structure(network), seeds, optimizer, self.task.loss_key, rows.key
        replicas = seeds * len(rows.train)
        with self._lent(key, make, replicas * network.count_params()) as engine:
            engine.set_rows(rows)
            yield engine

    def parameters(self, configuration, fit):
        """Return the number of trained parameters of one gene-level network of a fit."""
        own = self.fold_inputs(configuration)
        if own.are_genes or families.is_of_trees(configuration.family):
            return fit.parameters
        _, inputs, units = fit.weights[0].shape
        genes = max(len(constants.genes) for constants in own.constants)
        return fit.parameters + (genes - inputs) * units

    def final_model(self, configuration, fit, temperature, *replicas) -> Predictor:
        """Return the gene-level model of replicas of a fit, its preprocessing in front."""
        own, replicas = self.fold_inputs(configuration), replicas or (0,)
        constants = own.constants[replicas[0] % len(self.splits)]
        if families.is_of_trees(configuration.family):
            network = forest_network(fit.weights[0][replicas[0]], len(constants.genes))
        else:
            make = functools.partial(self.network, configuration)
            power = configuration.values.get("spectral_power", 0.0)
            network = gene_network(make, own, fit, replicas, power)
        return Predictor.assemble(
            [(own.transform, constants, network)],
            self.task,
            self.features,
            self.settings.data.missing,
            temperature,
        )

    def _forget_inputs(self):
        self._inputs: dict[tuple[str, str], FoldInputs] = {}
        self._forget_weights()

    def _forget_weights(self):
        """Start with no statistics of genes; another cross-validation keeps its own."""
        self._statistics: dict[tuple[str, str], list[np.ndarray]] = {}
        self._weighed_inputs: dict[tuple[str, str, float], FoldInputs] = {}

    def _chosen_transforms(self):
        """Choose each transform that the config names by the values of all rows to learn from."""
        data = self.settings.data
        # What a network makes of genotypes that are not there needs their sites as they are.
        of_genotypes = self.settings.training.epistasis is not None
        return {
            name: Transform.choose(
                self.matrix, "none" if of_genotypes else name, data.log2_floor, data.missing
            )
            for name in data.transforms
        }

    def _chosen_space(self):
        """Choose the coordinates of the first layer by the numbers of rows and genes."""
        training = self.settings.training
        genes = min(self.genes, self.settings.data.top_variable or self.genes)
        if training.epistasis is not None:
            check_sites(training.epistasis.method, genes)
        in_genes = self.is_streamed or training.epistasis is not None
        return space_for(len(self.targets), genes, "genes" if in_genes else training.space)

    def _number_of_devices(self):
        """Return how many devices share each batch; log what cannot be."""
        asked = self.settings.training.devices
        if asked == 1 or self.workers:
            return 1
        if not self.is_streamed:
            log.info("training.devices %d has no effect: all rows are on one device", asked)
            return 1
        found = min(asked, len(_engines.devices()))
        if found < asked:
            log.warning("training.devices: %d requested, %d found", asked, found)
        # Statistics of a batch are of each device's part, which must have some rows.
        given = self.settings.training.batch_size
        size = USUAL_BATCH if given == "auto" else given
        return max(1, min(found, size // FEWEST_MIRRORED))
