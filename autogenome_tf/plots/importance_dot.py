"""Beeswarm of the contributions of the top genes to one output, a dot per row."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import by_output, contributions
from autogenome_tf.run import Run

# Dots of a gene are spread over this part of its line, where many have the same value.
SPREAD, BINS = 0.8, 60
MOST_DRAWN = 500  # dots; more are a picture inside a drawing, which would be slow to open


class ImportanceDot(Figure):
    """Draw the contributions to one output of a run, row by row."""

    stage = "explain"
    files = ("attributions.npz",)
    place = "output"
    order = 5
    caption = (
        "A dot is a sample, red where the gene's value is high and blue where it is low. Right of "
        "0 the gene raises this output, left of 0 it lowers it. Look for genes whose red and blue "
        "dots lie on different sides of 0."
    )

    def read(self, run: Run, *, output: str | None = None) -> dict[str, Any]:
        """Return contributions to one output, with the values of the genes."""
        output, values, arrays = contributions(run, output)
        rows = {"values": values, "data": arrays["data"], "features": arrays["features"]}
        return rows | {"output": output, "top": run.config().explanation.top}

    def variants(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return a drawing for each output that has a name of its own."""
        # Latent units are many, and without names that anybody would look for.
        return by_output(self.name, run) if run.config().task.kind.has_targets else {}

    def draw(
        self,
        values: np.ndarray,
        data: np.ndarray,
        features: Sequence[str],
        *,
        output: str = "",
        top: int = 20,
    ) -> Drawing:
        """Draw a dot for each row and gene, coloured by the gene's value in that row (a beeswarm).

        Args:
            values: (rows, genes) contributions to one output; or a run, and nothing but options.
            data: (rows, genes) raw values.
            features: Gene names.
            output: Name of the class or target.
            top: How many genes.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        order = _paper.foremost(values, top)
        figure, ((panel,),) = _paper.genes(np.asarray(features, object)[order], legend=12)
        style = {"s": 9, "linewidths": 0, "rasterized": values.shape[0] * len(order) > MOST_DRAWN}
        panel.axvline(0, color=_paper.GREY, linewidth=0.8)
        for line, gene in enumerate(order):
            x, color = values[:, gene], _places(data[:, gene])
            dots = panel.scatter(
                x, line + _swarm(x), c=color, cmap="coolwarm", vmin=0, vmax=1, **style
            )
        panel.set_xlabel("contribution" + (f" to {_paper.label(output)}" if output else ""))
        bar = figure.colorbar(dots, ax=panel, ticks=[0, 1], aspect=30)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("value of the gene")
        return figure


def _places(column):
    """Return each value's place among the others, 0 to 1; one half where all are alike."""
    finite = np.nan_to_num(np.asarray(column, float), nan=np.nanmin(column))
    known, ranks = np.unique(finite, return_inverse=True)
    return ranks / (len(known) - 1) if len(known) > 1 else np.full(len(column), 0.5)


def _swarm(x):
    """Return heights around 0 that keep dots of nearly the same value apart."""
    bins = np.round(BINS * (x - x.min()) / max(np.ptp(x), 1e-12))
    heights = np.zeros(len(x))
    for one in np.unique(bins):
        inside = np.flatnonzero(bins == one)
        places = (np.arange(len(inside)) + 1) // 2 * np.where(np.arange(len(inside)) % 2, 1, -1)
        heights[inside] = places
    return heights / max(1, np.abs(heights).max()) * SPREAD / 2
