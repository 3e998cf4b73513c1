"""The deliverable: one Keras model from raw values to logits or values, its names inside."""

import dataclasses
import json
import logging
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from autogenome_tf import preprocessing
from autogenome_tf.core.chunked import BLOCK, Matrix
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.files import MODEL_NAMES, model_names, replacing
from autogenome_tf.core.trust import check_model
from autogenome_tf.data import Dataset, lacks
from autogenome_tf.models._answers import answers_of
from autogenome_tf.models._branch import Branch
from autogenome_tf.models._importance import importance
from autogenome_tf.models._rows import defined_batches, named
from autogenome_tf.models._training_scale import TrainingScale
from autogenome_tf.nn.graphs import averages
from autogenome_tf.tasks import Conformal, Task, task_from_names

log = logging.getLogger(__name__)

# Errors of files that are no models of this package.
DAMAGED = (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, RecursionError)


@dataclasses.dataclass(frozen=True)
class Predictor:
    """A fitted model with the names of its inputs and outputs.

    Attributes:
        model: Keras model, raw (rows, genes) -> (rows, outputs): logits, or values in original
            units. Its layers are "preprocessing", "network" and "output"; where several transforms
            take part, a pair "preprocessing_<transform>", "network_<transform>" for each.
        task: What is predicted, such as a `tasks.Classification`.
        features: Gene names in the order of the input.
        missing: The config's `data.missing`; with "error", NaN is refused.
        sources: A pair for each transform that takes part: its name, and the (kept,) positions of
            genes that its network sees.
        trained_on: Scale of the training rows, which new rows are compared with; None in models of
            before, which compare nothing.
        importance: (features,) share of each gene in the slopes of the outputs, sum 1; None in
            models of before, and of representations.
        may_lack: Share of the importance that genes may have which new rows lack.
        conformal: Makes sets or intervals with a stated coverage; None in models without.
    """

    model: Any
    task: Any
    features: list[str]
    missing: str
    sources: list[tuple[str, np.ndarray]]
    trained_on: TrainingScale | None = None
    importance: np.ndarray | None = None
    may_lack: float = 0.0
    conformal: Conformal | None = None

    @classmethod
    def assemble(
        cls,
        branches: list[tuple],
        task: Task,
        features: list[str],
        missing: str,
        temperature: Any = 1.0,
    ) -> "Predictor":
        """Put preprocessing before gene-level networks and units or temperature behind their sum.

        Args:
            branches: A triple for each transform: `Transform`, `FittedScaling`, Keras network.
            task: What is predicted.
            features: Gene names.
            missing: The config's `data.missing`.
            temperature: Divisor of the logits, or (outputs,) divisors.
        """
        raw = keras.Input((len(features),), name="genes")
        parts = []
        sources = [(transform.name, constants.genes) for transform, constants, _ in branches]
        for number, (transform, constants, network) in enumerate(branches):
            suffix = _suffix(number, sources)
            front = preprocessing.model(transform, constants, len(features))
            front.name, network.name = f"preprocessing{suffix}", f"network{suffix}"
            parts.append(network(front(raw)))
        scale, offset = task.output_scale(temperature)
        output = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="output")
        total = keras.layers.Add()(parts) if len(parts) > 1 else parts[0]
        model = keras.Model(raw, output(total), name="autogenome_tf")
        return cls(model, task, list(features), missing, sources)

    @property
    def branches(self) -> list[Branch]:
        """Return a `Branch` for each transform that takes part; their networks' outputs add up."""
        found = []
        for number, (transform, kept) in enumerate(self.sources):
            suffix = _suffix(number, self.sources)
            front = self.model.get_layer(f"preprocessing{suffix}")
            found.append(Branch(transform, kept, front, self.model.get_layer(f"network{suffix}")))
        return found

    @property
    def output_names(self) -> list[str]:
        """Return the name of each output."""
        return self.task.output_names

    @property
    def output_scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Return factor and offset, (outputs,) each, of the branches' sum."""
        layer = self.model.get_layer("output")
        ones = np.ones(self.task.outputs)
        return np.ravel(layer.scale) * ones, np.ravel(layer.offset) * ones

    @property
    def labels(self) -> dict[str, list[str]]:
        """Return the names at each place of the inputs (features) and of the outputs."""
        task = self.task
        kind = "classes" if task.has_classes else "targets" if task.has_units else "outputs"
        found = {"features": list(self.features), kind: list(task.output_names)}
        return found | task.times

    @property
    def covariates(self) -> int:
        """Return the number of last features that are levels of covariates, 0 or 1."""
        return 0

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """Return by signature the named results of a served model, and how each is made."""
        return answers_of(self.task)

    @property
    def lowest_allowed(self) -> float | None:
        """Return 0 where a transform is not defined below, else None."""
        names = [name for name, _ in self.sources]
        return None if set(names) <= set(preprocessing.OF_ALL_VALUES) else 0.0

    def outputs(self, rows: Dataset | Matrix, is_own: bool = False) -> np.ndarray:
        """Run the model on raw rows in batches.

        Args:
            rows: A `Dataset`, whose source and samples errors name and whose scale is compared with
                that of the training rows, or (rows, genes) raw values, an array or CSR; in the
                model's gene order.
            is_own: The rows are of the data set that the model was trained on, so that another
                scale is a warning and no error.

        Returns:
            (rows, outputs) float32.

        Raises:
            InputError: Where a transform of the model is not defined on a value, where new rows
                are plainly of another scale than the training rows, or lack genes that matter.
        """
        self._check_lacking(rows)
        parts = [np.zeros((0, self.task.outputs), "float32")]
        # Not by `predict_on_batch`, which would be traced for every model anew.
        parts += [np.asarray(self.model(batch, training=False)) for batch in self.checked(rows)]
        self.compare_scale(rows, is_own)
        return np.concatenate(parts)

    def compare_scale(self, rows: Dataset | Matrix, is_own: bool = False) -> None:
        """Warn of a `Dataset` of another scale than the training rows; see `outputs`.

        Args:
            rows: New rows.
            is_own: Whether the rows are those of the run itself.
        """
        if self.trained_on is None or not isinstance(rows, Dataset) or not len(rows):
            return
        genes = len(self.features) - self.covariates
        found = self.trained_on.compare(self.branches, rows.values, genes)
        if not found.is_notable:
            return
        text = f"{rows.source}: {found} (training: {self.trained_on.scale})."
        if found.is_plain and not is_own:
            raise InputError(
                f"{text} Transform the rows to the scale that the model was trained on."
            )
        log.warning("%s Predictions may be wrong.", text, extra={"about": "scale"})

    def with_training_rows(self, values: Matrix, may_lack: float = 0.0) -> Any:
        """Return the model with the scale of training rows and the importance of genes added.

        Args:
            values: (rows, features) raw training rows, an array or CSR.
            may_lack: The config's `data.missing_genes`.
        """
        genes = len(self.features) - self.covariates
        known = TrainingScale.of(self.branches, values, genes)
        shares = self._importance(values)
        return dataclasses.replace(self, trained_on=known, importance=shares, may_lack=may_lack)

    def with_coverage(
        self, targets: np.ndarray, outputs: np.ndarray, coverage: Sequence[float]
    ) -> Any:
        """Return the model with sets or intervals of a stated coverage added.

        Args:
            targets: As networks learn them.
            outputs: (rows, outputs) as the model's, of networks that had not seen the row.
            coverage: Shares of rows, each between 0 and 1; none: the same model.
        """
        if not len(coverage):
            return self
        found = self.task.conformal(targets, outputs, coverage)
        return dataclasses.replace(self, conformal=found)

    def _importance(self, values):
        scale, _ = self.output_scale
        return importance(self.branches, scale, values)

    def _check_lacking(self, rows):
        if not isinstance(rows, Dataset) or not rows.lacking:
            return
        count, share = len(self.features) - self.covariates, self.share(rows.lacking)
        if self.importance is None:
            raise lacks(rows.source, rows.lacking, count)
        if share > self.may_lack:
            reason = (
                f"They have {100 * share:.3g} % of the model's importance; data.missing_genes "
                f"allows {100 * self.may_lack:.3g} %."
            )
            raise lacks(rows.source, rows.lacking, count, reason)

    def share(self, genes: Iterable[str]) -> float:
        """Return the share of some genes in the importance of all; 1 where it is not known.

        Args:
            genes: Names of genes.
        """
        if self.importance is None:
            return 1.0
        lacking = set(genes)
        is_lacking = np.array([name in lacking for name in self.features])
        return float(self.importance[is_lacking].sum())

    def checked(self, rows: Dataset | Matrix, size: int = BLOCK) -> Iterator[np.ndarray]:
        """Yield raw rows as arrays of at most `size` rows; see `outputs` for what is refused.

        Args:
            rows: New rows.
            size: Rows of a batch.
        """
        dataset, names = named(rows, self.features), ", ".join(name for name, _ in self.sources)
        return defined_batches(dataset, self.lowest_allowed, names, size)

    def predict(self, dataset: Dataset) -> pd.DataFrame:
        """Predict rows: a frame of sample, prediction, then a column a class; see `outputs`.

        With `conformal`, the sets or intervals of rows are the last columns.

        Args:
            dataset: New rows.
        """
        outputs = self.outputs(dataset)
        frame = self.task.frame(outputs)
        if self.conformal is not None:
            frame = pd.concat([frame, self.conformal.columns(outputs)], axis=1)
        frame.insert(0, "sample", list(dataset.samples))
        return frame

    def save(self, path: str | Path) -> None:
        """Write a `.keras` file that `keras.models.load_model` reads without this package.

        Args:
            path: Path of the .keras file.
        """
        with replacing(path) as temporary:
            self.model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(MODEL_NAMES, json.dumps(self._names()))

    @property
    def networks(self) -> int:
        """Return the number of networks whose outputs are averaged, 1 where there is one alone."""
        found = [layer for branch in self.branches for layer in averages(branch.network)]
        return sum(layer.input.shape[1] for layer in found) or 1

    def _names(self):
        sources = [[name, np.asarray(kept).tolist()] for name, kept in self.sources]
        names = {"task": self.task.type, "missing": self.missing, "sources": sources}
        names["networks"] = self.networks
        return names | self.labels | self.task.names() | self._carried()

    def _carried(self):
        found = {} if self.trained_on is None else {"trained_on": self.trained_on.as_json()}
        if self.conformal is not None:
            found["conformal"] = self.conformal.as_json()
        if self.importance is None:
            return found
        shares = [float(f"{share:.6g}") for share in self.importance]
        return found | {"importance": shares, "missing_genes": self.may_lack}

    @classmethod
    def from_names(cls, model: Any, names: dict) -> "Predictor":
        """Rebuild from a loaded Keras model and the names that `save` wrote beside it.

        Args:
            model: Keras model.
            names: Task, features, classes or targets, as the model file has them.
        """
        sources = [(name, np.array(kept, int)) for name, kept in names["sources"]]
        known = TrainingScale.from_json(names.get("trained_on"))
        shares = None if names.get("importance") is None else np.array(names["importance"], float)
        task, sets = task_from_names(names), names.get("conformal")
        return cls(
            model, task, names["features"], names["missing"], sources,
            known, shares, float(names.get("missing_genes", 0)),
            None if sets is None else task.known_conformal(sets),
        )  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> "Predictor":
        """Read a file that `save` wrote.

        Args:
            path: Path of a .keras file.

        Raises:
            InputError: Where the file is missing or is not such a model.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path}: no trained model here; run the train stage first.")
        try:
            names = model_names(path)
            check_model(path)
            model = keras.models.load_model(path, compile=False, safe_mode=True)
            return cls.from_names(model, names)
        except DAMAGED as error:
            raise InputError(f"{path}: not a model of this package: {error}") from None


def _suffix(number, sources):
    """Return the end of a branch's names: its transform, with a number where that comes again."""
    name = sources[number][0]
    before = sum(name == other for other, _ in sources[:number])
    suffix = f"_{name}" if len(sources) > 1 else ""
    return f"{suffix}_{before + 1}" if before else suffix
