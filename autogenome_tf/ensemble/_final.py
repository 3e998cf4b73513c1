"""What every way to a final predictor ends in."""

import dataclasses

import numpy as np
import pandas as pd

from autogenome_tf.models import Predictor


@dataclasses.dataclass(frozen=True)
class Final:
    """The final predictor and what is known of it.

    Attributes:
        predictor: The model from raw values to calibrated logits or values in original units.
        history: An epoch a row: epoch, loss, validation_loss, learning_rate, seconds; with several
            trials, their number in a column trial.
        held: (rows,) numbers of rows that were held out, of those to learn from.
        outputs: (held, outputs) as the predictor's, from networks that had not seen the row.
        gates: The rows of gates.tsv, or None where no network has gates.
    """

    predictor: Predictor
    history: pd.DataFrame
    held: np.ndarray
    outputs: np.ndarray
    gates: pd.DataFrame | None = None

    @classmethod
    def of(cls, folds, predictor, history, outputs, temperature, gates=None):
        """From out-of-fold outputs (rows, outputs) of the networks and their temperature."""
        scale, offset = folds.task.output_scale(temperature)
        held = folds.validation_rows
        known = (outputs[held] * scale + offset).astype("float32")
        return cls(predictor, history, held, known, gates)


def gates(found):
    """How far gates are open, over networks.

    Args:
        found: For each trial with gates its share, `CrossValidation`, `Trial` and `Fit`.

    Returns:
        A frame, most open first: feature, rank, gate (mean over networks, by the trials' shares; 1
        is a gate as it starts), low and high over networks, open (share of networks that have it
        above 0). None where nothing was found.
    """
    if not found:
        return None
    lines = {}
    for share, folds, trial, fit in found:
        views = folds.fold_inputs(trial.family, trial.values)
        for replica, values in enumerate(fit.gates):
            own = replica % len(views.constants)
            # What a fold does not keep has no gate in it.
            places = views.coordinates[own].places
            weight = share / len(fit.gates)
            for gene, gate in zip(views.constants[own].genes, values[places], strict=True):
                lines.setdefault(gene, []).append((gate, weight))
    names = found[0][1].features
    rows = []
    for gene, pairs in lines.items():
        values, weights = np.array(pairs).T
        is_open = np.average(values > 0, weights=weights)
        mean = np.average(values, weights=weights)
        rows.append([names[gene], mean, values.min(), values.max(), is_open])
    frame = pd.DataFrame(rows, columns=["feature", "gate", "low", "high", "open"])
    frame = frame.sort_values(["gate", "feature"], ascending=[False, True], kind="stable")
    frame.insert(1, "rank", np.arange(1, len(frame) + 1))
    return frame
