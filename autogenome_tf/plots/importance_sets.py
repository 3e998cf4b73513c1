"""Which gene sets matter, beside what wiring and chance give them."""

from autogenome_tf.plots import _paper
from autogenome_tf.plots._source import of_run

CONTROLS = {
    "other_genes": ("the same sizes, other genes", "s"),
    "other_labels": ("shuffled targets", "x"),
}


def _of(run, *, level="sets"):
    run.require("explain", "sets.tsv")
    table = run.read_table("sets.tsv")
    return {"table": table[table["level"] == level], "top": run.config().explanation.top}


@of_run(_of)
def importance_sets(table, *, top=20):
    """Draw each set's share of importance with its controls, the most convincing on top.

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
