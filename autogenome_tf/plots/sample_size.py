"""Score by number of training samples, with the fitted curve up to twice as many."""

from typing import Any

import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.run import Run


class SampleSize(Figure):
    """Draw the learning curve of a run over numbers of training samples."""

    stage = "evaluate"
    files = ("learning_curve.tsv",)
    place = "scores"
    order = 50
    caption = (
        "The validation score of the best trial, trained on parts of the training samples, with "
        "95\u00a0% intervals; the line is fitted and continued to twice the samples, with its "
        "95\u00a0% band. A level end means that more samples of this kind would gain little."
    )

    def read(self, run: Run) -> dict[str, Any]:
        """Return the table of the learning curve."""
        return {"curve": run.read_table("learning_curve.tsv")}

    def draw(self, curve: pd.DataFrame) -> Drawing:
        """Draw measured scores with intervals, and the fitted line with its band.

        Args:
            curve: DataFrame of learning_curve.tsv: `samples`, `kind` ("measured" or "fitted"),
                `metric`, `value`, `low`, `high`. Or a run.

        Returns:
            A `matplotlib.figure.Figure`.
        """
        figure, ((panel,),) = _paper.blank(5.5, 3.8)
        fitted, known = (curve[curve["kind"] == kind] for kind in ("fitted", "measured"))
        panel.fill_between(
            fitted["samples"], fitted["low"], fitted["high"], color=_paper.GREY, alpha=0.2
        )
        panel.plot(fitted["samples"], fitted["value"], color=_paper.GREY, label="fitted")
        ends = [known["value"] - known["low"], known["high"] - known["value"]]
        bars = [end.clip(lower=0) for end in ends]
        panel.errorbar(known["samples"], known["value"], bars, fmt="o", label="measured")
        end = fitted.iloc[-1]
        panel.set_title(
            f"with {end['samples']} training samples about {end['value']:.3f} "
            f"({end['low']:.3f} to {end['high']:.3f})",
            fontsize="medium",
        )
        panel.set_xlabel("training samples")
        panel.set_ylabel(str(known["metric"].iloc[0]).replace("_", " "))
        figure.legend(loc="outside lower center", frameon=False, ncols=2)
        return figure
