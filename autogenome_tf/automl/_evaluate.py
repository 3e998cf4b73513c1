"""The evaluate stage: metrics of rows that training has not seen, beside those of a baseline."""

import dataclasses
import logging

import pandas as pd

from autogenome_tf import metrics
from autogenome_tf.automl._lacking import LackingGenes
from autogenome_tf.automl._learning_curve import write_learning_curve
from autogenome_tf.automl._outer import FOLDS, outer_scores
from autogenome_tf.automl._permutation import permutation_test
from autogenome_tf.automl._sites import write_sites
from autogenome_tf.automl._unseen import unseen_outputs, unseen_parts
from autogenome_tf.config import Config
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import RunData
from autogenome_tf.ensemble import Retraining, corrected, size_for
from autogenome_tf.models import LatentModel, LatentSpace, Predictor, tables
from autogenome_tf.run import Run
from autogenome_tf.search import eligible, read_outputs, trials_of
from autogenome_tf.tasks import ALL

log = logging.getLogger(__name__)

# Parts of metrics.json in their order.
PARTS = (
    "validation", metrics.CORRECTED, metrics.OUTER, "test", "evaluate", metrics.PERMUTATION
)  # fmt: skip


def evaluate(
    run: Run,
    rows: RunData,
    model: Predictor,
    baseline: Predictor | None,
    *,
    config: Config,
    lacking: LackingGenes,
    retraining: Retraining,
) -> dict[str, dict]:
    """Score a model; write metrics.json and the files that belong to its kind of task.

    Args:
        run: The run that the files are written to.
        rows: Its rows.
        model: Its model.
        baseline: The linear model to compare it with, or None.
        config: Its config.
        lacking: Warns of genes that rows of `data.evaluate` lack.
        retraining: Trains networks of the best trial anew where the config asks for that.

    Returns:
        Dict of part ("validation", "validation_corrected", "outer", "test", "evaluate") to metric
        to {"value", "low", "high"}.
    """
    if isinstance(model, LatentModel):
        return _evaluate_latent(run, rows, model, config.seed)
    task, parts = model.task, unseen_parts(run, rows, model, config.seed)
    if rows.to_evaluate:
        lacking.warn(rows.to_evaluate)
    found = {
        name: tables.scores(task, part.targets, part.outputs, part.seed, part.weights)
        for name, part in parts.items()
    }
    # Those that the final model was chosen from, best first.
    trials = eligible(trials_of(run.read_table("leaderboard.tsv")), config.families)
    found |= _corrected(run, rows, config, task, parts["validation"], trials)
    if count := config.evaluation.permutations:
        null = permutation_test(retraining, trials[0], count, found, _groups(rows))
        found[metrics.PERMUTATION] = null
    beside = {}
    if run.has(FOLDS):
        found[metrics.OUTER], beside[metrics.OUTER] = outer_scores(run)
    found = {part: found[part] for part in PARTS if part in found}
    run.write_json("metrics.json", found)
    _write_coverage(run, model, parts)
    if config.data.sites:
        known = {"seed": config.seed, "retraining": retraining, "trial": trials[0]}
        write_sites(run, rows, task, parts, **known)
    if config.evaluation.learning_curve:
        write_learning_curve(run, retraining, trials[0], config.seed)
    if baseline is not None:
        beside |= _of_baseline(run, rows, task, baseline, parts)
    if beside:
        run.write_json("baseline.json", beside)
    _write_confusion(run, task, parts[metrics.in_order(parts)[0]])
    return found


def _of_baseline(run, rows, task, baseline, parts):
    """Return the metrics of the baseline for each part, by the model's task."""
    # The limit of genes that may lack is the final model's; the baseline has none.
    scored = rows.to_evaluate and dataclasses.replace(rows.to_evaluate, lacking=())
    found = {}
    for name, outputs in unseen_outputs(run, rows, baseline, "baseline", scored).items():
        targets, own, weights, _, seed = parts[name]
        found[name] = tables.beside(task, targets, own, outputs, seed, weights)
    return found


def _write_confusion(run, task, part):
    """Write confusion_matrix.tsv of tasks that have classes."""
    if task.has_classes:
        counts = tables.confusion_matrix(task, part.targets, part.outputs)
        run.write_table("confusion_matrix.tsv", counts, index=True)
    elif task.is_of_several:
        counts = tables.confusion_matrices(task, part.targets, part.outputs)
        run.write_table("confusion_matrix.tsv", counts)


def _groups(rows):
    """Return the group of each row to learn from, or None."""
    dataset, split = rows.labelled
    return None if dataset.groups is None else dataset.groups[split.part != "test"]


def _corrected(run, rows, config, task, validation, trials):
    """Return the validation metrics without the winner's bias, by their part; {} if not known."""
    outputs = read_outputs(run, sorted(trials, key=lambda trial: trial.number))
    if not outputs:
        log.info("validation_corrected: not computed, since outputs of some trials are not kept")
        return {}
    size = size_for(config.ensemble.size, len(rows.learnable[0]))
    seed = derive(config.seed, "bootstrap/winner")
    chosen = {"objective": config.objective, "size": size, "seed": seed}
    targets = task.as_scored(validation.targets)
    found = corrected(task, targets, outputs, weights=validation.weights, **chosen)
    return {metrics.CORRECTED: found} if found else {}


def _write_coverage(run, model, parts):
    """Write coverage.tsv: how often sets or intervals hold the truth, on rows not used for them."""
    held_out = {name: part for name, part in parts.items() if name != "validation"}
    if model.conformal is None or not held_out:
        return
    frames = [
        model.conformal.covered(part.targets, part.outputs).assign(part=name)
        for name, part in held_out.items()
    ]
    frame = pd.concat(frames, ignore_index=True)
    run.write_table("coverage.tsv", frame[["part", *frame.columns.drop("part")]])
    for line in frame[(frame["output"] == ALL) & (frame["high"] < frame["coverage"])].itertuples():
        log.warning(
            "%s of %d %s samples have their true %s in the prediction set or interval, fewer than "
            "evaluation.coverage %g: these samples may differ from the training samples.",
            f"{100 * line.covered:.3g} %", line.rows, line.part,
            "class" if model.task.has_classes else "value", line.coverage,
            extra={"about": "coverage"},
        )  # fmt: skip


def _evaluate_latent(run, rows, model, seed):
    """Score a latent space; write metrics.json, clusters.tsv, maps.tsv and imputation.tsv."""
    dataset, split = rows.labelled
    space = LatentSpace(model, dataset, split, rows.to_evaluate, seed)
    found = space.scores()
    if model.task.classes and not any("labels_held_out" in part for part in found.values()):
        log.warning(
            "No label scores the latent space that labels shaped: no sample with a label was kept "
            "from training and from the choice of the epoch. Set data.split.test, or give such "
            "samples by data.evaluate.", extra={"about": "labels"},
        )  # fmt: skip
    run.write_json("metrics.json", found)
    run.write_table("clusters.tsv", space.clusters())
    run.write_table("maps.tsv", space.maps())
    if (genes := space.imputed_genes()) is not None:
        run.write_table("imputation.tsv", genes)
    return found
