"""Section `data`: where the matrix and the targets are, and how values reach a network."""

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from autogenome_tf.config._sections._base import (
    Count,
    Fraction,
    Names,
    Pair,
    Positive,
    Section,
    listed,
)
from autogenome_tf.core.errors import ONE_MATRIX
from autogenome_tf.core.growing import GIB

Transform = Literal[
    "auto", "none", "log1p", "log2", "library_log1p", "clr", "relative_log", "rank"
]  # fmt: skip
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)


class SplitSection(Section):
    """Fractions and groups of the split; both fractions are of all rows."""

    test: Fraction = Field(
        default=0.2,
        description=(
            "Share of all rows held out as the test part; neither search nor training uses it."
        ),
    )
    validation: Fraction = Field(
        default=0.2, description="Share of all rows that ranks trials where there is one fold."
    )
    group: str | None = Field(
        default=None,
        description="Column (such as the patient) whose rows with the same value stay in one part.",
    )

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self):
        if self.test + self.validation >= 1:
            raise ValueError(
                f"test + validation must be below 1; received {self.test} + {self.validation}"
            )
        return self


class Data(Section):
    """Files of matrix and targets, and the preprocessing of values."""

    features: str = Field(
        default="",
        description=(
            "The matrix: `.tsv .csv .txt .tab` (plain, `.gz`, `.bz2`, `.zst`), `.parquet`, `.npz`, "
            "`.h5ad`, `.h5mu`, `.zarr`, `.loom`, `.xlsx`, a 10x folder or `.h5`, `.gct`, a GEO "
            "series matrix, a table of featureCounts, a folder of quantities (Salmon, STAR ...), "
            "contigs in `.fasta`, long reads in `.fastq`, or `scanpy:NAME`."
        ),
    )
    targets: str | Names | None = Field(
        default=None,
        description=(
            "File with the targets (several are joined by sample id); null: they are "
            "columns of the matrix file or of `obs`."
        ),
    )
    targets_sheet: str | None = Field(
        default=None,
        description=(
            "Sheet of `.xlsx` files of targets; null: the first that has most of the named columns."
        ),
    )
    target: str | Annotated[list[str | Pair], Field(min_length=1)] | None = Field(
        default=None,
        description=(
            "Column to predict, or several (regression, mixed); `*`: all columns of the file of "
            'targets; for survival the columns of time and event, such as `["time", "event"]`; '
            'among targets of type `mixed` as a pair: `["subtype", "age", ["time", "event"]]`.'
        ),
    )
    id: str | None = Field(
        default=None,
        description=(
            "Column of the sample ids, of the matrix or of the targets; null: the first column, or "
            "the one that holds the ids of the other file."
        ),
    )
    exclude: list[str] = Field(
        default=[],
        description=(
            "Columns of the matrix that are not genes, such as `age` or `OS_days`: names, or "
            "patterns such as `clin_*`."
        ),
    )
    duplicates: Literal["error", "suffix", "mean"] | None = Field(
        default=None,
        description=(
            "Treatment of repeated gene names and sample ids: `error`; `suffix` appends -1, -2 "
            "... to all but the first; `mean` averages them; null: `suffix` for AnnData and "
            "10x, else `error`."
        ),
    )
    feature_names: str | None = Field(
        default=None, description="File of gene names, one per line, where the matrix has none."
    )
    gene_names: str | None = Field(
        default=None,
        description=(
            "File of two columns: the name of a gene in a matrix, and the name to use (such as "
            "symbols for Ensembl ids); applies to the matrix and to new rows."
        ),
    )
    abundance: str | None = Field(
        default=None,
        description=(
            "Of contigs in a FASTA file: table of contigs x samples, how deeply each sample covers "
            "each contig (mean depth). The logarithms of 1 + depth stand behind the words."
        ),
    )
    covariates: list[str] = Field(
        default=[],
        description=(
            "For a representation: columns (batch, patient) that the decoder gets, one-hot, so "
            "that the latent space need not contain them; new rows must have them, and get the "
            "mean level where training did not have theirs."
        ),
    )
    sites: list[str] = Field(
        default=[],
        description=(
            "Columns beside the targets that say where a row comes from (hospital, batch). The "
            "metrics of each of their levels, and of networks trained without the level, stand in "
            "sites.tsv; a gap beyond chance is a warning. It costs two or more further fits."
        ),
    )
    weight: str | None = Field(
        default=None,
        description=(
            "Column of the weight of each row, a number above 0: how much it counts in scaling, "
            "losses, scores and the choice of trials. Only ratios of weights matter. Figures "
            "and the confusion matrix count rows alike. Not for a "
            "representation."
        ),
    )
    validation: str | None = Field(
        default=None, description="File of rows that rank trials, in place of `split.validation`."
    )
    validation_targets: str | Names | None = Field(
        default=None,
        description="Targets of these rows; null: where those of the training rows are.",
    )
    evaluate: str | None = Field(
        default=None, description="File of further labelled rows to score."
    )
    evaluate_targets: str | Names | None = Field(
        default=None,
        description="Targets of these rows; null: where those of the training rows are.",
    )
    predict: str | None = Field(default=None, description="File of rows to predict.")
    split: SplitSection | str = Field(
        default_factory=SplitSection,
        description=(
            "Fractions, as below; or a file with columns `sample`, `part` (train, "
            "validation, test) and perhaps `fold`."
        ),
    )
    transform: Transform | Annotated[list[Transform], Field(min_length=1)] = Field(
        default="auto",
        description=(
            "Applied to each raw value; a list is searched. `auto` recognises the scale by "
            "quantiles over rows and genes and logs its choice; `log2` raises values below "
            "`log2_floor` to it; `library_log1p` is ln(1 + counts per 10,000), `relative_log` "
            "log10 of the share + 1e-5, `rank` each value's place among the gene's training "
            "values."
        ),
    )
    log2_floor: Positive | None = Field(
        default=None,
        description="Lowest value for `log2`; null: 1, or 20 where values fall below 0.",
    )
    scale: Literal["none", "standard", "centre", "minmax"] = Field(
        default="standard",
        description=(
            "Scaling of genes by constants of the training rows, which become part of the model. "
            "`centre` subtracts means and divides all genes by one number, so that they keep their "
            "differences in spread, as before principal components; it is the default of type "
            "`representation`. `standard` suits columns of several units."
        ),
    )
    missing: Literal["error", "mean", "median", "zero"] = Field(
        default="error",
        description=(
            "Replacement of a missing value: `mean` or `median` of training rows, in "
            "transformed units; `zero`, in raw units."
        ),
    )
    missing_genes: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05,
        description=(
            "Largest share of the model's importance that genes missing in new rows may have: "
            "up to it they are filled like missing values (with training means where `missing` "
            "is `error`), with a warning about the effect on scores; above it new rows are an "
            "error. Importance is the slope of the outputs with respect to each gene, in "
            "standard deviations."
        ),
    )
    matrix: str | None = Field(
        default=None,
        description=(
            "Name of the matrix where a file holds several: a layer of `.h5ad`, `.zarr` or `.loom` "
            "(null: X; `raw`: all genes of AnnData), a modality of `.h5mu`, a sheet of `.xlsx` "
            "(null: the first), a column of quantities (`TPM`, `NumReads` ...)."
        ),
    )
    orientation: Literal["auto", "samples_by_genes", "genes_by_samples"] = Field(
        default="auto",
        description=(
            "Orientation of the matrix in its file. `auto`: by the kind of file, or by the "
            "heading of the first column (`Hugo_Symbol`, `Geneid`, `ID_REF` ...: genes x "
            "samples)."
        ),
    )
    missing_words: list[str] = Field(
        default=[],
        description=(
            "Further words for a missing value or label in text files, beside `NA`, `NaN`, "
            "`NULL`, `None`, `n/a`, `Unknown`, `[Not Available]`, `'--`, `#N/A` and the like; "
            "`!None`: that word is a value (a class), not missing."
        ),
    )
    rare_classes: Literal["error", "leave_out", "merge"] = Field(
        default="error",
        description=(
            "Treatment of classes with fewer than 6 rows, one for each of five folds and the "
            "test part: `error` where one cannot be split; `leave_out`; `merge` into a class "
            "`other`."
        ),
    )
    top_variable: Count | None = Field(
        default=None, description="Number of genes to keep, the most variable on training rows."
    )

    memory: Annotated[float, Field(gt=0, le=1e9)] = Field(
        default=1.0,
        description=(
            "GiB of a matrix as 32-bit numbers, zeros included, up to which it is held in "
            "memory for training; a larger one is read batch by batch and, where its stored "
            "form is larger than this too, is kept in a temporary file (in TMPDIR)."
        ),
    )

    expansion: Annotated[float, Field(ge=1, le=1e9)] = Field(
        default=200.0,
        description=(
            "Largest ratio of a file's decompressed size to its size on disk where it exceeds "
            "`memory`; larger files are refused."
        ),
    )

    @field_validator("features", "validation", "evaluate", "predict", mode="before")
    @classmethod
    def _is_one_matrix(cls, value):
        if isinstance(value, list) and any(isinstance(one, str) for one in value):
            raise ValueError(f"expected the path of one matrix; received {value}; {ONE_MATRIX}")
        return value

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
        keys = ("targets", "validation_targets", "evaluate_targets", "covariates", "exclude")
        given = {key: listed(getattr(self, key)) for key in keys} | {"target": self.target_names}
        for key, names in given.items():
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
    def group(self) -> str | None:
        """Return the column whose rows with one value stay on one side of the split, or None."""
        return None if isinstance(self.split, str) else self.split.group

    @property
    def columns(self) -> list[str]:
        """Return the columns of a matrix file that are not genes: targets, groups, ids."""
        beside = [*listed(self.group), *self.covariates, *self.sites, *listed(self.weight)]
        return [*self.target_names, *beside, *listed(self.id)]

    @property
    def target_names(self) -> list[str]:
        """Return the columns of `target`, a list; those of a pair one after the other."""
        return [name for one in self._targets for name in listed(one)]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the columns of time and event of each pair of `target`."""
        return [(one[0], one[1]) for one in self._targets if not isinstance(one, str)]

    @property
    def _targets(self):
        return [self.target] if isinstance(self.target, str) else self.target or []

    @property
    def matrices(self) -> list[str]:
        """Return the sources of rows: to train on, to validate, to evaluate and to predict."""
        named = (self.features, self.validation, self.evaluate, self.predict)
        return [source for source in named if source]

    @property
    def target_source(self) -> str:
        """Return the source of the targets for errors: their files, else the matrix."""
        return ", ".join(listed(self.targets)) or self.features

    def further(self, name: str) -> tuple[str, str | list[str] | None] | None:
        """Return the files of `validation` or `evaluate`: the matrix and the targets, or None.

        Args:
            name: "validation" or "evaluate".
        """
        features = getattr(self, name)
        return (features, getattr(self, f"{name}_targets") or self.targets) if features else None

    @property
    def limit(self) -> int:
        """Return `memory` in bytes."""
        return int(self.memory * GIB)

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """Return the transforms to choose from, each once."""
        given = self.transform
        return tuple(dict.fromkeys(given)) if isinstance(given, list) else (given,)
