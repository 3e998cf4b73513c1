"""Importance of genes, in total and for each output."""

import numpy as np
import pandas as pd

from autogenome_tf import plots
from autogenome_tf.core.files import on_a_line
from autogenome_tf.core.open_sets import declared
from autogenome_tf.report._model import gene_powers, is_convex
from autogenome_tf.report._page import Beside, Heading, Part, Section, Table, number, pictures
from autogenome_tf.run import Run

# Of the correlation between a gene's value and its contribution.
CLEAR = 0.3
MOST_PAIRS = MOST_TERMS = 10
# Outputs that have pictures and tables of their own: latent units are many.
MOST_UNITS = 4


def section(run: Run) -> Section | None:
    """Return total importance, then a figure and a table for each class or target."""
    if not run.has("attributions.npz"):
        return None
    arrays, config = plots.attributions(run), run.config()
    top, kind = config.explanation.top, config.task.kind
    explainer = declared("explainers").get(str(arrays["method"]), {})
    against = explainer.get("compared_with", "a background")
    text = (
        f"The contribution of each gene to {kind.explained}, in {len(arrays['samples'])} samples, "
        f"by the method {arrays['method']}, compared with {against}. Genes are ranked by the mean "
        "absolute contribution. A contribution shows what the model uses, which need not be a "
        "cause: among co-expressed genes the model may use any."
    )
    parts: list[Part] = [
        text,
        *_weighed(run),
        Beside([*pictures(run, "genes"), *_stable(run, top)]),
    ]
    if not run.has("stability.tsv"):
        parts.append(
            "Set explanation.repeats above 1 to see here how stable the ranks are over networks."
            if config.explanation.repeats == 1
            else "The ranks are the same in every network: the loss has a single minimum."
            if is_convex(run)
            else "Other networks were not compared; log.txt gives the reason."
        )
    names = [str(name) for name in arrays["outputs"]]
    shown = names if kind.has_targets else names[:MOST_UNITS]
    for output in shown:
        parts += [Heading(output), _of(run, output, arrays)]
    if len(shown) < len(names):
        parts.append(f"attributions.tsv has the other {len(names) - len(shown)} units.")
    return Section("genes", "Genes", [*parts, *_pairs(run, len(names)), *_epistasis(run)])


def _weighed(run):
    """Return how to read ranks where genes were weighed by their own association with targets."""
    powers = gene_powers(run)
    if not powers:
        return []
    values = " and ".join(f"{power:g}" for power in powers)
    return [
        f"Networks of this model were trained with gene power ({values}): each gene was weighed by "
        "how closely it alone is associated with the targets in the training samples. The ranking "
        "favours such genes. A gene that acts only together with others ranks lower than its "
        "effect, and a high rank does not confirm a test of single genes on the same samples."
    ]


def _of(run, output, arrays):
    directions = run.config().task.kind.directions
    place = [str(name) for name in arrays["outputs"]].index(output)
    means = np.abs(arrays["values"][:, :, place]).mean(axis=0)
    means = dict(zip(map(str, arrays["features"]), means.tolist(), strict=True))
    effects = run.read_table("effects.tsv")
    rows = [
        [on_a_line(line.feature), number(means[line.feature]),
         _direction(line.correlation, directions)]
        for line in effects[effects["output"] == output].itertuples() if means[line.feature] > 0
    ]  # fmt: skip
    head = ["gene", "mean |contribution|", "effect of high values"]
    return Beside([*pictures(run, "output", place, output=output), Table(head, rows, left=(0, 2))])


def _direction(correlation, directions):
    """Return the direction of the effect of high values of a gene, in one word."""
    if np.isnan(correlation):
        return "–"
    if abs(correlation) < CLEAR:
        return "depends"
    return directions[0] if correlation > 0 else directions[1]


def _stable(run, top):
    """Return the table of ranks over networks, where several were explained."""
    if not run.has("stability.tsv"):
        return []
    frame = run.read_table("stability.tsv").head(top)
    rows = [
        [
            on_a_line(line.feature), number(line.mean), number(line.sd),
            f"{line.rank_low} to {line.rank_high}", f"{100 * line.in_top:.0f} %",
        ]
        for line in frame.itertuples()
    ]  # fmt: skip
    head = ["gene", "mean total", "sd", "ranks", f"in the top {top}"]
    caption = (
        "Importance over several networks, summed over outputs. Look for narrow ranges of ranks."
    )
    return [Table(head, rows, caption)]


def _pairs(run, outputs):
    if not run.has("interactions.tsv"):
        return []
    frame = run.read_table("interactions.tsv").head(MOST_PAIRS)
    measures = list(frame.columns[3 : len(frame.columns) - outputs])
    rows = [
        [on_a_line(line["feature_1"]), on_a_line(line["feature_2"])]
        + [number(float(line[name])) if pd.notna(line[name]) else "–" for name in measures]
        for _, line in frame.iterrows()
    ]
    caption = "Interactions of two genes, the strongest first; q is the false discovery rate."
    return [
        Heading("Interactions of genes"),
        Table(["gene", "gene", *measures], rows, caption, left=(0, 1)),
    ]


def _epistasis(run):
    """Return the table of the largest terms of the Walsh-Hadamard expansion."""
    if not run.has("epistasis.tsv"):
        return []
    frame = run.read_table("epistasis.tsv")
    rows = [
        [
            on_a_line(line.sites),
            on_a_line(line.output),
            number(line.coefficient),
            number(line.share),
        ]
        for line in frame.groupby("output", sort=False).head(MOST_TERMS).itertuples()
    ]
    caption = (
        "The largest terms of the model as a sum of products of sites. A term adds its coefficient "
        "where an even number of its sites are 1, and subtracts it where an odd number are 1."
    )
    head = ["sites", "output", "coefficient", "share of variance"]
    table = Table(head, rows, caption, left=(0, 1))
    return [Heading("Epistasis"), Beside([*pictures(run, "epistasis"), table])]
