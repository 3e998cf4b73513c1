"""How a search with shared weights went."""

import numpy as np

from autogenome_tf.plots import _paper
from autogenome_tf.plots._source import of_run

PANELS = {
    "loss": ("loss of shared weights", ("loss",)),
    "reward": ("reward", ("reward", "baseline")),
    "entropy": ("entropy of an arc, nats", ("entropy",)),
    "skip_rate": ("chance of a skip", ("skip_rate",)),
}


def _of(run):
    tables = {}
    for name in ("curves", "candidates"):
        run.require("train", f"search/enas/{name}.tsv")
        tables[name] = run.read_table(f"search/enas/{name}.tsv")
    return tables | {"objective": run.config().objective}


@of_run(_of)
def shared_search(curves, candidates, *, objective="score"):
    """Draw what an epoch measured, panel by panel, and the shared scores of the candidates.

    Args:
        curves: DataFrame, a row an epoch: `epoch`, `loss`, `reward` and, where a controller
            learns, `baseline`, `entropy`, `skip_rate`. Or a run of `search.method` enas, and
            nothing else.
        candidates: DataFrame, a row an arc: `by` (who sampled it) and `shared_score`.
        objective: What the score is, for the axis.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    shown = [name for name in PANELS if name in curves]
    figure, axes = _paper.blank(0.6 + 3.4 * (len(shown) + 1), 3.0, 1, len(shown) + 1)
    for panel, name in zip(axes.flat, shown, strict=False):
        label, names = PANELS[name]
        for color, one in zip(_paper.PALETTE, (n for n in names if n in curves), strict=False):
            panel.plot(curves["epoch"], curves[one], color=color, label=one)
        panel.set_xlabel("epoch")
        panel.set_ylabel(label)
        panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if len(names) > 1:
            panel.legend(frameon=False)
    _draw_candidates(axes.flat[len(shown)], candidates, objective)
    return figure


def _draw_candidates(panel, candidates, objective):
    """Draw for each sampler the share of its arcs up to each score."""
    for color, (by, rows) in zip(_paper.PALETTE, candidates.groupby("by"), strict=False):
        scores = np.sort(rows["shared_score"].dropna())
        shares = np.arange(1, len(scores) + 1) / max(1, len(scores))
        panel.step(scores, shares, where="post", color=color, label=by)
    panel.set_xlabel(f"{objective.replace('_', ' ')} with shared weights")
    panel.set_ylabel("share of candidates")
    panel.legend(frameon=False)
