"""Sections `export` and `output`: the SavedModel, and how results lie on disk."""

from typing import Literal

from pydantic import Field

from autogenome_tf.config._sections._base import Count, Section


class Export(Section):
    """The SavedModel for TensorFlow Serving."""

    version: Count = Field(default=1, description="Number of the first exported version.")


class Output(Section):
    """Layout of results on disk."""

    layout: Literal["run", "autogenome"] = Field(
        default="run",
        description="`autogenome`: results under AutoGenome's names too, in `output_dir`.",
    )
    trackers: list[Literal["tensorboard", "mlflow"]] = Field(
        default=[],
        description=(
            "Trackers that get each trial with its hyperparameters, curves and score: "
            "`tensorboard` (`tensorboard/` in the run folder), `mlflow` (`MLFLOW_TRACKING_URI`; "
            "needs the extra `mlflow`)."
        ),
    )
    figures: bool = Field(
        default=True,
        description=(
            "Whether to draw figures into `plots/`; they take half of the time of a small run."
        ),
    )
    bins: bool = Field(
        default=False,
        description=(
            "Of a representation of contigs (FASTA) or reads (FASTQ): write a FASTA file for each "
            "bin of at least `bin_bases` into `bins/`. The tables of bins are written anyhow."
        ),
    )
    bin_bases: Count = Field(
        default=200_000, description="Bases of a bin that gets a file, at least."
    )
