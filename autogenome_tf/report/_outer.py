"""Outer folds of a nested cross-validation: who won in each, and how stable the genes are."""

from autogenome_tf.core.files import on_a_line
from autogenome_tf.metrics import OUTER
from autogenome_tf.report._metrics import NAMES
from autogenome_tf.report._page import Part, Table, listed, number
from autogenome_tf.run import Run

TOP = 15


def parts(run: Run) -> list[Part]:
    """Return a sentence on the folds, a table of them and the most stable genes.

    Args:
        run: A run; one without outer folds has nothing to show.
    """
    if not run.has("outer_folds.tsv"):
        return []
    frame, task = run.read_table("outer_folds.tsv"), run.config().task.kind
    won, count = frame["family"].value_counts(), len(frame)
    families = listed(f"{name} ({times})" for name, times in won.items())
    text = (
        f"Nested cross-validation: each of {count} outer folds was predicted by a search that "
        f"never saw its samples. The best trial was of {families}. The most important genes "
        f"of one fold are {100 * frame['overlap'].mean():.0f}\u00a0% those of another."
    )
    names = list(task.headlines)
    rows = [
        [
            str(line["fold"]), number(line["rows"]), on_a_line(line["family"]),
            *(number(line[name]) for name in names),
            *(number(line[f"baseline_{name}"]) for name in names),
            number(line["overlap"], 2),
        ]
        for line in frame.to_dict("records")
    ]  # fmt: skip
    head = [
        "fold", "samples", "best family", *(NAMES[name] for name in names),
        *(f"{NAMES[name]}, linear model" for name in names), "overlap of genes",
    ]  # fmt: skip
    caption = "Each outer fold; its run is in outer/. Predictions are in outer.tsv."
    return [text, Table(head, rows, caption, left=(0, 2)), _genes(run, count)]


def _genes(run, count):
    genes = run.read_table("outer_genes.tsv").head(TOP)
    rows = [
        [on_a_line(line.feature), f"{line.folds} of {count}", number(line.share, 4)]
        for line in genes.itertuples()
    ]
    caption = (
        "Genes that are among the most important of most outer folds, with their mean share of the "
        f"model's importance; all of them are in {OUTER}_genes.tsv."
    )
    return Table(["gene", "folds", "share"], rows, caption)
