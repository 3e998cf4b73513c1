"""Bars of the genes that contribute most to one output."""

from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import by_output, contributions
from autogenome_tf.run import Run


class ImportanceBar(Figure):
    """Draw mean absolute contributions to one output of a run."""

    stage = "explain"
    files = ("attributions.npz",)
    order = 4

    def read(self, run: Run, *, output: str | None = None) -> dict[str, Any]:
        """Return mean absolute contributions to one output."""
        output, values, arrays = contributions(run, output)
        means = pd.Series(np.abs(values).mean(axis=0), arrays["features"])
        return {"means": means, "output": output, "top": run.config().explanation.top}

    def variants(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return a drawing for each output."""
        return by_output(self.name, run)

    def draw(self, means: pd.Series, *, output: str = "", top: int = 20) -> Drawing:
        """Draw mean absolute contributions as bars, the largest on top.

        Args:
            means: Series of gene name to mean absolute contribution; or a run.
            output: Name of the class or target.
            top: How many genes.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        shown = means.sort_values(ascending=False, kind="stable").head(top)[::-1]
        figure, ((panel,),) = _paper.genes(shown.index)
        panel.barh(range(len(shown)), shown, color=_paper.PALETTE[0])
        panel.set_xlabel("mean |contribution|" + (f" to {_paper.label(output)}" if output else ""))
        return figure
