"""Which genes matter most for one output."""

import numpy as np
import pandas as pd

from autogenome_tf.plots import _paper
from autogenome_tf.plots._source import contributions, of_run


def _of(run, *, output=None):
    output, values, arrays = contributions(run, output)
    means = pd.Series(np.abs(values).mean(axis=0), arrays["features"])
    return {"means": means, "output": output, "top": run.config().explanation.top}


@of_run(_of)
def importance_bar(means, *, output="", top=20):
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
