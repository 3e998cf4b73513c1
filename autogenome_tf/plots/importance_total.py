"""Bars of the genes that contribute most to all outputs together."""

from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import attributions
from autogenome_tf.run import Run

# More outputs are drawn as one, so that colours can be told apart.
MOST_COLORS = len(_paper.PALETTE)


class ImportanceTotal(Figure):
    """Draw mean absolute contributions of a run, stacked over outputs."""

    stage = "explain"
    files = ("attributions.npz",)
    place = "genes"
    order = 1
    caption = (
        "The most important genes; with several outputs, colours are the parts of each output. "
        "Look for where the bars drop: few long bars mean that few genes carry the prediction."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return mean absolute contributions as attributions.tsv has them."""
        arrays = attributions(run)
        means = np.abs(arrays["values"]).mean(axis=0)
        names = [str(name) for name in arrays["outputs"]]
        table = pd.DataFrame(np.c_[means.sum(axis=1), means], columns=["total", *names])
        table.insert(0, "rank", (-means.sum(axis=1)).argsort(kind="stable").argsort() + 1, True)
        table.insert(0, "feature", arrays["features"], True)
        return {"table": table, "top": run.config().explanation.top}

    def draw(self, table: pd.DataFrame, *, top: int = 20) -> Drawing:
        """Draw mean absolute contributions stacked over outputs, the largest total on top.

        Args:
            table: Frame as attributions.tsv: feature, rank, total, then a column an output; or a
                run.
            top: How many genes.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        # By position: outputs may be called as the columns before them are.
        shown = table.iloc[np.argsort(table.iloc[:, 1].to_numpy(), kind="stable")[:top][::-1]]
        names, values = list(shown.columns[3:]), shown.iloc[:, 3:].to_numpy(float)
        order = np.argsort(-values.sum(axis=0), kind="stable")
        single, others = order, order[:0]
        if len(order) > MOST_COLORS:
            single, others = order[: MOST_COLORS - 1], order[MOST_COLORS - 1 :]
        parts = [(_paper.label(names[place]), values[:, place]) for place in single]
        colors: list[str] = list(_paper.PALETTE[: len(parts)])
        if len(others):
            parts.append((f"{len(others)} others", values[:, others].sum(axis=1)))
            colors.append(_paper.GREY)
        longest = max((len(name) for name, _ in parts), default=0)
        figure, ((panel,),) = _paper.genes(shown.iloc[:, 0], legend=longest)
        left, bars = np.zeros(len(shown)), []
        for color, (name, widths) in zip(colors, parts, strict=True):
            bars.append(panel.barh(range(len(shown)), widths, left=left, color=color, label=name))
            left = left + widths
        panel.set_xlabel("sum over outputs of mean |contribution|")
        figure.legend(bars, [name for name, _ in parts], loc="outside right upper", frameon=False)
        return figure
