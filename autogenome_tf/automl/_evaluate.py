"""The evaluate stage: metrics of rows that training has not seen, beside those of a baseline."""

import dataclasses
import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from autogenome_tf import families, metrics
from autogenome_tf.automl._lacking import LackingGenes
from autogenome_tf.automl._learning_curve import write_learning_curve
from autogenome_tf.automl._outer import FOLDS, outer_scores
from autogenome_tf.automl._permutation import permutation_test
from autogenome_tf.automl._sites import write_sites
from autogenome_tf.config import Config
from autogenome_tf.core.seeds import derive
from autogenome_tf.data import RunData
from autogenome_tf.ensemble import Retraining, corrected, size_for
from autogenome_tf.models import LatentModel, LatentSpace, Predictor, tables
from autogenome_tf.run import Run
from autogenome_tf.search import read_outputs, trials_of
from autogenome_tf.tasks import ALL

log = logging.getLogger(__name__)

# Parts of metrics.json in their order.
PARTS = (
    "validation", metrics.CORRECTED, metrics.OUTER, "test", "evaluate", metrics.PERMUTATION
)  # fmt: skip


def evaluate(
    run: Run,
    rows: RunData,
    model: Predictor | LatentModel,
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
    scored = dict(_unseen(run, rows, model, "outputs"))
    if rows.scored:
        lacking.warn(rows.scored)
    weights = _weights(run, rows)
    seeds = {part: derive(config.seed, f"bootstrap/{part}") for part in scored}
    found = {
        part: tables.scores(model.task, *answers, seeds[part], weights.get(part))
        for part, answers in scored.items()
    }
    trials = _trials(run, config)
    found |= _corrected(
        run, rows, config, model.task, scored["validation"][0], trials, weights.get("validation")
    )
    if count := config.evaluation.permutations:
        found[metrics.PERMUTATION] = permutation_test(
            retraining, trials[0], count, found, _groups(rows)
        )
    beside = {}
    if run.has(FOLDS):
        found[metrics.OUTER], beside[metrics.OUTER] = outer_scores(run)
    found = {part: found[part] for part in PARTS if part in found}
    run.write_json("metrics.json", found)
    _write_coverage(run, model, scored)
    if config.data.sites:
        write_sites(
            run, rows, model.task, scored,
            weights=weights, seed=config.seed, retraining=retraining, trial=trials[0],
        )  # fmt: skip
    if config.evaluation.learning_curve:
        write_learning_curve(run, retraining, trials[0], config.seed)
    if baseline is not None:
        beside |= {
            part: tables.beside(
                model.task, targets, scored[part][1], outputs, seeds[part], weights.get(part)
            )
            for part, (targets, outputs) in _unseen(run, rows, baseline, "baseline")
        }
    if beside:
        run.write_json("baseline.json", beside)
    foremost = scored[metrics.in_order(scored)[0]]
    if model.task.has_classes:
        counts = tables.confusion_matrix(model.task, *foremost)
        run.write_table("confusion_matrix.tsv", counts, index=True)
    elif model.task.is_of_several:
        run.write_table("confusion_matrix.tsv", tables.confusion_matrices(model.task, *foremost))
    return found


def _groups(rows):
    """Return the group of each row to learn from, or None."""
    dataset, split = rows.labelled
    return None if dataset.groups is None else dataset.groups[split.part != "test"]


def _weights(run, rows):
    """Return the weights of the rows of each part that has some."""
    dataset, split = rows.labelled
    found = {"evaluate": rows.scored.weights if rows.scored else None}
    if dataset.weights is not None:
        places = _validated(run, dataset)
        found |= {
            "validation": dataset.weights[places],
            "test": dataset.weights[split.part == "test"],
        }
    return {part: weights for part, weights in found.items() if weights is not None}


def _validated(run, dataset):
    """Return the numbers of the rows that validated, in the order of validation.npz."""
    position = {sample: row for row, sample in enumerate(dataset.samples)}
    return [position[sample] for sample in run.read_arrays("validation.npz")["samples"]]


def _corrected(run, rows, config, task, targets, trials, weights):
    """Return the validation metrics without the winner's bias, by their part; {} if not known."""
    outputs = read_outputs(run, sorted(trials, key=lambda trial: trial.number))
    if not outputs:
        log.info("validation_corrected: not computed, since outputs of some trials are not kept")
        return {}
    size = size_for(config.ensemble.size, len(rows.learnable[0]))
    seed = derive(config.seed, "bootstrap/winner")
    known = tables.encoded(task, targets), outputs
    return {
        metrics.CORRECTED: corrected(
            task, *known, objective=config.objective, size=size, seed=seed, weights=weights
        )
    }


def _trials(run, config):
    """Return the trials that the final model was chosen from, best first."""
    return [
        trial
        for trial in trials_of(run.read_table("leaderboard.tsv"))
        if trial.is_scored and families.is_asked(trial.family, trial.values, config.families)
    ]


def _write_coverage(run, model, scored):
    """Write coverage.tsv: how often sets or intervals hold the truth, on rows not used for them."""
    held_out = [part for part in scored if part != "validation"]
    if model.conformal is None or not held_out:
        return
    frames = [model.conformal.covered(*scored[part]).assign(part=part) for part in held_out]
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


def _unseen(
    run: Run, rows: RunData, model: Predictor, name: str
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Yield targets and outputs of each part that training has not seen.

    Args:
        run: The run.
        rows: Its rows.
        model: Computes the outputs of rows that no fold has validated on.
        name: Name of its out-of-fold outputs in validation.npz.
    """
    dataset, split = rows.labelled
    outputs = run.read_arrays("validation.npz")[name]
    yield "validation", (dataset.known_targets[_validated(run, dataset)], outputs)
    test = np.flatnonzero(split.part == "test")
    if len(test):
        yield "test", (dataset.known_targets[test], model.outputs(dataset.rows(test), is_own=True))
    if rows.scored:
        # The limit of genes that may lack is the final model's; the baseline has none.
        new = rows.scored if name == "outputs" else dataclasses.replace(rows.scored, lacking=())
        yield "evaluate", (rows.scored.known_targets, model.outputs(new))


def _evaluate_latent(run, rows, model, seed):
    """Score a latent space; write metrics.json, clusters.tsv, maps.tsv and imputation.tsv."""
    dataset, split = rows.labelled
    space = LatentSpace(model, dataset, split, rows.scored, seed)
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
