"""What every way to a final predictor ends in."""

import dataclasses

import numpy as np
import pandas as pd

from autogenome_tf.predictor import Predictor


@dataclasses.dataclass(frozen=True)
class Final:
    """The final predictor and what is known of it.

    Attributes:
        predictor: The model from raw values to calibrated logits or values in original units.
        history: An epoch a row: epoch, loss, validation_loss, learning_rate, seconds; with several
            trials, their number in a column trial.
        held: (rows,) numbers of rows that were held out, of those to learn from.
        outputs: (held, outputs) as the predictor's, from networks that had not seen the row.
    """

    predictor: Predictor
    history: pd.DataFrame
    held: np.ndarray
    outputs: np.ndarray

    @classmethod
    def of(cls, folds, predictor, history, outputs, temperature):
        """From out-of-fold outputs (rows, outputs) of the networks and their temperature."""
        scale, offset = folds.task.output_scale(temperature)
        held = folds.held
        known = (outputs[held] * scale + offset).astype("float32")
        return cls(predictor, history, held, known)
