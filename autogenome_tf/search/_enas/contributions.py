"""Share of each decision in the variance of children's scores: functional ANOVA.

A forest learns the scores from the codes. Over a whole space in which all options are equally
probable, the variance of each of its trees splits exactly into what single decisions explain and
what remains for their interactions (Hutter et al. 2014, ICML 32, 754-762).
"""

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import RandomForestRegressor

TREES = 64
# Fewest children a leaf: the scores are noisy.
LEAF = 3
# With fewer scores a forest says nothing.
FEWEST = 20


def contributions(
    codes: np.ndarray, scores: np.ndarray, options: Sequence[np.ndarray], seed: int
) -> tuple[np.ndarray, float]:
    """Compute the share of each decision in the variance of scores over the space.

    Args:
        codes: (children, decisions) positions.
        scores: (children,) of any scale; children with NaN are left out.
        options: Allowed positions of each decision.
        seed: Of the forest, at least 0.

    Returns:
        (decisions,) shares from 0 to 1, of which the rest to 1 is interactions; and the R2 of the
        forest for children that its trees have not seen. All are NaN where fewer than 20 scores
        are known or all are equal.
    """
    is_known = np.isfinite(scores)
    codes, scores = np.asarray(codes)[is_known], np.asarray(scores)[is_known]
    if len(scores) < FEWEST or not np.ptp(scores):
        return np.full(len(options), np.nan), float("nan")
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=LEAF, oob_score=True, random_state=seed % 2**32
    )
    forest.fit(codes, scores)
    each = [_shares(tree.tree_, options) for tree in forest.estimators_]
    each = [shares for shares in each if shares is not None]
    shares = np.mean(each, axis=0) if each else np.full(len(options), np.nan)
    return shares, float(forest.oob_score_)


def _shares(tree, options):
    """Return the (decisions,) shares of a tree's variance, or None where it has none."""
    boxes, values = _leaves(tree, options)
    parts = np.stack([box.mean(axis=1) for box in boxes], axis=1)
    probability = parts.prod(axis=1)
    mean = probability @ values
    variance = probability @ (values - mean) ** 2
    if variance <= 0:
        return None
    marginals = (
        (probability * values / part) @ box for part, box in zip(parts.T, boxes, strict=True)
    )
    return np.array([np.mean((marginal - mean) ** 2) for marginal in marginals]) / variance


def _leaves(tree, options):
    """Return for each decision which options lead to a leaf, (leaves, options), and their values.

    Leaves that no code of the space reaches are left out.
    """
    every = [np.ones(len(own), bool) for own in options]
    todo, found, values = [(0, every)], [], []
    while todo:
        node, allowed = todo.pop()
        decision = tree.feature[node]
        if decision < 0:
            found.append(allowed)
            values.append(tree.value[node].item())
            continue
        is_left = np.asarray(options[decision]) <= tree.threshold[node]
        for child, side in ((tree.children_left, is_left), (tree.children_right, ~is_left)):
            own = [*allowed]
            own[decision] = allowed[decision] & side
            if own[decision].any():
                todo.append((child[node], own))
    return [np.stack(box) for box in zip(*found, strict=True)], np.array(values)
