"""The files of a run folder: one table, from which documentation, reading and cleaning follow.

The guide tutorials/run_folder.md shows `markdown()`. A table's `text` columns are read as text
whatever they look like. What is read again is checked by this table (`run/_as_written.py`). What an
earlier run of a stage left and the new one may not write again, its `optional` files, is removed
(`Run.remove_optional`).
"""

import dataclasses
import re
from typing import Any

# In order; "begin" is before the first, "always" at any time.
STAGES = ("train", "evaluate", "predict", "explain", "export", "report")
BEGIN, ALWAYS = "begin", "always"
# Folder of the runs of outer folds, and the note that they are done.
OUTER = "outer"
# Trials as a search left them, where leaderboard.tsv has further scores.
SEARCHED = "search/leaderboard.tsv"


@dataclasses.dataclass(frozen=True)
class Artifact:
    """A file of a run folder.

    Attributes:
        name: Its path in the folder; ``<...>`` stands for what differs.
        stage: The stage that writes it, "begin" or "always".
        holds: What it holds, as a clause for people.
        text: Columns that hold ids and names, whatever these look like.
        whole: Columns of whole numbers, none of them missing.
        numbers: Columns of numbers, which may be missing.
        objects: Columns of JSON objects.
        lists: Columns of JSON lists.
        perhaps: Those of these columns that some runs do not have.
        arrays: Arrays of a NumPy archive that are read again.
        form: What is read again of a JSON file, see `_as_written.check_json`.
        optional: Whether some runs have none.
    """

    name: str
    stage: str
    holds: str
    text: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()
    form: Any = None
    optional: bool = False

    @property
    def columns(self) -> list[str]:
        """Return the columns that every such table has."""
        known = (*self.text, *self.whole, *self.numbers, *self.objects, *self.lists)
        return [name for name in known if name not in self.perhaps]


# In a form the name that stands for any other.
EACH = "<each>"
NUMBER = (int, float, type(None))
METRIC = {"value": NUMBER, "low": NUMBER, "high": NUMBER}
# Of a trial: leaderboard.tsv, and what its worker wrote of it.
TRIAL = {
    "text": ("family", "status"), "whole": ("rank", "trial", "epochs", "parameters"),
    "numbers": ("score", "error", "seconds"), "objects": ("hyperparameters",),
}  # fmt: skip


