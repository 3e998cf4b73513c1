"""The sections of a config: every key with its type, its range, its default and what it does."""

from typing import Annotated, Literal

import pydantic
from pydantic import Field, field_validator, model_validator

from autogenome_tf.config._members import MemberOf, described
from autogenome_tf.core.chunked import GIB
from autogenome_tf.tasks import DEFAULT, KINDS, Kind, types

TRANSFORMS = ("auto", "none", "log1p", "log2", "library_log1p", "clr", "relative_log", "rank")
OPTIMIZERS = (
    "adam adamw sgd momentum rmsprop adagrad adadelta ftrl lamb lion".split()  # fmt: skip
)
LOSSES = tuple(dict.fromkeys(loss for kind in KINDS.values() for loss in kind.losses))

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Names = Annotated[list[str], Field(min_length=1)]


def listed(value):
    """What a config says once or as a list, or leaves out, as a list.

    >>> listed("a.tsv"), listed(["a.tsv", "b.tsv"]), listed(None)
    (['a.tsv'], ['a.tsv', 'b.tsv'], [])
    """
    return [value] if isinstance(value, str) else [] if value is None else value


class Section(pydantic.BaseModel):
    """A part of the config: unknown keys are refused, values are checked and frozen."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class SplitSection(Section):
    """How rows are divided; both fractions are of all rows."""

    test: Fraction = Field(0.2, description="Part of all rows that nothing sees before `evaluate`.")
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

    features: str = Field(
        "",
        description=(
            "The matrix: `.tsv .csv .txt .tab` (plain, `.gz`, `.bz2`, `.zst`), `.parquet`, `.npz`, "
            "`.h5ad`, `.h5mu`, `.zarr`, `.loom`, `.xlsx`, a 10x folder or `.h5`, `.gct`, a GEO "
            "series matrix, a table of featureCounts, a folder of quantities (Salmon, STAR ...), "
            "or `scanpy:NAME`."
        ),
    )
    targets: str | Names | None = Field(
        None,
        description=(
            "File with the targets (several are joined by sample id); null: they are "
            "columns of the matrix file or of `obs`."
        ),
    )
    target: str | Names | None = Field(
        None,
        description=(
            "Column to predict, or several (regression); `*`: all columns of the file of targets."
        ),
    )
    id: str | None = Field(
        None,
        description=(
            "Column of the sample ids, of the matrix or of the targets; null: the first column, or "
            "the one that holds the ids of the other file."
        ),
    )
    exclude: list[str] = Field(
        [],
        description=(
            "Columns of the matrix that are no genes, such as `age` or `OS_days`: names, or "
            "patterns such as `clin_*`."
        ),
    )
    duplicates: Literal["error", "suffix", "mean"] | None = Field(
        None,
        description=(
            "What is done about gene names and sample ids that repeat: `error`; `suffix`: -1, -2 "
            "... behind all but the first; `mean`: they are averaged; null: `suffix` for AnnData "
            "and 10x, else `error`."
        ),
    )
    feature_names: str | None = Field(
        None, description="File of the genes' names, one a line, where the matrix has none."
    )
    gene_names: str | None = Field(
        None,
        description=(
            "File of two columns: the name of a gene in a matrix, and the name to use (symbols for "
            "Ensembl ids, say), of the matrix and of new rows."
        ),
    )
    covariates: list[str] = Field(
        [],
        description=(
            "Of a representation: columns (batch, patient) that encoder and decoder both "
            "see, one-hot, so that the latent space need not hold them; new rows must have "
            "them."
        ),
    )
    validation: str | None = Field(
        None, description="File of rows that rank trials, in place of `split.validation`."
    )
    validation_targets: str | Names | None = Field(
        None, description="Their targets; null: where those to learn from are."
    )
    evaluate: str | None = Field(None, description="File of further labelled rows to score.")
    evaluate_targets: str | Names | None = Field(
        None, description="Their targets; null: where those to learn from are."
    )
    predict: str | None = Field(None, description="File of rows to predict.")
    split: SplitSection | str = Field(
        default_factory=SplitSection,
        description=(
            "Fractions, as below; or a file with columns `sample`, `part` (train, "
            "validation, test) and perhaps `fold`."
        ),
    )
    transform: Literal[TRANSFORMS] | Annotated[list[Literal[TRANSFORMS]], Field(min_length=1)] = (
        Field(
            "auto",
            description=(
                "Applied to each raw value; a list is searched. `auto` recognises the scale by "
                "quantiles over rows and genes and says what it chose; `log2` raises values below "
                "`log2_floor` to it; "
                "`library_log1p` is ln(1 + counts per 10,000), `relative_log` log10 of the "
                "share + 1e-5, `rank` each value's place among the gene's training values."
            ),
        )
    )
    log2_floor: Positive | None = Field(
        None, description="Lowest value that `log2` sees; null: 1, or 20 where values fall below 0."
    )
    scale: Literal["none", "standard", "minmax"] = Field(
        "standard", description="By constants of the training rows, which become part of the model."
    )
    missing: Literal["error", "mean", "median", "zero"] = Field(
        "error",
        description=(
            "What stands for a missing value: `mean` or `median` of training rows, in "
            "transformed units; `zero`, in raw units."
        ),
    )
    missing_genes: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05,
        description=(
            "Share of the model's importance that genes may have which new rows lack: up to it "
            "they are filled as missing values are (with training means where `missing` is "
            "`error`), with a warning that says what it costs; beyond it new rows are an error. "
            "Importance is the slope of the outputs by each gene, in standard deviations."
        ),
    )
    matrix: str | None = Field(
        None,
        description=(
            "Name of the matrix where a file holds several: a layer of `.h5ad`, `.zarr` or `.loom` "
            "(null: X), a modality of `.h5mu`, a sheet of `.xlsx` (null: the first), a column of "
            "quantities (`TPM`, `NumReads` ...)."
        ),
    )
    orientation: Literal["auto", "samples_by_genes", "genes_by_samples"] = Field(
        "auto",
        description=(
            "How the matrix lies in its file. `auto`: as the kind of file says, or the heading of "
            "the first column (`Hugo_Symbol`, `Geneid`, `ID_REF` ...: genes x samples)."
        ),
    )
    missing_words: list[str] = Field(
        [],
        description=(
            "Further words that stand for a missing value or label in text, beside `NA`, `NaN`, "
            "`NULL`, `None`, `n/a`, `Unknown`, `[Not Available]`, `'--`, `#N/A` and their like; "
            "`!None`: that word is a value (a class) all the same."
        ),
    )
    rare_classes: Literal["error", "leave_out", "merge"] = Field(
        "error",
        description=(
            "What is done about classes of fewer than 6 rows, one for each of five folds and the "
            "test part: `error` where one cannot be split; `leave_out`; `merge`: into a class "
            "`other`."
        ),
    )
    top_variable: Count | None = Field(
        None, description="Keep so many genes, the most variable on training rows."
    )

    memory: Annotated[float, Field(gt=0, le=1e9)] = Field(
        1.0,
        description=(
            "GiB of a matrix as 32-bit numbers, zeros included, up to which it is trained on as a "
            "whole; a larger one is read batch by batch, and what of it takes more than this as it "
            "is stored lies in a file meanwhile (in TMPDIR)."
        ),
    )

    expansion: Annotated[float, Field(ge=1, le=1e9)] = Field(
        200.0,
        description=(
            "How many times its size on disk a file may unpack to where that is more than "
            "`memory`; beyond it is refused."
        ),
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
    def _names_come_once(self):
        for key in (
            "targets", "validation_targets", "evaluate_targets", "target", "covariates", "exclude"
        ):  # fmt: skip
            names = listed(getattr(self, key))
            if len(set(names)) < len(names) or not all(names):
                raise ValueError(f"{key}: expected names, each once; received {names}")
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

    @property
    def group(self):
        """Column whose rows with one value stay on one side of the split, or None."""
        return None if isinstance(self.split, str) else self.split.group

    @property
    def columns(self):
        """Columns of a matrix file that are not genes: targets, group, covariates and ids."""
        return [*self.target_names, *listed(self.group), *self.covariates, *listed(self.id)]

    @property
    def target_names(self):
        """Columns of `target`, a list."""
        return listed(self.target)

    @property
    def matrices(self):
        """Sources of rows: those to learn from, to validate, to evaluate and to predict."""
        named = (self.features, self.validation, self.evaluate, self.predict)
        return [source for source in named if source]

    @property
    def target_source(self):
        """Where targets stand, for errors: their files, else the matrix."""
        return ", ".join(listed(self.targets)) or self.features

    def further(self, name):
        """Files of `validation` or `evaluate`: the matrix and the targets, or None."""
        features = getattr(self, name)
        return features and (features, getattr(self, f"{name}_targets") or self.targets)

    @property
    def limit(self):
        """`memory` in bytes."""
        return int(self.memory * GIB)

    @property
    def transforms(self):
        """The transforms to choose from, each once."""
        given = [self.transform] if isinstance(self.transform, str) else self.transform
        return tuple(dict.fromkeys(given))


class TaskSection(Section):
    """What is predicted and what training minimises."""

    type: Literal[tuple(KINDS)] = Field(
        DEFAULT.type,
        description=(
            "`representation` needs no target; it takes the family `resvae` alone and a single "
            "transform."
        ),
    )
    loss: Literal[LOSSES] | None = Field(
        None,
        description=(
            "By type, the first when left out: `cross_entropy`, `focal_loss`; `mse`, `mae`, "
            "`huber`; `elbo`."
        ),
    )
    class_weight: Literal["balanced"] | dict[str, Positive] | None = Field(
        None, description="`balanced`: classes weigh alike; or a weight for each class name."
    )

    @model_validator(mode="before")
    @classmethod
    def _usual_loss(cls, values):
        if isinstance(values, dict) and values.get("loss") is None:
            given = values.get("type", DEFAULT.type)
            kind = KINDS.get(given) if isinstance(given, str) else None
            return {**values, "loss": kind.losses[0] if kind else None}
        return values

    @model_validator(mode="after")
    def _loss_fits_the_type(self):
        if self.loss not in self.kind.losses:
            raise ValueError(
                f"{self.type} is trained with one of {', '.join(self.kind.losses)}; "
                f"received {self.loss!r}"
            )
        if self.class_weight and not self.kind.has_classes:
            fitting = " or ".join(types("has_classes"))
            raise ValueError(f"class_weight is for {fitting}; the type is {self.type!r}")
        return self

    @property
    def kind(self) -> Kind:
        """Return the class of the task, which answers for what it needs."""
        return KINDS[self.type]


class Enas(Section):
    """The search with shared weights; published values where they hold for few epochs."""

    controller: Literal["lstm", "uniform"] = Field(
        "lstm", description="`uniform` learns nothing: every arc has the same chance."
    )
    children: Count = Field(4, description="Children that one step of the shared weights trains.")
    updates: Count = Field(10, description="Updates of the controller after each epoch.")
    samples: Count = Field(20, description="Arcs that an update is averaged over.")
    candidates: Count = Field(100, description="Arcs sampled in the end and scored.")
    units: Count = Field(64, description="Of the controller's LSTM.")
    learning_rate: Positive = Field(3.5e-3, description="Of the controller.")
    temperature: Positive | None = Field(
        None, description="What the controller's logits are divided by."
    )
    tanh_constant: Positive | None = Field(1.5, description="Bound of the controller's logits.")
    entropy_weight: Annotated[float, Field(ge=0)] = Field(
        1e-4, description="Of the entropy of an arc in the controller's reward."
    )
    skip_target: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.4, description="Rate of skips that the controller is drawn to."
    )
    skip_weight: Annotated[float, Field(ge=0)] = Field(
        0.8, description="Of the divergence from it in the controller's loss."
    )
    baseline_decay: Fraction = Field(0.9, description="Of the moving average of rewards.")


class Search(Section):
    """How structure and hyperparameters are found, and for how long."""

    method: Annotated[str, MemberOf("search/methods")] = Field(
        "bayesian",
        description="or any other file of `search/methods/`.",
        json_schema_extra=described("search/methods"),
    )
    max_trials: Count = Field(30, description="Trials beside the baseline, at most.")
    max_seconds: Positive | None = Field(
        None,
        description=(
            "Budget of search, baseline and final fit together; whichever of it and "
            "`max_trials` comes first."
        ),
    )
    epochs: Count = Field(
        20,
        description=(
            "Most epochs of a trial; of the shared weights where the method is `enas`, "
            "whose finalists train for `training.epochs`."
        ),
    )
    folds: Literal["auto"] | Count = Field(
        "auto",
        description=(
            "Fits a trial; `auto`: 5 up to 2,000 rows to learn from if five copies of them "
            "stay below `data.memory`, else 1 (then `split.validation` ranks trials); of a "
            "representation 1."
        ),
    )
    repeats: Literal["auto"] | Count = Field(
        "auto",
        description=(
            "Networks a fold, whose average is scored; `auto`: 3 where folds of fewer than "
            "200 rows are searched for an ensemble, else 1."
        ),
    )
    objective: str = Field(
        "auto",
        description=(
            "Metric that ranks trials. Classification: `log_loss` (`auto`), `accuracy`, "
            "`balanced_accuracy`, `f1_macro`, `mcc`, `roc_auc`; regression: `r2` (`auto`), "
            "`pearson`, `spearman`, `rmse`, `mae`; representation: `elbo`."
        ),
    )
    top_k: Annotated[int, Field(ge=2)] = Field(
        5, description="Finalists of `enas`, at most `max_trials`."
    )
    enas: Enas = Field(default_factory=Enas)


class Decay(Section):
    """How the learning rate falls while there is no gain."""

    after: Count | None = Field(
        None, description="Epochs without gain; null: a third of `patience`."
    )
    factor: Annotated[float, Field(gt=0, le=1)] = Field(
        0.3, description="What the learning rate is multiplied by then."
    )


class Epistasis(Section):
    """How strongly, and over which genotypes, networks are asked to be sparse sums of products."""

    method: Literal["auto", "exact", "hashed"] = Field(
        "auto",
        description=(
            "`exact`: all Walsh coefficients, of 2^n genotypes of n sites a step (up to 16 sites); "
            "`hashed`: sums of them, of 2^`bits` genotypes drawn each step (HashWH); `auto`: exact "
            "up to 13 sites."
        ),
    )
    strength: NotNegative | Annotated[list[NotNegative], Field(min_length=1)] = Field(
        [0.03, 0.003, 0.01, 0.1, 0.3],
        description=(
            "What the sum of the absolute coefficients, in standard deviations of the target, is "
            "multiplied by in the loss; of several each is a value of the hyperparameter "
            "`epistasis`, the first its default."
        ),
    )
    bits: Annotated[int, Field(ge=1, le=16)] = Field(7, description="See `hashed`.")

    @property
    def strengths(self):
        """The strengths to choose from, each once."""
        given = self.strength if isinstance(self.strength, list) else [self.strength]
        return tuple(dict.fromkeys(given))


class Training(Section):
    """How the final network (and, but for its epochs, each trial) is trained."""

    epochs: Count = Field(200, description="Most epochs of the final fit.")
    batch_size: Count = Field(
        64, description="At most; smaller where rows would not fill 8 batches."
    )
    optimizer: Literal[tuple(OPTIMIZERS)] = Field("adam", description="Of every network.")
    learning_rate: (
        Literal["auto"] | Positive | Annotated[list[Positive], Field(min_length=2, max_length=2)]
    ) = Field(
        "auto",
        description=(
            "`auto`: a range test before each fit; two numbers are its lowest and highest rate."
        ),
    )
    patience: Count = Field(15, description="Epochs without gain before training stops.")
    min_gain: Annotated[float, Field(ge=0)] = Field(
        0.0, description="What a loss must gain to count."
    )
    decay: Decay = Field(default_factory=Decay)
    space: Literal["auto", "rows", "genes"] = Field(
        "auto",
        description=(
            "Where the first layer is trained: `genes`; `rows`, the span of the training "
            "rows (of more than 1,500 rows to learn from their 512 widest directions); "
            "`auto`: rows where genes outnumber a moderate number of them."
        ),
    )
    devices: Count = Field(
        1,
        description=(
            "Local GPUs that share each batch (`tf.distribute.MirroredStrategy`), where rows are "
            "read batch by batch (see `data.memory`) and there are targets."
        ),
    )
    l2: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Fixes the hyperparameter `l2` of every network."
    )
    epistasis: Epistasis | None = Field(
        None,
        description=(
            "Of a regression on genotypes, every value 0 or 1: adds the absolute Walsh "
            "coefficients of what a network makes of all genotypes to its loss (Epistatic Net). "
            "`{}` for the defaults."
        ),
    )

    @model_validator(mode="after")
    def _genotypes_are_seen_as_they_are(self):
        if self.epistasis and self.space == "rows":
            raise ValueError(
                "space: genotypes beside the training rows lie outside of their span; expected "
                "auto or genes with epistasis; received 'rows'"
            )
        return self


class Ensemble(Section):
    """How many networks make the final prediction together."""

    size: Literal["auto"] | Count = Field(
        1,
        description=(
            "1: the best trial is trained anew, with folds on all rows to learn from; more: "
            "the networks of so many best trials are averaged, by shares that a greedy "
            "selection on out-of-fold predictions finds; `auto`: 10 trials below 1,000 rows "
            "to learn from, else 3."
        ),
    )


class Interactions(Section):
    """Pairs of genes that act together."""

    genes: Annotated[int, Field(ge=0)] = Field(
        0, description="Pairs of so many foremost genes are ranked; 0: none."
    )
    method: Annotated[str, MemberOf("explainers", having="serves_interactions")] = Field(
        "knockout",
        description=(
            "Double knock-out, or an explainer whose contributions are compared with and "
            "without the other gene."
        ),
    )
    null: Annotated[int, Field(ge=0)] = Field(
        20,
        description=(
            "Networks trained on targets that a linear model explains, for p and q; 0 leaves them "
            "out. A single pair's q is no smaller than 1 over their number."
        ),
    )


class Explanation(Section):
    """Method and rows of attributions."""

    method: Annotated[str, MemberOf("explainers", "auto")] = Field(
        "auto",
        description=("`auto`: the best one that is defined on the model, `fast_deep_shap` first."),
        json_schema_extra=described("explainers"),
    )
    background: Count = Field(100, description="Rows trained on that stand for 'nothing known'.")
    background_by: Literal["random", "kmeans"] = Field(
        "random", description="`kmeans`: the rows nearest to the centres of so many clusters."
    )
    samples: Count = Field(100, description="Rows explained, of the test part where there is one.")
    top: Count = Field(20, description="Genes in pictures and in effects.tsv.")
    repeats: Count = Field(
        1,
        description=(
            "Above 1: so many networks are explained and stability.tsv shows how far they "
            "agree: the best trial trained with other seeds, or the ensemble's own "
            "networks."
        ),
    )
    part: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description=(
            "Of a gene's raw value that `knockout` leaves: 0 a knock-out, 0.5 a knock-down, "
            "2 over-expression. Other genes keep their values, a library is not "
            "renormalised."
        ),
    )
    sets: Annotated[int, Field(ge=0)] = Field(
        20,
        description=(
            "Where trials have gene sets (`pathway`): networks that sets.tsv rests on, and "
            "as many of each of its two controls; 0 leaves it out."
        ),
    )
    interactions: Interactions = Field(default_factory=Interactions)

    @field_validator("sets")
    @classmethod
    def _a_deviation_needs_two(cls, sets):
        if sets == 1:
            raise ValueError("expected 0 or at least 2 networks, which can differ; received 1")
        return sets


class Export(Section):
    """The SavedModel for TensorFlow Serving."""

    version: Count = Field(1, description="Number of the first exported version.")


class Output(Section):
    """How results lie on disk."""

    layout: Literal["run", "autogenome"] = Field(
        "run", description="`autogenome`: results under AutoGenome's names too, in `output_dir`."
    )
    figures: bool = Field(
        True,
        description=(
            "Whether figures are drawn into `plots/`; they take half of the time of a small run."
        ),
    )
