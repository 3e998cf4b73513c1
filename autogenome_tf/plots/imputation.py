"""Held-out counts of each gene, imputed by a latent space and by principal components."""

from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run

# A gene far worse than its mean is drawn at the edge.
MOST = 1.5
DRAWN = 2000  # dots; more are a picture inside a drawing, which would be slow to open


class Imputation(Figure):
    """Draw how well the counts of each gene are imputed."""

    stage = "evaluate"
    files = ("imputation.tsv",)
    place = "latent"
    order = 2
    caption = (
        "A dot is a gene. Half of the molecules of each held-out sample were left out (molecular "
        "cross-validation) and imputed from the others. Deviances are those of the gene's mean "
        "times the number on the axis: below 1 its counts are predicted. Dots below the dashed "
        "line are imputed better by the latent space than by as many principal components."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return imputation.tsv."""
        return {"genes": run.read_table("imputation.tsv")}

    def draw(self, genes: pd.DataFrame) -> Drawing:
        """Draw the deviance of the latent space against that of components, a dot a gene.

        Args:
            genes: DataFrame with `molecules`, `deviance` and `pca_deviance`, such as
                imputation.tsv; or a run.

        Returns:
            A `matplotlib.figure.Figure`; values above 1.5 are drawn at 1.5.
        """
        figure, ((panel,),) = _paper.blank(4.6, 3.8)
        both = genes[["pca_deviance", "deviance"]].clip(upper=MOST).to_numpy(float)
        low = both.min(initial=1.0)
        panel.plot([low, MOST], [low, MOST], color=_paper.GREY, linestyle="--", linewidth=1)
        points = panel.scatter(
            *both.T, c=np.log10(genes["molecules"]), s=12, linewidths=0, alpha=0.7,
            rasterized=len(both) > DRAWN,
        )  # fmt: skip
        figure.colorbar(points, ax=panel, label="log10 of held-out molecules a sample")
        panel.set(xlabel="components: deviance", ylabel="latent space: deviance", aspect="equal")
        return figure
