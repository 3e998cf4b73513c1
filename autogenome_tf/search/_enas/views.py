"""The rows as children see them: a copy for each pair of gene power and spectral power.

In row space every gene power has a basis of its own, and one first kernel for all of them would
mean something else in each. So the copies are turned towards the first one as far as a rotation can
(orthogonal Procrustes; Schoenemann 1966). A rotation is exact: dropout of genes (noise of one
variance in all directions) and L2 do not see it, and it folds back into the kernel.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np

from autogenome_tf.core import blas
from autogenome_tf.search._enas.children import POWERS
from autogenome_tf.training import Configuration, TrainingRows

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Views:
    """Rows to learn from, once a view.

    Attributes:
        rows: `TrainingRows` whose inputs are (views, folds, rows, inputs).
        turns: (folds, inputs, inputs) rotation of each view's coordinates; None for no rotation.
        widths: Number of coordinates of each view; what is behind them is 0.
    """

    rows: TrainingRows
    turns: list[np.ndarray | None]
    widths: list[int]

    @classmethod
    def of(cls, folds: Any, widest: dict[str, Any], beside: dict[str, list]) -> Views:
        """Make the views that the options of a search ask for.

        Args:
            folds: A `NetworkCrossValidation` with its rows in memory.
            widest: Values of the widest network.
            beside: Options of each hyperparameter beside the arc.
        """
        powers = beside.get("gene_power", [widest["gene_power"]])
        spectra = beside.get("spectral_power", [widest["spectral_power"]])
        of_powers = [Configuration("wired", widest | {"gene_power": power}) for power in powers]
        prepared = [folds.fold_inputs(one) for one in of_powers]
        width = max(own.width for own in prepared)
        copies, turns, widths = [], [], []
        for own in prepared:
            turn = _turn(own, prepared[0], folds.splits, width)
            for spectral in spectra:
                copies.append(_seen(own, spectral, turn, width))
                turns.append(turn)
                widths.append(own.width)
        rows = folds.rows(Configuration("wired", widest))
        rows = dataclasses.replace(rows, inputs=np.stack(copies))
        return cls(rows, turns, widths)

    def folded(self, view: int, kernel: np.ndarray) -> np.ndarray:
        """Return a first kernel on the coordinates of one view before they were turned.

        Args:
            view: Its number.
            kernel: (folds, inputs, units).
        """
        turn = self.turns[view]
        return (kernel if turn is None else turn @ kernel)[:, : self.widths[view]]


def _seen(own, spectral, turn, width):
    """Return (folds, rows, inputs) as networks of a spectral power see them, turned."""
    factors, rows = own.factors(spectral), np.asarray(own.rows)
    rows = rows if factors is None else rows * factors[:, None]
    rows = _padded(rows, width)
    return rows if turn is None else (rows @ turn).astype("float32")


def _turn(own, first, splits, width):
    """Return the rotations that bring training rows nearest to those of the first inputs."""
    if own is first or own.are_genes:
        return None
    turns = []
    for fold, (train, _) in enumerate(splits):
        rows, aims = (_padded(np.asarray(one.rows[fold])[train], width) for one in (own, first))
        with blas.one_thread():
            left, _, right = np.linalg.svd(rows.T.astype("float64") @ aims)
        turns.append(left @ right)
    return np.stack(turns).astype("float32")


def _padded(rows, width):
    gap = [(0, 0)] * (rows.ndim - 1) + [(0, width - rows.shape[-1])]
    return np.pad(rows, gap)


def searchable(space: dict[str, Any], folds: Any) -> dict[str, Any]:
    """Return a search space without options of the inputs that children cannot have here.

    On genes a spectral power has no meaning. Where the views of all powers together would not fit
    into `data.memory`, each power is its first option, with a warning.

    Args:
        space: The search space of the family wired.
        folds: A `NetworkCrossValidation` with its rows in memory.
    """
    coordinates = folds.space_of(Configuration("wired", {}))
    if coordinates == "genes":
        space = _first_of(space, ["spectral_power"])
    rows, genes = folds.matrix.shape
    views = np.prod([len(space[name].options) for name in POWERS if name in space])
    width = min(genes, rows) if coordinates == "rows" else genes
    needed = int(4 * views * len(folds.splits) * rows * width)
    if needed <= folds.settings.data.limit or views == 1:
        return space
    log.warning(
        "enas: rows for all values of gene_power and spectral_power need %s bytes, data.memory "
        "allows %s; only the first value of each is used", f"{needed:,}",
        f"{folds.settings.data.limit:,}",
    )  # fmt: skip
    return _first_of(space, POWERS)


def _first_of(space, names):
    """Narrow some dimensions to their first option."""
    narrow = {name: space[name] for name in names if name in space}
    return space | {
        name: dataclasses.replace(hyper, options=hyper.options[:1])
        for name, hyper in narrow.items()
    }
