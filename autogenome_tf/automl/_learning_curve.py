"""Learning curve: the score by number of training samples, and what twice as many would bring."""

import logging

import numpy as np
import pandas as pd
import scipy.optimize

from autogenome_tf.core.seeds import derive
from autogenome_tf.ensemble import Retraining
from autogenome_tf.run import Run
from autogenome_tf.tasks import Task
from autogenome_tf.training import Trial

log = logging.getLogger(__name__)

FRACTIONS = (0.3, 0.5, 0.7, 0.85, 1.0)
RESAMPLES = 200
# Best value of the headline metrics, which no curve may exceed.
BEST = 1.0
# Exponents c of a - b n^-c: from hardly a gain to one that ends soon.
EXPONENTS = np.linspace(0.1, 2.0, 20)
COLUMNS = ["samples", "kind", "metric", "value", "low", "high"]


def write_learning_curve(run: Run, retraining: Retraining, trial: Trial, seed: int) -> None:
    """Write learning_curve.tsv: the headline metric by number of training samples.

    Args:
        run: The run.
        retraining: Trains the trial anew.
        trial: The best trial.
        seed: The config's.
    """
    if not retraining.is_possible:
        log.info("learning curve: not computed, since it needs the rows in memory")
        return
    rows = retraining.cross_validation
    name, validated = rows.task.headlines[0], rows.validation_rows
    outputs = [found[validated] for found in retraining.of_sizes(trial, FRACTIONS)]
    count = np.mean([len(train) for train, _ in rows.splits])
    sizes = np.round(np.array(FRACTIONS) * count).astype(int)
    targets = rows.task.in_units(rows.targets[validated])
    seed, weights = derive(seed, "learning curve"), rows.weights_of(validated)
    drawn = resampled(rows.task, targets, outputs, name, seed, weights)
    frame = table(sizes, drawn, name)
    run.write_table("learning_curve.tsv", frame)
    log.info("learning curve: %s", sentence(frame))


def resampled(
    task: Task,
    targets: np.ndarray,
    outputs: list[np.ndarray],
    name: str,
    seed: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return a metric at each size, (1 + resamples, sizes); the first row is of the rows as is.

    Resamples of accuracy draw from half a row more that is predicted correctly, and half a row that
    is not (Jeffreys' prior, as in Brown, Cai and DasGupta 2001): rows without an error would leave
    no doubt.

    Args:
        task: A task that has targets.
        targets: (rows,) class positions, or (rows, targets) in original units.
        outputs: (rows, outputs) of each size; all sizes are scored on the same resamples.
        name: Name of the metric.
        seed: Of the resampling.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    count = len(targets)
    random = np.random.default_rng(seed)
    index = random.integers(0, count, (RESAMPLES, count))
    index = np.vstack([np.arange(count), index])
    scores = [task.metric(name, targets, own, index, weights) for own in outputs]
    drawn = np.stack(scores, axis=1)
    if name == "accuracy":
        shares = np.array([count, 0.5, 0.5]) / (count + 1)
        own, right, _ = random.multinomial(count, shares, RESAMPLES).T[..., None] / count
        drawn[1:] = own * drawn[1:] + right
    return drawn


def table(sizes: np.ndarray, drawn: np.ndarray, name: str) -> pd.DataFrame:
    """Return the rows of learning_curve.tsv: measured sizes, then the curve up to twice as many.

    Args:
        sizes: (sizes,) numbers of training samples, increasing.
        drawn: As `resampled` returns them.
        name: Name of the metric.
    """
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    asked = np.unique(np.round(np.geomspace(sizes[0], 2 * sizes[-1], 20)).astype(int))
    asked[-1] = 2 * sizes[-1]
    fitted = np.stack([fit(sizes, line, asked) for line in drawn])
    known = [_line(n, "measured", name, drawn[:, place]) for place, n in enumerate(sizes)]
    curve = [_line(n, "fitted", name, fitted[:, place]) for place, n in enumerate(asked)]
    return pd.DataFrame([*known, *curve], columns=COLUMNS)


def fit(sizes: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Fit a - b n^-c with a at most 1 and b at least 0 by least squares; return other values.

    What is missing to 1 is a sum of two parts of at least 0: one stays, one becomes less.

    Args:
        sizes: (sizes,) numbers of training samples.
        values: (sizes,) scores.
        asked: (n,) sizes to predict at.
    """
    best, found = np.inf, np.full(len(asked), np.nan)
    for exponent in EXPONENTS:
        design = np.stack([np.ones(len(sizes)), (sizes / sizes[-1]) ** -exponent], axis=1)
        (stays, falls), error = scipy.optimize.nnls(design, BEST - values)
        if error < best:
            best = error
            found = BEST - stays - falls * (asked / sizes[-1]) ** -exponent
    return found


def sentence(frame: pd.DataFrame) -> str:
    """Describe the expected score with twice the training samples in one sentence.

    Args:
        frame: Rows of learning_curve.tsv.
    """
    now = frame[frame["kind"] == "measured"].iloc[-1]
    twice = frame[frame["kind"] == "fitted"].iloc[-1]
    return (
        f"with {twice['samples']} training samples in place of {now['samples']}, "
        f"{now['metric']} would change from {now['value']:.3f} to about {twice['value']:.3f} "
        f"(95 % band {twice['low']:.3f} to {twice['high']:.3f})"
    )


def _line(samples, kind, name, drawn):
    """Return a line of the table: the value of the rows as they are, the interval of resamples."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return [int(samples), kind, name, drawn[0], low, high]
