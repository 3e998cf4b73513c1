"""Violins of the contributions of the foremost genes to one output."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._source import by_output, contributions
from autogenome_tf.run import Run


class ImportanceViolin(Figure):
    """Draw the distributions of contributions to one output of a run."""

    stage = "explain"
    files = ("attributions.npz",)
    order = 6

    def read(self, run: Run, *, output: str | None = None) -> dict[str, Any]:
        """Return contributions to one output."""
        output, values, arrays = contributions(run, output)
        features, top = arrays["features"], run.config().explanation.top
        return {"values": values, "features": features, "output": output, "top": top}

    def variants(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return a drawing for each output that has a name of its own."""
        # Latent units are many, and without names that anybody would look for.
        return by_output(self.name, run) if run.config().task.kind.has_targets else {}

    def draw(
        self, values: np.ndarray, features: Sequence[str], *, output: str = "", top: int = 20
    ) -> Drawing:
        """Draw a violin of contributions over rows for each gene.

        Args:
            values: (rows, genes) contributions to one output; or a run, and nothing but options.
            features: Gene names.
            output: Name of the class or target.
            top: How many genes.

        Returns:
            A `matplotlib.figure.Figure`; a gene of equal contributions in all rows is a line.
        """
        order = _paper.foremost(values, top)
        figure, ((panel,),) = _paper.genes(np.asarray(features, object)[order])
        panel.axvline(0, color=_paper.GREY, linewidth=0.8)
        for line, gene in enumerate(order):
            column = values[:, gene]
            if np.ptp(column) > 0:
                body = panel.violinplot(column, [line], orientation="horizontal", widths=0.9)
                for part in (*body["bodies"], *(body[name] for name in body if name != "bodies")):
                    part.set_color(_paper.PALETTE[0])
            else:
                panel.plot([column[0]] * 2, [line - 0.3, line + 0.3], color=_paper.PALETTE[0])
        panel.set_xlabel("contribution" + (f" to {_paper.label(output)}" if output else ""))
        return figure
