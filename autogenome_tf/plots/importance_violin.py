"""How the contributions of the genes that matter most are distributed."""

import numpy as np

from autogenome_tf.plots import _paper
from autogenome_tf.plots._source import contributions, of_run


def _of(run, *, output=None):
    output, values, arrays = contributions(run, output)
    features, top = arrays["features"], run.config().explanation.top
    return {"values": values, "features": features, "output": output, "top": top}


@of_run(_of)
def importance_violin(values, features, *, output="", top=20):
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
    figure, ((panel,),) = _paper.genes([features[gene] for gene in order])
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
