"""Losses and metrics of the final fit, epoch by epoch."""

import math
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

HELD_OUT = "validation_"
NOT_MEASURES = ("epoch", "seconds", "trial")
MOST_COLUMNS = 3  # panels side by side


class LearningCurves(Figure):
    """Draw the history of a run's final fit."""

    stage = "train"
    files = ("history.tsv",)
    place = "search"
    order = 2
    caption = (
        "Each epoch of the final fit. Look for a validation loss that falls and levels off: where "
        "it rises while the training loss still falls, the network overfits. Without held-out "
        "samples only the training loss is drawn."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return history.tsv."""
        return {"history": run.read_table("history.tsv")}

    def draw(self, history: pd.DataFrame) -> Drawing:
        """Draw a panel a measure, training against validation, and the learning rate.

        Args:
            history: DataFrame, a row an epoch: `epoch`, `loss`, further measures, each with or
                without its `validation_` twin, and perhaps `learning_rate`; NaN where not measured.
                With a column `trial`, each trial has lines of its own. Or a run.

        Returns:
            A `matplotlib.figure.Figure`; a dashed line marks the epoch of the lowest validation
            loss, where there is one fit.
        """
        names = _measures(history)
        rows = math.ceil(len(names) / MOST_COLUMNS)
        columns = math.ceil(len(names) / rows)
        figure, axes = _paper.blank(0.6 + 3.6 * columns, 3.0 * rows, rows, columns)
        for panel, name in zip(axes.flat, names, strict=False):
            _draw(panel, history, name)
            _mark_best(panel, history)
        for panel in axes.flat[len(names) :]:
            panel.remove()
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
        return figure


def _measures(history):
    """Return the names without their prefix, the learning rate last."""
    known = [name for name in history if history[name].notna().any()]
    measured = [name for name in known if name not in NOT_MEASURES]
    names = dict.fromkeys(name.removeprefix(HELD_OUT) for name in measured)
    return sorted(names, key=lambda name: name == "learning_rate")


def _draw(panel, history, name):
    if name == "learning_rate":
        panel.set_yscale("log")
        _line(panel, history, name, color=_paper.GREY)
    else:
        _line(panel, history, name, color=_paper.PALETTE[0], label="training")
        _line(panel, history, HELD_OUT + name, color=_paper.PALETTE[1], label="validation")
    panel.set_xlabel("epoch")
    panel.set_ylabel(name.replace("_", " "))
    panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def _line(panel, history, name, **style):
    if name not in history or history[name].isna().all():
        return
    known = history.dropna(subset=[name])
    trials = known["trial"] if "trial" in known else np.zeros(len(known))
    for _, measured in known.groupby(trials):
        # A line through one point is invisible.
        marker = "o" if len(measured) == 1 else None
        panel.plot(measured["epoch"], measured[name], marker=marker, **style)
        style["label"] = None


def _mark_best(panel, history):
    loss = history.get(HELD_OUT + "loss")
    if loss is None or loss.isna().all() or "trial" in history:
        return
    best = history["epoch"].to_numpy()[np.nanargmin(loss)]
    panel.axvline(best, color=_paper.GREY, linestyle="--", linewidth=1, label="best epoch")
