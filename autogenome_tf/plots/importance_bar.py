"""Which genes matter most for one output."""

from autogenome_tf.plots import _paper


def importance_bar(means, *, output="", top=20):
    """Draw mean absolute contributions as bars, the largest on top.

    Args:
        means: Series of gene name to mean absolute contribution.
        output: Name of the class or target.
        top: How many genes.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    shown = means.sort_values(ascending=False, kind="stable").head(top)[::-1]
    figure, ((panel,),) = _paper.genes(shown.index)
    panel.barh(range(len(shown)), shown, color=_paper.PALETTE[0])
    panel.set_xlabel("mean |contribution|" + (f" to {output}" if output else ""))
    return figure
