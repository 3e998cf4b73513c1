"""Importance of gene sets beside both controls: other genes, and shuffled targets."""

from typing import Any

import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

CONTROLS = {
    "other_genes": ("the same sizes, other genes", "s"),
    "other_labels": ("shuffled targets", "x"),
}


class ImportanceSets(Figure):
    """Draw the importance of the gene sets of a run, one drawing per level."""

    stage = "explain"
    files = ("sets.tsv",)
    place = "level"
    order = 2
    caption = (
        "The share of importance of each gene set, mean ± sd over networks, beside its share in "
        "both controls. Look for sets that lie clearly right of both."
    )

    def read(self, run: Run, *, level: str = "sets") -> dict[str, Any]:
        """Return the rows of sets.tsv of one level."""
        table = run.read_table("sets.tsv")
        return {"table": table[table["level"] == level], "top": run.config().explanation.top}

    def variants(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return a drawing for each level."""
        levels = run.read_table("sets.tsv")["level"].unique()
        return {f"importance_{level}": {"level": level} for level in levels}

    def draw(self, table: pd.DataFrame, *, top: int = 20) -> Drawing:
        """Draw each set's share of importance with its controls, the clearest on top.

        Args:
            table: Frame as sets.tsv, of one level; or a run.
            top: How many sets.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        shown = table.sort_values("rank", kind="stable").head(top)[::-1]
        lines = range(len(shown))
        longest = max(len(text) for text, _ in CONTROLS.values())
        figure, ((panel,),) = _paper.genes(shown["set"], legend=longest)
        panel.errorbar(
            shown["share"], lines, xerr=shown["sd"], fmt="o", color=_paper.PALETTE[0], capsize=2,
            label="mean ± sd of networks",
        )  # fmt: skip
        for column, (text, marker) in CONTROLS.items():
            panel.scatter(shown[column], lines, marker=marker, color=_paper.GREY, s=18, label=text)
        panel.set_xlim(left=0)
        panel.set_xlabel("share of the mean |contribution| of all sets")
        figure.legend(loc="outside right upper", frameon=False)
        return figure
