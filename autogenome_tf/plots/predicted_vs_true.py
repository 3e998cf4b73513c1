"""Predictions of a regression against its targets."""

from typing import Any

import pandas as pd

from autogenome_tf.core.errors import unknown
from autogenome_tf.core.files import safe_names
from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

PARTS = ("train", "validation", "test")  # drawn in this order: unseen rows on top
MOST_DRAWN = 2000  # points; more are embedded as a picture, or the PDF takes minutes to open
MARGIN = 0.04


class PredictedVsTrue(Figure):
    """Draw the predictions of a run against the targets, a drawing a target."""

    stage = "predict"
    files = ("predictions.tsv",)
    of_tasks = "has_units"
    place = "predictions"
    order = 4
    caption = (
        "A point is a sample; on the dashed line the prediction equals the true value. Look for "
        "test points far from the line, and for a cloud flatter than the line: extreme values are "
        "then predicted too close to the mean."
    )

    def read(self, run: Run, *, target: str | None = None) -> dict[str, Any]:
        """Return the predictions of one target; the only one where None."""
        frame, names = run.predictions(), run.model_names()["targets"]
        target = names[0] if target is None and len(names) == 1 else target
        if target not in names:
            raise unknown(f"{run.folder}: target", target, names)
        end = "" if len(names) == 1 else f"_{target}"
        columns = {f"target{end}": "target", f"prediction{end}": "prediction"}
        predictions = frame[["sample", "part", *columns]].rename(columns=columns)
        predictions["prediction"] = predictions["prediction"].astype(float)
        return {"predictions": predictions, "target": target}

    def variants(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return a drawing for each target."""
        targets = run.model_names()["targets"]
        safe = safe_names(targets)
        return {
            f"{self.name}_{end}": {"target": target}
            for end, target in zip(safe, targets, strict=True)
        }

    def draw(self, predictions: pd.DataFrame, *, target: str = "") -> Drawing:
        """Draw predictions against targets, one mark a sample, by part.

        Args:
            predictions: DataFrame with `part`, `target` and `prediction`, such as predictions.tsv;
                rows without a target are left out. Or a run.
            target: Its name; needed of a run that has several.

        Returns:
            A `matplotlib.figure.Figure`; on the diagonal a prediction equals its target.
        """
        known = predictions.dropna(subset=["target", "prediction"])
        figure, ((panel,),) = _paper.blank(6.2, 4.2)
        _draw_diagonal(panel, known[["target", "prediction"]].to_numpy(float))
        looks = _paper.marks([*PARTS, *known["part"].unique()])
        for part, look in looks.items():
            rows = known[known["part"] == part]
            if len(rows):
                _draw_part(panel, rows, f"{part} (n = {len(rows)})", look)
        name = f" {_paper.label(target)}" if target else ""
        panel.set_xlabel(f"true{name}")
        panel.set_ylabel(f"predicted{name}")
        figure.legend(loc="outside right upper", frameon=False)
        return figure


def _draw_part(panel, rows, label, look):
    style = {"s": 18, "alpha": 0.6, "linewidths": 0, "rasterized": len(rows) > MOST_DRAWN}
    panel.scatter(rows["target"], rows["prediction"], label=label, **style, **look)


def _draw_diagonal(panel, values):
    """Draw where both are equal, and give both axes the same limits."""
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    margin = MARGIN * (high - low) or 1.0
    limits = (low - margin, high + margin)
    panel.axline((low, low), slope=1, color=_paper.GREY, linestyle="--", linewidth=1, zorder=1)
    panel.set(xlim=limits, ylim=limits, aspect="equal")
