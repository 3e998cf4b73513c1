"""What was asked, frozen: the schema of the JSON config, and errors that name the place."""

import json
import logging
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import json5
import pydantic
from pydantic import Field, field_validator, model_validator

from autogenome_tf import legacy
from autogenome_tf.errors import InputError, nearest
from autogenome_tf.problems import first_problem, json_problem

log = logging.getLogger(__name__)

TRANSFORMS = ("auto", "none", "log1p", "log2", "library_log1p", "clr", "relative_log", "rank")
OPTIMIZERS = (
    "adam adamw sgd momentum rmsprop adagrad adadelta ftrl lamb lion".split()  # fmt: skip
)
OBJECTIVES = {
    "classification": ("log_loss", "accuracy", "balanced_accuracy", "f1_macro", "mcc", "roc_auc"),
    "regression": ("r2", "pearson", "spearman", "rmse", "mae"),
    "representation": ("elbo",),
}
LOSSES = {
    "classification": ("cross_entropy", "focal_loss"),
    "regression": ("mse", "mae", "huber"),
    "representation": ("elbo",),
}
SCANPY_PREFIX = "scanpy:"
# Keys of `data` that name files.
PATHS = (
    "features", "targets", "feature_names", "validation", "validation_targets", "evaluate",
    "evaluate_targets", "predict", "split",
)  # fmt: skip

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Section(pydantic.BaseModel):
    """A part of the config: unknown keys are refused, values are checked and frozen."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class Split(Section):
    """How rows are divided; both fractions are of all rows."""

    test: Fraction = Field(0.2, description="Part of all rows held out from everything.")
    validation: Fraction = Field(
        0.2, description="Part of all rows that ranks trials where there is one fold."
    )
    group: str | None = Field(
        None, description="Column whose rows with one value (a patient) stay on one side."
    )

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self):
        if self.test + self.validation >= 1:
            raise ValueError(
                f"test + validation must be below 1; received {self.test} + {self.validation}"
            )
        return self


class Data(Section):
    """Where the matrix and the targets are, and how values reach the network."""

    features: str = Field("", description="The matrix: a file, a 10x folder or scanpy:NAME.")
    targets: str | list[str] | None = Field(
        None, description="File with the target (several are joined by sample id)."
    )
    target: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description='Column or columns to predict; "*": all of the file of targets.'
    )
    feature_names: str | None = Field(
        None, description="File of the genes' names, one a line, where the matrix has none."
    )
    covariates: list[str] = Field(
        [], description="Columns (batch, patient) that a representation is freed of."
    )
    validation: str | None = Field(
        None, description="File of rows that rank trials, in place of split.validation."
    )
    validation_targets: str | list[str] | None = Field(
        None, description="Their targets; null: where those to learn from are."
    )
    evaluate: str | None = Field(None, description="File of further labelled rows to score.")
    evaluate_targets: str | list[str] | None = Field(
        None, description="Their targets; null: where those to learn from are."
    )
    predict: str | None = Field(None, description="File of rows to predict.")
    split: Split | str = Field(
        default_factory=Split, description="Fractions, or a file with columns sample and part."
    )
    transform: Literal[TRANSFORMS] | Annotated[list[Literal[TRANSFORMS]], Field(min_length=1)] = (
        Field("auto", description="Applied to each raw value; a list is searched.")
    )
    log2_floor: Positive | None = Field(
        None, description="log2 raises values below it to it; null: 1, or 20 if some are negative."
    )
    scale: Literal["none", "standard", "minmax"] = Field(
        "standard", description="By constants of the training rows."
    )
    missing: Literal["error", "mean", "median", "zero"] = Field(
        "error", description="What stands for a missing value."
    )
    top_variable: Count | None = Field(
        None, description="Keep the genes of largest variance on training rows."
    )

    @model_validator(mode="after")
    def _auto_stands_alone_or_beside_rank(self):
        beside = set(self.transforms) - {"auto", "rank"}
        if "auto" in self.transforms and beside:
            raise ValueError(
                f"transform: auto chooses one of the others by itself; expected it alone or with "
                f"rank; received {list(self.transforms)}"
            )
        return self

    @model_validator(mode="after")
    def _validation_rows_stand_beside_a_drawn_split(self):
        if self.validation and isinstance(self.split, str):
            raise ValueError("validation: a split file says which rows validate; expected null")
        return self

    @model_validator(mode="after")
    def _targets_belong_to_rows(self):
        for name in ("validation", "evaluate"):
            if getattr(self, f"{name}_targets") and not getattr(self, name):
                raise ValueError(f"{name}_targets: expected data.{name}, the rows they belong to")
        return self

    def further(self, name):
        """Files of `validation` or `evaluate`: the matrix and the targets, or None."""
        features = getattr(self, name)
        return features and (features, getattr(self, f"{name}_targets") or self.targets)

    @property
    def transforms(self):
        """The transforms to choose from, each once."""
        given = [self.transform] if isinstance(self.transform, str) else self.transform
        return tuple(dict.fromkeys(given))


class Task(Section):
    """What is predicted and what training minimises."""

    type: Literal["classification", "regression", "representation"] = "classification"
    loss: Literal["cross_entropy", "focal_loss", "mse", "mae", "huber", "elbo"] | None = Field(
        None, description="cross_entropy, mse, or elbo, by type, when left out."
    )
    class_weight: Literal["balanced"] | dict[str, Positive] | None = None

    @model_validator(mode="before")
    @classmethod
    def _usual_loss(cls, values):
        if isinstance(values, dict) and values.get("loss") is None:
            kind = values.get("type", "classification")
            known = LOSSES.get(kind) if isinstance(kind, str) else None
            return {**values, "loss": known[0] if known else None}
        return values

    @model_validator(mode="after")
    def _loss_fits_the_type(self):
        if self.loss not in LOSSES[self.type]:
            raise ValueError(
                f"{self.type} is trained with one of {', '.join(LOSSES[self.type])}; "
                f"received {self.loss!r}"
            )
        if self.class_weight and self.type != "classification":
            raise ValueError(f"class_weight is for classification; the type is {self.type!r}")
        return self


class Enas(Section):
    """The search with shared weights; published values where they hold for few epochs."""

    controller: Literal["lstm", "uniform"] = Field(
        "lstm", description="uniform learns nothing: every arc has the same chance."
    )
    children: Count = Field(4, description="Children that one step of the shared weights trains.")
    updates: Count = Field(10, description="Updates of the controller after each epoch.")
    samples: Count = Field(20, description="Arcs an update is averaged over.")
    candidates: Count = Field(100, description="Arcs sampled in the end and scored.")
    units: Count = Field(64, description="Of the controller's LSTM.")
    learning_rate: Positive = Field(3.5e-3, description="Of the controller.")
    temperature: Positive | None = Field(None, description="What logits are divided by.")
    tanh_constant: Positive | None = Field(1.5, description="Bound of the logits.")
    entropy_weight: Annotated[float, Field(ge=0)] = 1e-4
    skip_target: Annotated[float, Field(gt=0, lt=1)] = Field(0.4, description="Rate of skips.")
    skip_weight: Annotated[float, Field(ge=0)] = Field(
        0.8, description="Of the divergence from it in the controller's loss."
    )
    baseline_decay: Fraction = Field(0.9, description="Of the moving average of rewards.")


class Search(Section):
    """How structure and hyperparameters are found, and for how long."""

    method: Literal["random", "grid", "bayesian", "hyperband", "coordinate", "enas"] = "bayesian"
    max_trials: Count = 30
    max_seconds: Positive | None = Field(
        None, description="Wall-clock budget of search, baseline and final fit together."
    )
    epochs: Count = Field(
        20, description="Most epochs of one trial; of the shared weights where method is enas."
    )
    folds: Literal["auto"] | Count = Field(
        "auto", description="Fits a trial; auto: 5 up to 2,000 rows to learn from, else 1."
    )
    repeats: Literal["auto"] | Count = Field(
        "auto", description="Networks a fold; auto: 3 for an ensemble on few rows, else 1."
    )
    objective: str = Field("auto", description="log_loss or r2 when auto.")
    top_k: Annotated[int, Field(ge=2)] = Field(
        5, description="Finalists of enas, which train from scratch."
    )
    enas: Enas = Field(default_factory=Enas)

    @property
    def most_trials(self):
        """How many trials there may be; enas proposes its finalists only."""
        return min(self.max_trials, self.top_k) if self.method == "enas" else self.max_trials


class Decay(Section):
    """How the learning rate falls while there is no gain."""

    after: Count | None = Field(
        None, description="Epochs without gain; null: a third of training.patience."
    )
    factor: Annotated[float, Field(gt=0, le=1)] = Field(0.3, description="It is multiplied by.")


class Training(Section):
    """How the final network (and, but for its epochs, each trial) is trained."""

    epochs: Count = 200
    batch_size: Count = Field(64, description="Smaller where rows would not fill 8 batches.")
    optimizer: Literal[tuple(OPTIMIZERS)] = "adam"
    learning_rate: (
        Literal["auto"] | Positive | Annotated[list[Positive], Field(min_length=2, max_length=2)]
    ) = Field("auto", description="auto: a range test; or its lowest and highest rate.")
    patience: Count = Field(15, description="Epochs without gain before training stops.")
    min_gain: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Loss that counts as a gain, at least."
    )
    decay: Decay = Field(default_factory=Decay)
    space: Literal["auto", "rows", "genes"] = Field(
        "auto", description="Coordinates of the first layer; auto: rows where genes outnumber them."
    )
    l2: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Fixes the hyperparameter l2 of every network."
    )


class Ensemble(Section):
    """How many networks make the final prediction together."""

    size: Literal["auto"] | Count = Field(
        1,
        description="Trials to choose from; 1: one network, refit; auto: 10 or 3, by rows.",
    )


class Interactions(Section):
    """Which pairs of genes act together."""

    genes: Annotated[int, Field(ge=0)] = Field(
        0, description="Foremost genes whose pairs are tried; 0: no pairs."
    )
    method: Literal["knockout", "fast_deep_shap", "deep_shap", "gradient"] = Field(
        "knockout",
        description="Double knock-out, or how contributions change where the other is knocked out.",
    )
    null: Annotated[int, Field(ge=0)] = Field(
        5, description="Networks of targets without interactions, for p and q; 0: none."
    )


class Explanation(Section):
    """How much of the data the attributions rest on."""

    method: Literal["auto", "fast_deep_shap", "deep_shap", "gradient", "knockout"] = Field(
        "auto", description="auto: fast_deep_shap where it is defined on all layers."
    )
    background: Count = Field(100, description="Training rows that stand for 'nothing known'.")
    background_by: Literal["random", "kmeans"] = Field(
        "random", description="Which: drawn, or nearest to the centres of k-means."
    )
    samples: Count = Field(100, description="Rows explained.")
    top: Count = Field(20, description="Genes in pictures and tables.")
    repeats: Count = Field(
        1,
        description="Networks whose attributions are compared: refits, or some of an ensemble.",
    )
    part: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Of a gene's raw value that knockout leaves: 0 none, above 1 more."
    )
    interactions: Interactions = Field(default_factory=Interactions)


class Export(Section):
    """The SavedModel for TensorFlow Serving."""

    version: Count = Field(1, description="Number of the first version folder.")


class Output(Section):
    """How results lie on disk."""

    layout: Literal["run", "autogenome"] = Field(
        "run", description="autogenome: results under the original's names too, in output_dir."
    )
    figures: bool = Field(True, description="Whether they are drawn.")


class Config(Section):
    """One run, as asked for; every key with its default.

    >>> Config.of({"name": "demo", "data": {"features": "x.tsv"}}).search.max_trials
    30
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: Annotated[int, Field(ge=0)] = 7
    output_dir: Annotated[str, Field(min_length=1)] = "runs"
    data: Data = Field(default_factory=Data)
    task: Task = Field(default_factory=lambda: Task(loss="cross_entropy"))
    families: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {"linear": {}, "mlp": {}, "resnet": {}, "densenet": {}},
        min_length=1,
    )
    search: Search = Field(default_factory=Search)
    training: Training = Field(default_factory=Training)
    ensemble: Ensemble = Field(default_factory=Ensemble)
    explanation: Explanation = Field(default_factory=Explanation)
    export: Export = Field(default_factory=Export)
    output: Output = Field(default_factory=Output)

    @field_validator("families", mode="before")
    @classmethod
    def _families_are_objects(cls, families):
        if isinstance(families, dict):
            return {name: {} if given is None else given for name, given in families.items()}
        return families

    @model_validator(mode="before")
    @classmethod
    def _usual_families(cls, values):
        task = values.get("task") if isinstance(values, dict) else None
        kind = task.get("type") if isinstance(task, dict) else getattr(task, "type", None)
        if kind == "representation" and "families" not in values:
            return {**values, "families": {"resvae": {}}}
        return values

    @model_validator(mode="after")
    def _representations_are_of_one_model(self):
        is_one = self.task.type == "representation"
        if is_one and self.ensemble.size != 1:
            raise ValueError("ensemble.size: a representation is of one model; expected 1")
        if is_one and len(self.data.transforms) > 1:
            raise ValueError("data.transform: a representation has one; expected a single name")
        if self.data.covariates and not is_one:
            raise ValueError("data.covariates: only task.type representation has covariates")
        return self

    @model_validator(mode="after")
    def _objective_fits_the_task(self):
        known = ("auto", *OBJECTIVES[self.task.type])
        if self.search.objective not in known:
            raise ValueError(
                f"search.objective: a {self.task.type} is ranked by one of {', '.join(known)}; "
                f"received {self.search.objective!r}.{nearest(self.search.objective, known)}"
            )
        return self

    @model_validator(mode="after")
    def _validation_rows_are_one_fold(self):
        if self.data.validation and self.search.folds not in ("auto", 1):
            raise ValueError(
                "search.folds: rows of data.validation rank trials; expected 1 or auto, "
                f"received {self.search.folds}"
            )
        return self

    @model_validator(mode="after")
    def _enas_searches_wired(self):
        if self.search.method == "enas" and set(self.families) != {"wired"}:
            raise ValueError(
                "families: search.method enas needs exactly the family wired; "
                f"received {', '.join(self.families)}"
            )
        return self

    @property
    def objective(self):
        """The metric that ranks trials, with `auto` resolved."""
        chosen = self.search.objective
        return OBJECTIVES[self.task.type][0] if chosen == "auto" else chosen

    @property
    def files(self):
        """Paths of the data files it names."""
        data = self.data
        split = [data.split] if isinstance(data.split, str) else []
        named = [data.features, *_listed(data.targets), data.feature_names, *split]
        for name in ("validation", "evaluate"):
            named += [getattr(data, name), *_listed(getattr(data, f"{name}_targets"))]
        named.append(data.predict)
        return [path for path in dict.fromkeys(named) if path and not _is_no_path(path)]

    @property
    def further(self):
        """Columns beside the targets that rows need: groups and covariates."""
        group = None if isinstance(self.data.split, str) else self.data.split.group
        return [*([group] if group else []), *self.data.covariates]

    def reading(self, features):
        """The same config with another matrix."""
        return self.model_copy(update={"data": self.data.model_copy(update={"features": features})})

    def targeting(self, names):
        """The same config with the names of its targets, where it names none."""
        if self.data.target is not None:
            return self
        target = names[0] if len(names) == 1 else names or None
        return self.model_copy(update={"data": self.data.model_copy(update={"target": target})})

    @classmethod
    def of(cls, given, place="config"):
        """Check a plain dict.

        Args:
            given: The keys of DESIGN's config as nested dicts.
            place: What to call it in an error.

        Raises:
            InputError: At the first wrong key or value, with its path.
        """
        try:
            return cls.model_validate(given)
        except pydantic.ValidationError as error:
            raise InputError(f"{place}: {first_problem(error, cls)}") from None

    @classmethod
    def load(cls, path, overrides=()):
        """Read a JSON config; ``//`` comments and trailing commas are fine, and so is AutoGenome's.

        Args:
            path: The file. Paths in it are relative to its folder and come back absolute.
            overrides: Texts such as ``"search.max_trials=20"``; the value is JSON or a bare word.

        Raises:
            InputError: For a missing file, broken JSON, or the first wrong key or value.
        """
        path = Path(path)
        given = read_json(path)
        if not isinstance(given, dict):
            raise InputError(f"{path}: expected a JSON object {{...}}; received {given!r}.")
        if legacy.is_original(given):
            given, notes = legacy.ported(given, str(path), path.parent)
            log.info("%s: a config of AutoGenome; keys without effect here:", path)
            for note in notes:
                if not note.new:
                    log.info("  %s: %s", note.old, note.effect)
        for override in overrides:
            _set(given, override)
        return cls.of(given, place=str(path)).resolved(path.resolve().parent)

    def resolved(self, folder):
        """The same config with absolute paths, taken relative to `folder`."""

        def absolute(path):
            return path if _is_no_path(path) else os.path.normpath(Path(folder) / path)

        return self._with_paths(absolute)

    def relative(self, folder):
        """The same config with paths as seen from `folder`, so that both can move together."""

        def seen(path):
            return path if _is_no_path(path) else os.path.relpath(path, folder)

        return self._with_paths(seen)

    def _with_paths(self, change):
        paths = {
            name: [change(path) for path in value] if isinstance(value, list) else change(value)
            for name, value in self.data
            if name in PATHS and value and not isinstance(value, Split)
        }
        data = self.data.model_copy(update=paths)
        return self.model_copy(update={"data": data, "output_dir": change(self.output_dir)})

    def as_json(self, is_short=False):
        """The config as JSON text, every default filled in, or without them."""
        return json.dumps(self.model_dump(exclude_unset=is_short), indent=2) + "\n"


