"""Nested cross-validation: each outer fold is predicted by a run that never saw it."""

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from autogenome_tf import metrics
from autogenome_tf.automl._session import Session
from autogenome_tf.config import Config, Output
from autogenome_tf.data import Dataset, Split
from autogenome_tf.models import tables
from autogenome_tf.run import Run
from autogenome_tf.run.artifacts import OUTER

log = logging.getLogger(__name__)

FOLDS = "outer_folds.tsv"
BASELINE = "baseline_"
# Genes of a fold that are compared with those of others: so many, and at most this share of all.
TOP, TOP_SHARE = 50, 0.1


class OuterFold(NamedTuple):
    """An outer fold and the run that never saw it.

    Attributes:
        session: The run of all other rows to learn from.
        rows: (rows,) numbers of the fold's rows among all rows.
    """

    session: Session
    rows: np.ndarray


def outer_folds(session: Session) -> list[OuterFold]:
    """Return the outer folds of a run, each with the session of its own run.

    Args:
        session: Session of the run, begun.
    """
    run, config, rows = session.opened(), session.config, session.rows
    dataset, parts = rows.labelled
    found = []
    for number, split in enumerate(rows.outer_splits(config.search.outer), 1):
        own = Session(_config_of(run, config, split, number))
        own.rows = rows.divided(own.config.data, split)
        is_own = (split.part == "test") & (parts.part != "test")
        _write_split(run, dataset, split, number)
        found.append(OuterFold(own, np.flatnonzero(is_own)))
    return found


def train_outer(session: Session, train: Callable[[Session], Any]) -> None:
    """Run the outer folds that are not done; write outer.tsv and the tables beside it.

    Args:
        session: Session of a run that is trained.
        train: Trains the run of a session, from where it stopped.
    """
    run = session.fitted()
    if OUTER in run.stages:
        return
    folds = outer_folds(session)
    for number, fold in enumerate(folds, 1):
        if not _is_done(fold.session):
            log.info("outer fold %d of %d: a search without these rows", number, len(folds))
            train(fold.session)
    with session.stage(OUTER):
        _write(run, session.rows.labelled[0], folds)


def over_folds(values: np.ndarray, name: str) -> dict[str, float | None]:
    """Return the mean over outer folds with a 95 % interval.

    Training rows of folds overlap, so the variance is corrected (Nadeau and Bengio 2003,
    "Inference for the generalization error").

    Args:
        values: (folds,) scores; undefined ones are NaN.
        name: Name of the metric, whose best value the interval does not pass.
    """
    found = _interval(values)
    if found["value"] is None:
        return found
    end, place = ("high", min) if metrics.sign(name) > 0 else ("low", max)
    return found | {end: place(found[end], metrics.best_value(name))}


def _interval(values) -> dict[str, Any]:
    """Return mean and 95 % interval of the defined values; None where fewer than two are."""
    from scipy.stats import t

    known = values[np.isfinite(values)]
    count = len(known)
    if count < 2:
        return {"value": None, "low": None, "high": None}
    half = t.ppf(0.975, count - 1) * known.std(ddof=1) * np.sqrt(1 / count + 1 / (count - 1))
    mean = known.mean()
    return {"value": float(mean), "low": float(mean - half), "high": float(mean + half)}


def outer_scores(run: Run) -> tuple[dict[str, dict], dict[str, dict]]:
    """Return the metrics over outer folds, and the baseline's with their differences.

    Args:
        run: A run whose outer folds are done.
    """
    frame = run.read_table(FOLDS)
    names = [name.removeprefix(BASELINE) for name in frame if name.startswith(BASELINE)]
    found, beside = {}, {}
    for name in names:
        own, linear = (frame[column].to_numpy(float) for column in (name, BASELINE + name))
        found[name] = over_folds(own, name)
        apart = _interval(own - linear)
        beside[name] = over_folds(linear, name) | {"difference": apart}
    return found, beside


