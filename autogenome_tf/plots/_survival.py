"""Survival of a run's unseen rows: log-risks, curves, groups of equal size by risk."""

from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from autogenome_tf.plots._source import unseen
from autogenome_tf.run import Run
from autogenome_tf.tasks import TimeToEvent, task_from_names
from autogenome_tf.tasks.hazards import Baseline

THIRDS = ("low risk", "middle risk", "high risk")


def scored_rows(run: Run) -> tuple[str, np.ndarray, np.ndarray, TimeToEvent]:
    """Return the rows that no network has learned from.

    Args:
        run: A run of task.type survival, its predict stage done.

    Returns:
        The name of their part, targets (rows, 2) time and event, outputs (rows, outputs), and the
        task.
    """
    task: Any = task_from_names(run.model_names())
    part, frame = unseen(run)
    return part, *_known(frame, task), task


def validation_rows(run: Run) -> tuple[np.ndarray, np.ndarray, TimeToEvent]:
    """Return targets and risks (rows,) of the rows that validated, and the task.

    Args:
        run: A run of task.type survival, its predict stage done.
    """
    task: Any = task_from_names(run.model_names())
    validation, frame = run.read_arrays("validation.npz"), run.predictions()
    own = frame[~frame["part"].isin(["evaluate", "predict"])].set_index("sample")
    targets, _ = _known(own.loc[validation["samples"]], task)
    return targets, task.risks(validation["outputs"]), task


def _known(frame: pd.DataFrame, task: TimeToEvent):
    columns = [f"target_{name}" for name in task.targets]
    return frame[columns].to_numpy(float), task.outputs_of(frame)


def thirds(risks: np.ndarray) -> np.ndarray:
    """Return the third of each row by its log-risk, 0 to 2.

    Args:
        risks: (rows,) log-risks.
    """
    ranks = scipy.stats.rankdata(risks, method="ordinal") - 1
    return (len(THIRDS) * ranks // len(risks)).astype(int)


def kaplan_meier(targets: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the Kaplan-Meier estimate of some rows at some times.

    Args:
        targets: (rows, 2) time and event.
        times: (times,) times.
    """
    return Baseline.of(targets, np.zeros(len(targets))).without_genes(times)


def log_rank(targets: np.ndarray, groups: np.ndarray) -> float:
    """Return the p-value of the log-rank test of equal hazards in all groups.

    Args:
        targets: (rows, 2) time and event.
        groups: (rows,) numbers of groups.
    """
    times, events = targets.T
    own = np.unique(times[events > 0])
    names = np.unique(groups)
    is_of = groups[:, None] == names
    at_risk = (times[:, None] >= own).astype(float).T @ is_of
    deaths = ((times[:, None] == own) & (events[:, None] > 0)).astype(float).T @ is_of
    all_risk, all_deaths = at_risk.sum(1, keepdims=True), deaths.sum(1, keepdims=True)
    shares = at_risk / all_risk
    excess = (deaths - all_deaths * shares).sum(0)
    factor = all_deaths * (all_risk - all_deaths) / np.maximum(all_risk - 1, 1)
    variance = np.diag((factor * shares).sum(0)) - (factor * shares).T @ shares
    statistic = excess[:-1] @ np.linalg.pinv(variance[:-1, :-1]) @ excess[:-1]
    return float(scipy.stats.chi2.sf(statistic, len(names) - 1))
