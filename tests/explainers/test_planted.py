"""Attributions against what was planted: found where the network learned it, chance otherwise."""

import types

import numpy as np
import pytest
import sklearn.metrics

from autogenome_tf import explainers
from autogenome_tf.config._config import Config
from autogenome_tf.simulation import expression
from autogenome_tf.tasks import Classification
from autogenome_tf.training import Configuration, Plan, TrainingSettings
from autogenome_tf.training._networks import NetworkCrossValidation

METHODS = ("fast_deep_shap", "gradient", "knockout")
DRAWN = expression.draw(
    samples=400, features=150, classes=2, informative=12, interactions=0, blocks=0, batches=1,
    batch_effect=0.0, dropout=0.0,
)  # fmt: skip
PLANTED = (DRAWN.truth["role"] == "main").to_numpy()
HELD = np.arange(300, 400)


def explained(is_permuted):
    """A network's accuracy on held rows, its predictor, and totals by method."""
    task = Classification(["class_1", "class_2"])
    truth = task.encode(DRAWN.target)
    if is_permuted:
        truth = np.random.default_rng(1).permutation(truth)
    config = Config.of({"name": "t", "data": {"features": "x", "transform": "log1p"}})
    folds = NetworkCrossValidation(
        DRAWN.values, truth, task, TrainingSettings.of(config), splits=[(np.arange(300), HELD)],
        features=DRAWN.features,
    )  # fmt: skip
    fit = folds.fit(Configuration("mlp", {"layers": 1, "units": 32}), Plan(30), 1)
    predictor = folds.final_model(Configuration("mlp", {"layers": 1, "units": 32}), fit, 1.0)
    right = (predictor.outputs(DRAWN.values[HELD]).argmax(axis=1) == truth[HELD]).mean()
    rows = types.SimpleNamespace(values=DRAWN.values[HELD[:40]], samples=DRAWN.samples[300:340])
    background = DRAWN.values[:60]
    totals = {
        method: explainers.explain(predictor, rows, background, method).totals for method in METHODS
    }
    return right, predictor, totals


@pytest.fixture(scope="module")
def learned():
    """What a network of the planted labels rests on."""
    return explained(is_permuted=False)


def test_planted_genes_come_first(learned):
    right, _, totals = learned
    assert right > 0.85
    for method, found in totals.items():
        assert sklearn.metrics.roc_auc_score(PLANTED, found) > 0.85, method
        assert PLANTED[np.argsort(-found)[: PLANTED.sum()]].mean() > 0.5, method


def test_permuted_labels_give_chance():
    right, _, totals = explained(is_permuted=True)
    assert right < 0.65
    for method in ("fast_deep_shap", "gradient"):
        assert 0.25 < sklearn.metrics.roc_auc_score(PLANTED, totals[method]) < 0.75, method


def test_without_its_foremost_genes_a_network_loses_more_than_without_others(learned):
    _, predictor, totals = learned
    mean = DRAWN.values[:60].mean(axis=0)
    random = np.random.default_rng(2)

    def left(order):
        rows = DRAWN.values[HELD].copy()
        before = predictor.outputs(rows)
        rows[:, order[:15]] = mean[order[:15]]
        chosen = before.argmax(axis=1)
        changed = predictor.outputs(rows)
        return np.take_along_axis(before - changed, chosen[:, None], axis=1).mean()

    others = np.mean([left(random.permutation(len(mean))) for _ in range(5)])
    assert left(np.argsort(-totals["fast_deep_shap"])) > 3 * abs(others)