ARTIFACTS = (
    Artifact("config.json", BEGIN,
             "what ran, defaults filled in; running it again repeats the run"),
    Artifact("environment.json", BEGIN,
             "versions, seed, checksums of the data, stages done, times in seconds",
             form={"versions": dict, "seed": int, "began": str, "data": dict, "asked": list,
                   "stages": dict, "times": dict}),
    Artifact("data.npz", BEGIN, "the rows, where they came from memory", optional=True),
    Artifact("split.tsv", "train", "`sample`, `part`, `fold`", text=("sample", "part"),
             whole=("fold",), perhaps=("fold",)),
    Artifact("warnings.json", "train",
             "warnings about data and scores: `about`, `text`, the `stage` that gave it",
             form=[{"text": str}]),
    Artifact("gene_sets.tsv", "train",
             "where gene sets are named: each `set` with its file, `genes`, how many are "
             "`measured`, whether it is kept (`status`), what is `lost`",
             text=("set", "source", "status", "lost"), optional=True),
    Artifact("leaderboard.tsv", "train",
             "a row a trial, written as it ends: rank, family, trial, score, error, epochs, "
             "seconds, parameters, status, hyperparameters; at the end the best networks have the "
             "scores of `ensemble.seeds` networks a fold", **TRIAL),
    Artifact(SEARCHED, "train",
             "the leaderboard with the scores of the search, where the best networks have other "
             "ones at the end: an interrupted training goes on from it", **TRIAL, optional=True),
    Artifact("search/enas/curves.tsv", "train",
             "of `enas`, an epoch a row: loss, reward, baseline, entropy, skip_rate",
             whole=("epoch",), numbers=("loss", "reward", "weights_seconds", "controller_seconds"),
             perhaps=("loss", "reward"), optional=True),
    Artifact("search/enas/candidates.tsv", "train",
             "of `enas`: arcs and beside them the other options, with their scores by shared "
             "weights, of the controller and drawn uniformly",
             text=("by",), whole=("parameters",), numbers=("shared_score",), lists=("arc",),
             perhaps=("parameters",), optional=True),
    Artifact("search/enas/front.tsv", "train",
             "of `enas`: candidates that no smaller one scores better than, the smallest first",
             whole=("parameters",), numbers=("shared_score",), lists=("arc",), optional=True),
    Artifact("search/enas/contributions.tsv", "train",
             "of `enas`: the `share` of each decision in the variance of scores by shared weights "
             "over the space (functional ANOVA), the largest first, then that of interactions; "
             "`forest_r2`: how well the forest behind it predicts scores it has not seen",
             text=("decision",), numbers=("share", "forest_r2"), optional=True),
    Artifact("search/enas/finalists.tsv", "train",
             "of `enas`: scores by shared weights and by weights of their own", optional=True),
    Artifact("search/outputs-<n>.npz", "train",
             "outputs of a trial for rows that its networks had not seen, in the order of "
             "validation.npz; `validation_corrected` is computed from them (up to 1,000,000 "
             "values a trial)", arrays=("outputs",), optional=True),
    Artifact("search/trial-<n>.tsv", "train",
             "of a search by several processes: a line of the leaderboard as its worker wrote it",
             **TRIAL, optional=True),
    Artifact("search/calls.jsonl", "train",
             "of a search by several processes: the calls of workers and the chief's answers; "
             "beside it a log for each worker", optional=True),
    Artifact("tensorboard/trial-<n>/", "train",
             "of `output.trackers` `tensorboard`: hyperparameters, curves and score of a trial",
             optional=True),
    Artifact("history.tsv", "train",
             "the final fit, a row an epoch (of an ensemble: the fits of its trials, with a "
             "column `trial`); a Res-VAE that starts as principal components has a row for epoch "
             "0, the start, whose training columns are empty", whole=("epoch",),
             numbers=("loss", "validation_loss", "learning_rate")),
    Artifact("model.keras", "train", "the model"),
    Artifact("folds.keras", "train",
             "of `ensemble.size` 1 with folds: the average of the folds' networks, by which the "
             "out-of-fold cost of absent genes is measured", optional=True),
    Artifact("validation.npz", "train",
             "its outputs for rows it had not seen: the validation part, or out of fold",
             arrays=("samples", "outputs")),
    Artifact("baseline.keras", "train", "the linear model to compare with", optional=True),
    Artifact("gates.tsv", "train",
             "where networks have gates: `feature`, `rank`, `gate`, `low` and `high` over "
             "networks, `open` (share of networks)", text=("feature",),
             numbers=("gate", "low", "high", "open"), optional=True),
    Artifact("outer/fold_<k>/", "train",
             "of `search.outer`: the run of an outer fold, whose test part is the fold (and the "
             "test part); beside it its split, `fold_<k>.tsv`", optional=True),
    Artifact("outer.tsv", "train",
             "of `search.outer`: every row to learn from, predicted by the run of its outer "
             "`fold`, which had not seen it; columns as in predictions.tsv", text=("sample",),
             optional=True),
    Artifact("outer_folds.tsv", "train",
             "of `search.outer`, a line an outer fold: `rows`, the `family` and hyperparameters of "
             "the best trial, `overlap` of its most important genes with those of other folds, "
             "then each metric and the baseline's (`baseline_<metric>`)",
             text=("family",), whole=("fold", "rows"), numbers=("overlap",), optional=True),
    Artifact("outer_genes.tsv", "train",
             "of `search.outer`: genes among the most important of an outer fold: `feature`, in "
             "how many `folds`, mean `share` of the model's importance", text=("feature",),
             whole=("folds",), numbers=("share",), optional=True),
    Artifact("metrics.json", "evaluate",
             "`validation`, `test` (and `evaluate`): value, low and high (95 % bootstrap; null for "
             "figures of scIB) of each metric; `validation_corrected`: validation without what the "
             "best of many trials gains by being chosen; `outer` (of `search.outer`): mean over "
             "outer folds with a 95 % interval; `permutation` (of `evaluation.permutations`): "
             "each metric's value, its 95 % range with permuted targets, `p`",
             form={EACH: {EACH: METRIC}}),
    Artifact("baseline.json", "evaluate",
             "the same of the linear model, fitted as the final model is, of the same rows and "
             "resamples, each metric with its `difference`: the model's less the linear one's",
             form={EACH: {EACH: {**METRIC, "difference": METRIC}}}, optional=True),
    Artifact("coverage.tsv", "evaluate",
             "of held-out samples, for each `coverage` of `evaluation.coverage`: the share whose "
             "prediction set or interval holds the true class or value (`covered`, `low` and "
             "`high`: 95 % interval), in all and for each class or target (`output`), and the "
             "mean number of classes or width (`size`)",
             text=("part", "output"), whole=("rows",),
             numbers=("coverage", "covered", "low", "high", "size"), optional=True),
    Artifact("learning_curve.tsv", "evaluate",
             "of `evaluation.learning_curve`: the headline metric (`metric`) by number of training "
             "`samples`, `measured` and `fitted` (`kind`) up to twice as many, `value` with `low` "
             "and `high` (95 %)", text=("kind", "metric"), whole=("samples",),
             numbers=("value", "low", "high"), optional=True),
    Artifact("sites.tsv", "evaluate",
             "of `data.sites`: the metrics of each `level` of each `column` in each `part` "
             "(`left_out`: of networks trained without the level); `worst` marks the level with "
             "the worst accuracy (RMSE, concordance), `p` is how often chance makes one as bad",
             text=("column", "part", "level", "metric"), whole=("rows",),
             numbers=("value", "low", "high", "p"), optional=True),
    Artifact("confusion_matrix.tsv", "evaluate",
             "of a classification: rows true, columns predicted; of type `mixed` a line for each "
             "pair of classes of each target: `target`, `true`, `predicted`, `count`; beside it as "
             ".png and .pdf",
             optional=True),
    Artifact("clusters.tsv", "evaluate",
             "of a representation, every row: `sample`, `part`, `target` (the label), `kmeans` (at "
             "the number of labels) and `hdbscan` (-1: noise)", text=("sample", "part", "target"),
             whole=("hdbscan",), optional=True),
    Artifact("maps.tsv", "evaluate",
             "of a representation: two coordinates of every row for a picture, by UMAP where "
             "scanpy is installed", text=("sample", "part"), optional=True),
    Artifact("imputation.tsv", "evaluate",
             "of a representation of counts, for each gene of held-out samples: `molecules`, the "
             "mean count that was left out of a sample (half of its molecules), and the Poisson "
             "`deviance` of the counts expected of it, divided by that of the gene's mean, beside "
             "that of principal components (`pca_deviance`)", text=("feature",),
             numbers=("molecules", "deviance", "pca_deviance"), optional=True),
    Artifact("predictions.tsv", "predict",
             "every row: `sample`, `part`, `target`, `prediction`, `p_<class>`; then for each "
             "`evaluation.coverage`, such as 0.9, the classes in its prediction set (`set_90`), "
             "and `novelty_p`, the share of training rows that lie as far from all classes; or "
             "the ends of its prediction interval (`low_90`, `high_90`); of survival `risk`, "
             "`survival_<time>`, `median`, and `hazard_<time>` of the loss `hazard`; of "
             "several targets `target_<name>` and `prediction_<name>` for each, and of type "
             "`mixed` `p_<name>:<class>` of classes, and `risk_<time>`, "
             "`survival_<time>:<days>`, `median_<time>` and `hazard_<time>:<days>` of a pair "
             "by the name of its time; a representation has none",
             text=("sample", "part", "prediction"), perhaps=("prediction",), optional=True),
    Artifact("latent.tsv", "predict",
             "of a representation, every row: `sample`, `part`, then `z1` ...; of `task.labels` "
             "`semi` also `prediction`, the most probable label, and `p_<label>`",
             text=("sample", "part", "prediction"), perhaps=("prediction",), optional=True),
    Artifact("bins.tsv", "predict",
             "of a representation of contigs (FASTA) or reads (FASTQ), for each bin, the largest "
             "first: its `contigs` and `bases`; where `data.target` says what genome a contig is "
             "of, the `genome` that it has most bases of, `completeness` (share of that genome's "
             "bases) and `contamination` (share of the bin's bases that are of others)",
             text=("genome",), whole=("bin", "contigs", "bases"),
             numbers=("completeness", "contamination"),
             perhaps=("genome", "completeness", "contamination"), optional=True),
    Artifact("contig_bins.tsv", "predict",
             "the same by contig: `sample`, its `bases`, and its `bin` (0: in none)",
             text=("sample",), whole=("bases", "bin"), optional=True),
    Artifact("bins/", "predict", "of `output.bins`: bin_<number>.fasta, the contigs of each bin",
             optional=True),
    Artifact("reconstruction.tsv.gz", "predict",
             "of a representation, every row: the expected values of the genes", optional=True),
    Artifact("attributions.tsv", "explain",
             "`feature`, `rank`, `total`, then the mean absolute contribution to each output",
             text=("feature",), whole=("rank",), numbers=("total",)),
    Artifact("attributions.npz", "explain",
             "`values` (samples, features, outputs), `base_values`, `samples`, `features`, "
             "`outputs`, and the raw `data` explained",
             arrays=("values", "base_values", "samples", "features", "outputs", "data")),
    Artifact("effects.tsv", "explain",
             "the foremost genes of each output: `mean` contribution with its sign, `low` and "
             "`high` (95 % interval over rows), `positive` (share of rows), `correlation` of the "
             "gene's value with its contribution: above 0, high values speak for the output",
             text=("output", "feature"), numbers=("correlation",)),
    Artifact("stability.tsv", "explain",
             "of `explanation.repeats`: `mean` and `sd` of each gene's total over networks, "
             "`rank_low` and `rank_high`, `in_top`", text=("feature",),
             whole=("rank_low", "rank_high"), numbers=("mean", "sd", "in_top"), optional=True),
    Artifact("sets.tsv", "explain",
             "of the best trial with gene sets: `level`, `set`, `genes`, `rank`, `share` of "
             "importance with `sd`, `rank_low`, `rank_high` and `in_top` over networks; the shares "
             "in controls (`other_genes`, `other_labels`), how far above them it lies "
             "(`above_genes`, `above_labels`, `above`: the smaller); the mean contribution to each "
             "output", text=("level", "set"), whole=("genes", "rank", "rank_low", "rank_high"),
             numbers=("share", "sd", "other_genes", "other_labels", "above"), optional=True),
    Artifact("interactions.tsv", "explain",
             "of `explanation.interactions`: `feature_1`, `feature_2`, `rank`, `strength` (in "
             "standard deviations of the output), `p`, `q`, then the mean interaction in each "
             "output", text=("feature_1", "feature_2"), whole=("rank",), optional=True),
    Artifact("epistasis.tsv", "explain",
             "of the method `epistasis`: the model as a sum of products of sites, the largest "
             "first (1,000 an output): `output`, `order`, `sites`, `coefficient`, `share` of the "
             "variance over all genotypes", text=("output", "sites"),
             numbers=("coefficient", "share"), optional=True),
    Artifact("epistasis_orders.tsv", "explain", "the same by order: `variance`, `share`",
             text=("output",), whole=("order",), numbers=("share",), optional=True),
    Artifact("saved_model/<version>/", "export", "the model for TensorFlow Serving"),
    Artifact("serving.json", "export",
             "what its clients need: names of genes and classes, signatures, an example",
             form={"signatures": {EACH: {"inputs": dict, "outputs": dict}}}),
    Artifact("report.html", "report",
             "all of it on one page that needs no network and no other file; light or dark, on "
             "paper or a phone"),
    Artifact("plots/", ALWAYS,
             "learning curves, search progress, ROC, precision-recall and calibration, predicted "
             "against true values, survival by risk; importance in all, and as bars, dots and "
             "violins for each output (.png and .pdf)", optional=True),
    Artifact("log.txt", ALWAYS, "all that was said"),
)  # fmt: skip

# Of each file; ``<...>`` stands for a number.
_NAMED = [(re.compile(re.sub("<.*?>", r"\\d+", one.name)), one) for one in ARTIFACTS]


def artifact_of(name: str) -> Artifact | None:
    """Return what the table knows of a file, or None.

    Args:
        name: Name of a file in the run folder.
    """
    return next((one for form, one in _NAMED if form.fullmatch(name)), None)


def stage_of(name: str) -> str | None:
    """Return the stage that writes a file, or None for one that the table does not know.

    Args:
        name: Name of a file in the run folder.
    """
    artifact = artifact_of(name)
    return artifact.stage if artifact else None


def optional_files(stage: str) -> list[str]:
    """List the files of a stage that some runs do not have.

    Args:
        stage: Name of the stage.
    """
    return [one.name for one in ARTIFACTS if one.stage == stage and one.optional]


def markdown() -> str:
    """Return the table of the run folder for its guide."""
    lines = ["| file | stage | content |", "|---|---|---|"]
    lines += [f"| `{one.name}` | {one.stage} | {one.holds} |" for one in ARTIFACTS]
    return "\n".join(lines)
