"""Sizes of networks against their scores with shared weights."""

from typing import Any

import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

FOLDER = "search/enas"


class SizeFront(Figure):
    """Draw size against score for the candidates of a run's search with shared weights."""

    stage = "train"
    files = (f"{FOLDER}/candidates.tsv", f"{FOLDER}/front.tsv")
    place = "search"
    order = 4
    caption = (
        "The candidates of the search with shared weights: number of parameters and score of each. "
        "The line joins those that no smaller one scores better than. Look for where it gets "
        "level: a network of that size is enough, which matters on small machines."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return candidates and front."""
        tables = {file: run.read_table(file) for file in self.files}
        candidates, front = tables.values()
        return {"candidates": candidates, "front": front, "objective": run.config().objective}

    def draw(
        self, candidates: pd.DataFrame, front: pd.DataFrame, *, objective: str = "score"
    ) -> Drawing:
        """Draw a point a candidate, and a step line through the front.

        Args:
            candidates: DataFrame, a row a candidate: `by` (who proposed it), `parameters`,
                `shared_score`. Or a run of `search.method` enas, and nothing else.
            front: The rows that no smaller candidate scores better than, the smallest first.
            objective: Name of the score, for the axis.

        Returns:
            A `matplotlib.figure.Figure`; the axis of parameters is logarithmic.
        """
        figure, ((panel,),) = _paper.blank(5.0, 3.4)
        looks = _paper.marks(candidates["by"])
        for by, rows in candidates.groupby("by"):
            panel.scatter(rows["parameters"], rows["shared_score"], s=14, label=by, **looks[by])
        panel.step(
            front["parameters"], front["shared_score"], where="post", color="black", label="front"
        )
        panel.set_xscale("log")
        panel.set_xlabel("parameters")
        panel.set_ylabel(f"{objective.replace('_', ' ')} with shared weights")
        panel.legend(frameon=False)
        return figure