def _config_of(run: Run, config: Config, split: Split, number: int) -> Config:
    """Return the config of the run of an outer fold."""
    data = config.data
    # A column of groups in the matrix is no gene; its folds are drawn already.
    exclude = [data.group] if data.group and not data.targets else []
    further = dict.fromkeys(("evaluate", "evaluate_targets", "predict"))
    changed = {
        "data": further | {"split": str(_split_path(run, number))}
        | {"exclude": [*data.exclude, *exclude]},
        "search": {"outer": 0, "folds": max(1, len(np.unique(split.fold[split.fold > 0])))},
        "evaluation": {"permutations": 0, "learning_curve": False},
    }  # fmt: skip
    sections = {
        name: getattr(config, name).model_copy(update=update) for name, update in changed.items()
    }
    place = {"name": f"fold_{number}", "output_dir": str(run.path(OUTER))}
    return config.model_copy(update=place | sections | {"output": Output(figures=False)})


def _split_path(run, number):
    return run.path(f"{OUTER}/fold_{number}.tsv").resolve()


def _write_split(run, dataset, split, number):
    """Write the split of an outer fold, unless another process has."""
    name = f"{OUTER}/fold_{number}.tsv"
    if not run.has(name):
        run.write_table(name, split.frame(dataset.samples))


def _is_done(session):
    """Return whether the run of an outer fold is done, and open it then."""
    run = Run(session.config.output_dir + "/" + session.config.name)
    if not run.has("environment.json") or "train" not in run.stages:
        return False
    session.run = run
    return True


def _write(run: Run, dataset: Dataset, folds: list[OuterFold]) -> None:
    """Write outer.tsv, outer_folds.tsv and outer_genes.tsv."""
    predicted, lines, shares = [], [], []
    for number, fold in enumerate(folds, 1):
        model, own = fold.session.model(), dataset.rows(fold.rows)
        frame = tables.predictions(model, own, number).rename(columns={"part": "fold"})
        predicted.append(frame.assign(place=fold.rows))
        lines.append({"fold": number, "rows": len(own)} | _line(fold.session, model, own))
        shares.append(model.importance)
    genes, overlaps = _genes(dataset.features, np.array(shares))
    table = pd.DataFrame(lines)
    table.insert(4, "overlap", overlaps)
    joined = pd.concat(predicted, ignore_index=True).sort_values("place").drop(columns="place")
    run.write_table("outer.tsv", joined)
    run.write_table("outer_genes.tsv", genes)
    run.write_table(FOLDS, table)


def _line(session, model, dataset):
    """Return the best trial of an outer fold, and the metrics of model and baseline on its rows."""
    board = session.opened().read_table("leaderboard.tsv")
    asked = board[board["family"].isin(session.config.families) & board["score"].notna()].iloc[0]
    targets = model.task.as_scored(dataset.known_targets)
    own = _metrics(model, targets, dataset)
    baseline = session.baseline()
    linear = own if baseline is None else _metrics(baseline, targets, dataset)
    values = json.loads(asked["hyperparameters"])
    return {
        "family": asked["family"], "hyperparameters": json.dumps(values), **own,
        **{BASELINE + name: value for name, value in linear.items()},
    }  # fmt: skip


def _metrics(model, targets, dataset):
    outputs = model.outputs(dataset, is_own=True)
    found = model.task.metrics(targets, outputs, weights=dataset.weights)
    return {name: float(value[0]) for name, value in found.items()}


def _genes(features, shares):
    """Return the foremost genes of the folds, and each fold's mean overlap with the others."""
    count = max(1, min(TOP, int(TOP_SHARE * len(features))))
    tops = [set(np.argsort(-own, kind="stable")[:count].tolist()) for own in shares]
    apart = np.zeros((len(tops), len(tops)))
    for one, other in itertools.permutations(range(len(tops)), 2):
        apart[one, other] = len(tops[one] & tops[other]) / count
    times = np.bincount(list(itertools.chain(*tops)), minlength=len(features))
    mean = shares.mean(axis=0)
    order = sorted(np.flatnonzero(times), key=lambda gene: (-times[gene], -mean[gene]))
    columns = {"feature": [features[gene] for gene in order], "folds": times[order]}
    return pd.DataFrame(columns | {"share": mean[order]}), apart.sum(axis=1) / (len(tops) - 1)
