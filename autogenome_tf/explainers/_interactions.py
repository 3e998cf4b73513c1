"""Interactions of pairs of genes in a whole model."""

import itertools
from collections.abc import Sequence

import numpy as np

from autogenome_tf.core.chunked import dense
from autogenome_tf.core.errors import InputError
from autogenome_tf.explainers._members import member
from autogenome_tf.explainers._model import Model, Rows
from autogenome_tf.explainers._pairs import Pairs
from autogenome_tf.explainers._rule import Unexplained
from autogenome_tf.preprocessing import perturbed_inputs
from autogenome_tf.tasks import OutputMeans

PLACE = "explanation.interactions.method"


def interactions(
    model: Model, rows: Rows, background: np.ndarray, genes: Sequence[int] | np.ndarray, *,
    method: str = "knockout", remaining_fraction: float = 0.0, means: OutputMeans | None = None,
) -> Pairs:  # fmt: skip
    """Measure how strongly pairs of genes act together.

    Args:
        model: A fitted `Predictor` or `LatentModel`.
        rows: A `Dataset` of rows to look at, in the model's gene order.
        background: (background, genes) raw values, for methods that need some.
        genes: Positions of the genes to pair; at least two.
        method: An explainer that `serves_interactions`.
        remaining_fraction: Part of a gene's raw value that a knock-out leaves, at least 0.
        means: Means of outputs, which are looked at in their place; None: each output is.

    Returns:
        `Pairs`, in units of the outputs.

    Raises:
        InputError: For a method that measures no interactions, or is not defined on the model.
    """
    explainer = member(method, PLACE)
    if not explainer.serves_interactions:
        raise InputError(f"{PLACE}: {method} measures no interactions; expected another explainer.")
    raw, background, genes = dense(rows.values), dense(background), np.asarray(genes)
    pairs = list(itertools.combinations(range(len(genes)), 2))
    scale, _ = model.output_scale
    found = np.zeros((len(raw), len(pairs), len(scale)), "float32")
    for branch in model.branches:
        place = {gene: position for position, gene in enumerate(branch.kept.tolist())}
        # A gene that this branch does not see takes part in no pair of it.
        known = [number for number, gene in enumerate(genes.tolist()) if gene in place]
        if len(known) < 2:
            continue
        perturbed = perturbed_inputs(
            branch.preprocessing, branch.transform, raw, remaining_fraction
        )
        seen = explainer.seen_background(branch, raw, background, remaining_fraction)
        own = [place[genes[number]] for number in known]
        try:
            values = explainer.interactions(branch.network, branch.seen(raw), perturbed, seen, own)
        except Unexplained as error:
            raise InputError(f"{PLACE}: {method}: {error}") from None
        inside = [pair[0] in known and pair[1] in known for pair in pairs]
        found[:, inside] += values * scale
    first, second = genes[np.array(pairs).T]
    outputs, names = model.outputs(raw), model.output_names
    if means is not None:
        found, outputs = means.averaged(found), means.averaged(outputs)
        names = list(means.names)
    return Pairs(found, first, second, outputs.std(axis=0), names)
