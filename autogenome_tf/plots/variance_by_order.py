"""Shares of a model's variance by the order of epistasis."""

from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

MOST_ORDERS = 10
WIDTH = 0.8  # of the bars of one order together


class VarianceByOrder(Figure):
    """Draw the shares of variance by the order of terms of a run."""

    stage = "explain"
    files = ("epistasis_orders.tsv",)
    place = "epistasis"
    order = 3
    caption = (
        "The share of the variance of each order: order 1 is the sum of single sites, order 2 "
        "interactions of two sites, and so on. Look for the share above order 1."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return epistasis_orders.tsv."""
        return {"orders": run.read_table("epistasis_orders.tsv")}

    def draw(self, orders: pd.DataFrame) -> Drawing:
        """Draw the share that terms of each order have in a model's variance over all genotypes.

        Args:
            orders: Frame as epistasis_orders.tsv: output, order, share; or a run that was explained
                by the method "epistasis".

        Returns:
            A `matplotlib.figure.Figure`: bars of orders 1 to 10 at most, side by side for outputs.
        """
        shown = orders[orders["order"] <= MOST_ORDERS]
        outputs = shown["output"].unique()
        longest = max(map(len, map(_paper.label, outputs))) if len(outputs) > 1 else 0
        figure, ((panel,),) = _paper.blank(4.5 + _paper.LETTER * longest, 3.0)
        width = WIDTH / len(outputs)
        for place, output in enumerate(outputs):
            own = shown[shown["output"] == output]
            left = own["order"] + (place - (len(outputs) - 1) / 2) * width
            color = _paper.PALETTE[place % len(_paper.PALETTE)]
            panel.bar(left, own["share"], width, color=color, label=_paper.label(output))
        panel.set_xticks(np.unique(shown["order"]))
        panel.set_xlabel("order (sites that act together)")
        panel.set_ylabel("share of the model's variance")
        if len(outputs) > 1:
            figure.legend(loc="outside right upper", frameon=False)
        return figure
