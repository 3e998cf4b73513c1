"""Paper, palette and marks of all figures."""

import io
import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from autogenome_tf.core.files import on_a_line

# Okabe and Ito's palette, distinct under all common colour blindness; without its yellow,
# which is lost on white. https://jfly.uni-koeln.de/color/
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY = "#888888"
GENE = 0.24  # inches of a line
LETTER = 0.085  # inches a letter of 10 points takes, on the generous side


class Drawing(Figure):
    """A figure of no window and no global state, which a notebook shows as it is."""

    def _repr_png_(self):
        picture = io.BytesIO()
        self.savefig(picture, format="png", bbox_inches="tight", dpi=100)
        return picture.getvalue()


def blank(
    width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Drawing, np.ndarray]:
    """Draw empty axes without a top and a right edge.

    Args:
        width: Of the figure, in inches.
        height: Of the figure, in inches.
        rows: Rows of axes.
        columns: Columns of axes.
        **options: Of `Figure.subplots`.

    Returns:
        The figure, a `Drawing`, and its axes of (rows, columns).
    """
    figure = Drawing(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for panel in axes.flat:
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def genes(names: Iterable[str], legend: int = 0) -> tuple[Drawing, np.ndarray]:
    """Draw an axes with a line a gene, the last on top, with room for whole names.

    Args:
        names: Gene names from bottom to top.
        legend: Letters that stand at the right of the axes.

    Returns:
        As `blank`.
    """
    names = [label(name) for name in names]
    letters = max(map(len, names), default=0) + legend
    figure, axes = blank(4.5 + LETTER * letters, 1.0 + GENE * max(4, len(names)))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(-0.7, len(names) - 0.3)
    return figure, axes


def label(name: Any) -> str:
    r"""Make a name fit for a figure: one line, not too long, and no formula.

    Args:
        name: Name of any type.

    >>> label("IL-2 $alpha$")
    'IL-2 \\$alpha\\$'
    """
    # Matplotlib reads what stands between two dollar signs as a formula.
    return on_a_line(name).replace("$", r"\$")


def foremost(values: np.ndarray, top: int) -> np.ndarray:
    """Return positions of the genes of largest mean |contribution| of (rows, genes), best last."""
    means = np.abs(values).mean(axis=0)
    return np.argsort(-means, kind="stable")[:top][::-1]


def marks(names: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Give every name a colour and a marker; 63 names have marks of their own.

    Args:
        names: Any names, repeated or not; the order of first appearance decides.

    Returns:
        A dict from name to keyword arguments of `Axes.scatter`.

    >>> marks(["mlp", "resnet", "mlp"])["resnet"]
    {'color': '#D55E00', 'marker': 's'}
    """
    pairs = zip(itertools.cycle(PALETTE), itertools.cycle(MARKERS), strict=False)
    return {
        name: {"color": color, "marker": marker}
        for name, (color, marker) in zip(dict.fromkeys(names), pairs, strict=False)
    }
