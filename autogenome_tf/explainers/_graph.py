"""Attributions as a part of a TensorFlow graph, for models that are exported."""

from typing import Any

import numpy as np

from autogenome_tf.core.chunked import dense
from autogenome_tf.core.errors import InputError
from autogenome_tf.explainers._members import member, tried_by_auto
from autogenome_tf.explainers._model import Model
from autogenome_tf.explainers._rule import Unexplained
from autogenome_tf.nn.trees import has_trees


def in_graph(model: Model, background: np.ndarray) -> list[Any]:
    """Build attributions as a part of a graph, by the best explainer that can be one.

    Args:
        model: A fitted `Predictor` or `LatentModel`.
        background: (background, genes) raw values of rows that stand for "nothing known".

    Returns:
        A list of a `tf.Module` for each branch, (rows, kept) of what its network sees ->
        (rows, kept, outputs), before the output's scale.

    Raises:
        InputError: Where the explainer is not defined on a layer.
    """
    makers = ((name, member(name).in_graph) for name in tried_by_auto())
    name, make = next((name, make) for name, make in makers if make is not None)
    if any(has_trees(branch.network) for branch in model.branches):
        raise InputError("export: attributions of trees cannot be a part of a graph")
    try:
        return [make(branch.network, branch.seen(dense(background))) for branch in model.branches]
    except Unexplained as error:
        raise InputError(f"explanation.method: {name}: {error}") from None
