"""Brier score of predicted survival over time."""

from typing import Any

import numpy as np

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._survival import scored_rows
from autogenome_tf.run import Run


class BrierCurve(Figure):
    """Draw the error of predicted survival over time beside that of the Kaplan-Meier estimate."""

    stage = "predict"
    files = ("predictions.tsv", "validation.npz")
    of_tasks = "has_times"
    place = "predictions"
    order = 2
    caption = (
        "Mean squared error of the predicted probability of no event, on samples that no network "
        "has learned from. Look for a line below that of the Kaplan-Meier estimate, which "
        "predicts the same for all samples; 0.25 is the error of always predicting one half."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return the Brier scores of model and Kaplan-Meier estimate over time."""
        _, targets, outputs, task = scored_rows(run)
        rows = task.rows(targets, outputs)
        times = rows.grid
        known = np.tile(task.curves.without_genes(times), (len(targets), 1))
        model = rows.brier_curve(task.survival(outputs, times), times)[0]
        return {
            "times": times, "model": model, "kaplan_meier": rows.brier_curve(known, times)[0],
            "time": task.targets[0],
        }  # fmt: skip

    def draw(
        self, times: np.ndarray, model: np.ndarray, kaplan_meier: np.ndarray, *, time: str = "time"
    ) -> Drawing:
        """Draw two lines of errors.

        Args:
            times: (times,) times; or a run.
            model: (times,) Brier scores.
            kaplan_meier: (times,) those of the Kaplan-Meier estimate.
            time: Name of the time.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        figure, ((panel,),) = _paper.blank(5.2, 3.4)
        panel.plot(times, model, color=_paper.PALETTE[0], label="model", linewidth=1.6)
        panel.plot(
            times, kaplan_meier, color=_paper.GREY, linestyle="--", label="Kaplan-Meier estimate"
        )
        panel.set(xlabel=_paper.label(time), ylabel="Brier score")
        panel.set_ylim(0, None)
        panel.legend(frameon=False)
        return figure