def merged(first, second):
    """Keys of a config as nested dicts, those of the second going before; families are replaced."""
    both = dict(first)
    for key, value in (second or {}).items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = merged(both[key], value) if nested and key != "families" else value
    return both


def read_json(path):
    """Read JSON that may hold comments and trailing commas.

    Raises:
        InputError: Naming the file, and the line and column where reading stopped.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such config file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}).") from None
    try:
        return json5.loads(text, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {json_problem(text, error)}") from None


def _unambiguous(pairs):
    """A dict; a key may come again with the same value, as it does in configs of AutoGenome."""
    found = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise ValueError(f"{key!r} comes twice, as {found[key]!r} and as {value!r}")
        found[key] = value
    return found


def _listed(value):
    return [value] if isinstance(value, str) else value or []


def _is_no_path(value):
    return not value or value.startswith(SCANPY_PREFIX)


def _set(given, override):
    """Put one ``key.path=value`` into nested dicts."""
    path, equals, text = override.partition("=")
    if not equals or not all(path.split(".")):
        raise InputError(f"--set {override}: expected key.path=value.")
    try:
        value = json5.loads(text)
    except ValueError:
        value = text
    *parents, last = path.split(".")
    for parent in parents:
        given = given.setdefault(parent, {})
        if not isinstance(given, dict):
            raise InputError(f"--set {override}: {parent!r} holds a value, not a section.")
    given[last] = value
