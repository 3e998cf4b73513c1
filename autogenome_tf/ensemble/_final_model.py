"""The final model of a run and what is known of it."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.models import Predictor, anchored
from autogenome_tf.training import CrossValidation, Fit, Trial, TrialResult


@dataclasses.dataclass(frozen=True)
class FinalModel:
    """The final model and what is known of it.

    Attributes:
        predictor: The model from raw values to calibrated logits or values in original units.
        history: An epoch a row: epoch, loss, validation_loss, learning_rate, seconds; with several
            trials, their number in a column trial.
        validation_rows: Sorted numbers of the rows that validated, of those to learn from.
        outputs: (validation rows, outputs) as the predictor's, from networks that had not seen the
            row.
        trials: Numbers of the trials whose networks take part.
        gates: The rows of gates.tsv, or None where no network has gates.
        folds: Function that makes the average of the networks of all folds, where the predictor is
            a network that was trained on all rows; None where it keeps the folds' itself.
        judged: Trials that were judged anew, with more networks a fold than in the search.
    """

    predictor: Predictor
    history: pd.DataFrame
    validation_rows: np.ndarray
    outputs: np.ndarray
    trials: tuple[int, ...]
    gates: pd.DataFrame | None = None
    folds: Callable[[], Predictor] | None = None
    judged: tuple[TrialResult, ...] = ()

    @classmethod
    def of(
        cls,
        cross_validation: CrossValidation,
        predictor: Predictor,
        outputs: np.ndarray,
        temperature: Any,
        **known: Any,
    ) -> "FinalModel":
        """Return the final model with its out-of-fold outputs in the units of its predictor.

        Args:
            cross_validation: The rows.
            predictor: The model.
            outputs: (rows, outputs) out-of-fold outputs of the networks.
            temperature: Divisor that calibrates them.
            **known: The further attributes.
        """
        scale, offset = cross_validation.task.output_scale(temperature)
        rows = cross_validation.validation_rows
        scaled = (outputs[rows] * scale + offset).astype("float32")
        validated = cross_validation.targets[rows], scaled, cross_validation.weights_of(rows)
        predictor = anchored(predictor, cross_validation.matrix, rows, *validated)
        return cls(predictor, validation_rows=rows, outputs=scaled, **known)


def gates_table(
    cross_validation: CrossValidation, found: Iterable[tuple[float, Trial, Fit]]
) -> pd.DataFrame | None:
    """Summarise how far gates are open, over networks.

    Args:
        cross_validation: The rows of the fits.
        found: Share, trial and fit of each trial.

    Returns:
        A frame, most open first: feature, rank, gate (mean over networks, by the trials' shares; 1
        is a gate as it starts), low and high over networks, open (share of networks that have it
        above 0). None where no network has gates.
    """
    of_genes: dict[int, list] = {}
    for share, trial, fit in found:
        if fit.gates is None:
            continue
        inputs = cross_validation.fold_inputs(trial.configuration)
        for replica, values in enumerate(fit.gates):
            fold = replica % len(inputs.constants)
            # What a fold does not keep has no gate in it.
            genes = inputs.constants[fold].genes
            kept = values[np.searchsorted(inputs.genes, genes)]
            weight = share / len(fit.gates)
            for gene, gate in zip(genes, kept, strict=True):
                of_genes.setdefault(gene, []).append((gate, weight))
    if not of_genes:
        return None
    lines = [_line(cross_validation.features[gene], own) for gene, own in of_genes.items()]
    frame = pd.DataFrame(lines, columns=["feature", "gate", "low", "high", "open"])
    frame = frame.sort_values(["gate", "feature"], ascending=[False, True], kind="stable")
    frame.insert(1, "rank", np.arange(1, len(frame) + 1))
    return frame


def _line(name, gates):
    """Return one gene's line from a pair of gate and weight for each network."""
    values, weights = np.array(gates).T
    is_open = np.average(values > 0, weights=weights)
    mean = np.average(values, weights=weights)
    return [name, mean, values.min(), values.max(), is_open]
