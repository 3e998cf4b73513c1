"""A fitted model with the level of its log-risks and its baseline hazard."""

import dataclasses

import keras
import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.models._predictor import Predictor


def anchored(
    predictor: Predictor,
    values: Matrix,
    rows: np.ndarray,
    targets: np.ndarray,
    outputs: np.ndarray,
    weights: np.ndarray | None = None,
) -> Predictor:
    """Return a model whose log-risks have the level to which its baseline hazard belongs.

    That is mean 0, as those that the hazard is estimated from. Models of other tasks stay as they
    are.

    Args:
        predictor: The final model.
        values: (all rows, genes) raw values.
        rows: Numbers of the rows that validated.
        targets: Their targets, as networks learn them.
        outputs: (rows, outputs) of networks that had not seen the row, in the model's units.
        weights: (rows,) weight of each row; None: all rows count alike.
    """
    if not (predictor.task.has_times and predictor.task.is_of_sets):
        return predictor
    scale, offset = predictor.output_scale
    seen = predictor.outputs(chunked.rows(values, rows))
    offset = offset - seen.mean(axis=0, dtype="float64")
    total = predictor.model.get_layer("output").input
    output = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="output")
    model = keras.Model(predictor.model.input, output(total), name=predictor.model.name)
    return dataclasses.replace(
        predictor, model=model, task=predictor.task.with_baseline(targets, outputs, weights)
    )
