"""Which genes matter most over all outputs together."""

from autogenome_tf.plots import _paper
from autogenome_tf.plots._source import of_run

# More outputs are drawn as one, so that colours can be told apart.
MOST_COLORS = len(_paper.PALETTE)


def _of(run):
    run.require("explain", "attributions.tsv")
    return {"table": run.read_table("attributions.tsv"), "top": run.config().explanation.top}


@of_run(_of)
def importance_total(table, *, top=20):
    """Draw mean absolute contributions stacked over outputs, the largest total on top.

    Args:
        table: Frame of attributions.tsv: feature, rank, total, then a column an output; or a run.
        top: How many genes.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    shown = table.sort_values("rank").head(top)[::-1]
    outputs = shown.drop(columns=["feature", "rank", "total"]).rename(columns=_paper.label)
    largest = outputs.sum().sort_values(ascending=False, kind="stable").index
    stacked = outputs[largest[:MOST_COLORS]].copy()
    if len(largest) > MOST_COLORS:
        others = largest[MOST_COLORS - 1 :]
        stacked = outputs[largest[: MOST_COLORS - 1]].copy()
        stacked[f"{len(others)} others"] = outputs[others].sum(axis=1)
    figure, ((panel,),) = _paper.genes(shown["feature"], legend=max(map(len, stacked), default=0))
    left = 0.0
    is_cut = len(largest) > MOST_COLORS
    colors = [*_paper.PALETTE[: MOST_COLORS - is_cut], _paper.GREY]
    for color, name in zip(colors, stacked, strict=False):
        panel.barh(range(len(shown)), stacked[name], left=left, color=color, label=name)
        left = left + stacked[name].to_numpy()
    panel.set_xlabel("sum over outputs of mean |contribution|")
    figure.legend(loc="outside right upper", frameon=False)
    return figure
