"""The contract of cross-validation: train any configuration on each split, judge it on the rest."""

import abc
import copy
import dataclasses
import logging
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Self, TypeVar

import keras
import numpy as np

from autogenome_tf import families
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.models import Predictor
from autogenome_tf.preprocessing import Transform
from autogenome_tf.tasks import Task
from autogenome_tf.training._engines import (
    SHARED,
    SMALL_BYTES,
    Engine,
    Penalty,
    StepCache,
)
from autogenome_tf.training._fold_inputs import FoldInputs
from autogenome_tf.training._multi_worker import WorkerCluster
from autogenome_tf.training._plan import Fit, Plan
from autogenome_tf.training._settings import TrainingSettings
from autogenome_tf.training._trials import Configuration, Trial, TrialResult

log = logging.getLogger(__name__)

Lent = TypeVar("Lent", bound=Engine)
Splits = list[tuple[np.ndarray, np.ndarray]]
# A float32 weight and Adam's two moments of it.
BYTES_OF_PARAMETER = 12


class CrossValidation(abc.ABC):
    """Train any configuration on the training rows of each split, judge it on the validation rows.

    Networks that predict and autoencoders are trained, judged and refitted through this interface.

    Args:
        matrix: (rows, genes) raw values, an array or CSR; rows to learn from, no test rows.
        targets: (rows,) class positions or (rows, targets) standardised values, as the task
            encodes them.
        task: What is learned.
        settings: Keys of the config.
        splits: (train rows, validation rows) of each fold, as row numbers.
        features: Names of the genes, then of covariates; None: their numbers.
        row_weights: (rows,) weights of `data.weight`; None: all rows count alike.
        workers: The processes that train each network together, or None.

    Attributes:
        matrix, targets, task, settings, splits, row_weights, workers: As given.
        features: Names of the genes, then of covariates.
        weights: (rows,) weight of each row in the loss, mean 1: `row_weights` times what the task
            makes of its target.
        genes: Number of columns that are genes.
        transforms: `Transform` by the name that the config gives it; the first is the default.
        repeats: Networks a fold, at least 1.
        is_streamed: Whether rows do not fit into memory and are read batch by batch.
    """

    matrix: Matrix
    targets: np.ndarray
    task: Task
    settings: TrainingSettings
    splits: Splits
    features: list[str]
    row_weights: np.ndarray | None
    workers: WorkerCluster | None
    weights: np.ndarray
    genes: int
    transforms: dict[str, Transform]
    repeats: int
    is_streamed: bool
    # Compiled steps of large networks that are kept for later configurations of their structure.
    _kept_steps = 8

    def __init__(
        self,
        matrix: Matrix,
        targets: np.ndarray,
        task: Task,
        settings: TrainingSettings,
        *,
        splits: Splits,
        features: list[str] | None = None,
        row_weights: np.ndarray | None = None,
        workers: WorkerCluster | None = None,
    ):
        self.matrix, self.targets, self.task, self.settings = matrix, targets, task, settings
        self.splits, self.workers = splits, workers
        self.features = features or [str(gene) for gene in range(matrix.shape[1])]
        self.row_weights = row_weights
        self.weights = task.row_weights(targets, row_weights)
        self.genes = matrix.shape[1]
        self.is_streamed = matrix.shape[0] * matrix.shape[1] * 4 > settings.data.limit
        self._steps: StepCache = StepCache(self._kept_steps)

    @abc.abstractmethod
    def fit(
        self, configuration: Configuration, plan: Plan, seed: int, repeats: int | None = None
    ) -> Fit:
        """Train a configuration on every split.

        Args:
            configuration: Family and hyperparameters.
            plan: How it is trained.
            seed: Of initial weights, order and noise.
            repeats: Networks a fold that start differently, in place of `repeats`.

        Raises:
            Diverged: When not one epoch had a finite loss.
        """

    def path(
        self,
        configuration: Configuration,
        options: Iterable[Penalty],
        deadline: float = float("inf"),
    ) -> Iterator[tuple[Penalty, Fit]]:
        """Solve a family whose loss has a single minimum for each value of its path.

        Args:
            configuration: Family and its other hyperparameters.
            options: Values of the hyperparameter that `Family.path` names; a single one may be
                those of several targets by their names.
            deadline: `time.monotonic()` after which no further iteration starts.

        Yields:
            A pair for each option, the simplest model first: its value and its `Fit`.

        Raises:
            ValueError: The rows cannot be solved for; the message says why and what to do.
        """
        raise NotImplementedError(f"{configuration.family}: the loss has no single minimum.")

    @abc.abstractmethod
    def final_model(
        self, configuration: Configuration, fit: Fit, temperature: Any, *replicas: int
    ) -> Predictor:
        """Return the model of a replica of a fit, or of the mean of several, from raw values on.

        Args:
            configuration: Family and hyperparameters of the fit.
            fit: Trained replicas.
            temperature: Divisor of logits, above 0; 1 where outputs are no logits.
            *replicas: Number of each replica, ``repeat * folds + fold``, all of one fold; the first
                where none is given.
        """

    def fold_inputs(self, configuration: Configuration) -> FoldInputs:
        """Return the inputs of every fold as a configuration's networks see them, prepared once.

        Args:
            configuration: Family and hyperparameters.

        Raises:
            NotImplementedError: Autoencoders see one fold after the other.
        """
        raise NotImplementedError(f"{configuration.family}: folds are trained one by one.")

    @abc.abstractmethod
    def kept_genes(self, configuration: Configuration) -> np.ndarray:
        """Return the sorted numbers of the genes that a configuration's networks see.

        Args:
            configuration: Family and hyperparameters.
        """

    @property
    def is_repeatable(self) -> bool:
        """Return whether several networks a fold can be trained, in memory only."""
        return not self.is_streamed

    def seeds_of(self, family: str) -> int:
        """Return the number of networks that a trial of a family is retrained as.

        Args:
            family: Its name.
        """
        if not self.is_repeatable:
            return 1
        return self.settings.number_of_seeds(family, len(self.targets))

    @property
    def objective(self) -> str:
        """Return the name of the metric that ranks trials."""
        return self.settings.objective

    @property
    def validation_rows(self) -> np.ndarray:
        """Return the numbers of all rows that validate in some split, sorted."""
        return np.sort(np.concatenate([validation for _, validation in self.splits]))

    def judge(self, trial: Trial, fit: Fit) -> TrialResult:
        """Score the fit of a trial by its outputs for the validation rows of each split.

        Args:
            trial: Family and hyperparameters of the fit; score, error, epochs and parameters of
                the result are those of the fit.
            fit: Trained replicas.
        """
        outputs = self.validation_outputs(fit.validation)
        temperature = self.temperature(outputs)
        calibrated = outputs / temperature
        each = [self.score(rows, calibrated) for _, rows in self.splits if len(rows)]
        error = np.std(each, ddof=1) / len(each) ** 0.5 if len(each) > 1 else float("nan")
        score = self.score(self.validation_rows, calibrated) if each else float("nan")
        judged = dataclasses.replace(
            trial,
            score=score,
            error=float(error),
            epochs=fit.best_epoch,
            parameters=self.parameters(trial.configuration, fit),
            status="done",
        )
        return TrialResult(judged, outputs, temperature, fit)

    def validation_outputs(self, parts: list[np.ndarray]) -> np.ndarray:
        """Bring the outputs of each split's validation rows into the order of all rows.

        Args:
            parts: (validation rows, outputs) of each split.

        Returns:
            (rows, outputs); NaN for rows that do not validate.
        """
        outputs = np.full((len(self.targets), self.task.outputs), np.nan)
        for (_, rows), part in zip(self.splits, parts, strict=True):
            outputs[rows] = self.task.comparable(part)
        return outputs

    def temperature(self, outputs: np.ndarray) -> float | np.ndarray:
        """Return the divisor that calibrates out-of-fold logits (rows, outputs); else 1.

        Args:
            outputs: (rows, outputs) out-of-fold outputs.
        """
        rows = self.validation_rows
        return self.task.temperature(self.targets[rows], outputs[rows], self.weights[rows])

    def score(self, rows: np.ndarray, outputs: np.ndarray) -> float:
        """Return the objective of some rows, by their numbers, for (all rows, outputs).

        Args:
            rows: (n,) numbers of rows.
            outputs: (all rows, outputs) outputs.
        """
        known = self.targets[rows], outputs[rows], self.weights_of(rows)
        return self.task.score(self.objective, *known)

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights of `data.weight` of some rows, for metrics; None where there are none.

        Args:
            rows: (n,) numbers of rows.
        """
        return None if self.row_weights is None else self.row_weights[rows]

    def parameters(self, configuration: Configuration, fit: Fit) -> int:
        """Return the number of trained parameters of one gene-level network of a fit.

        Args:
            configuration: Family and hyperparameters of the fit.
            fit: Fit of the trial.
        """
        return fit.parameters

    def levels(self, family: str) -> tuple:
        """Return what a family's units stand for, a `Membership` of gene sets a level.

        Args:
            family: Its name.
        """
        return self._hypermodel(family, np.arange(self.genes)).levels()

    def kept_levels(self, configuration: Configuration) -> tuple:
        """Return `levels` of the genes that a configuration's networks see.

        Args:
            configuration: Family and hyperparameters.
        """
        return self._hypermodel(configuration.family, self.kept_genes(configuration)).levels()

    def on_all_rows(self) -> Self:
        """Return the same with a single split that trains on all rows and validates on none.

        Transforms, coordinates and workers stay what was found here; the matrix is shared.
        """
        other = self.with_splits([(np.arange(len(self.targets)), np.zeros(0, int))])
        other.repeats = 1
        return other

    def with_splits(self, splits: Splits) -> Self:
        """Return the same rows in other splits; transforms, coordinates and workers stay.

        Args:
            splits: (train rows, validation rows) of each fit, as row numbers.
        """
        other = copy.copy(self)
        other.splits = splits
        other._steps = StepCache(self._kept_steps)
        other._forget_inputs()
        return other

    def with_targets(self, targets: np.ndarray) -> Self:
        """Return the same rows with other targets; inputs and compiled steps are shared.

        Args:
            targets: As for the class.
        """
        other = copy.copy(self)
        other.targets = targets
        other.weights = self.task.row_weights(targets, self.row_weights)
        return other

    def forget_steps(self) -> None:
        """Free the compiled steps of large networks; those of small ones serve other rows."""
        self._steps.clear()

    def _lent(
        self, key: Hashable, make: Callable[[], Lent], parameters: int
    ) -> AbstractContextManager[Lent]:
        """Lend a compiled step; see `StepCache.lent`.

        Args:
            key: Of the step.
            make: Function that makes it.
            parameters: Number of parameters of all its replicas.
        """
        is_small = parameters * BYTES_OF_PARAMETER <= SMALL_BYTES
        # The devices and processes that share streamed batches are those of these rows.
        cache = SHARED if is_small and not self.is_streamed else self._steps
        return cache.lent(key, make)

    @abc.abstractmethod
    def network(self, configuration: Configuration, seed: int = 1) -> keras.Model:
        """Return a fresh network of a configuration.

        Args:
            configuration: Family and hyperparameters.
            seed: Of initial weights.
        """

    @abc.abstractmethod
    def _forget_inputs(self) -> None:
        """Start with no inputs prepared; another cross-validation goes on with those that were."""

    def _hypermodel(self, family, genes, seed=1):
        names = [self.features[gene] for gene in genes]
        space = self.settings.families.get(family)
        return families.hypermodel(family)(self.genes, self.task, space, seed=seed, features=names)

    def _log_levels(self):
        for family in self.settings.families:
            for level in self.levels(family):
                log.info("%s: %s", family, level)
                if level.doubt:
                    text = f"families.{family}: gene sets: {level.doubt}"
                    log.warning("%s", text, extra={"about": "sets"})
