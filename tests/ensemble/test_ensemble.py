"""What an ensemble promises: one model that is the average it says, chosen on rows held out."""

import dataclasses
import functools
import time

import keras
import numpy as np
import pytest
from folds import cross_validation, thirds

from autogenome_tf.ensemble import _average, _refit, _selection
from autogenome_tf.models import FoldNetworks, Predictor
from autogenome_tf.preprocessing import FittedScaling, Moments
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import Configuration, Plan, Trial, TrialResult

ROWS, GENES = 60, 90
RANDOM = np.random.default_rng(0)
X = RANDOM.gamma(2.0, 3.0, size=(ROWS, GENES)).astype("float32")
Y = (X[:, :4].sum(1) > np.median(X[:, :4].sum(1))).astype("int32")
SPLITS = thirds(ROWS)
TASKS = {
    "classification": (Classification(["healthy", "tumour"]), Y),
    "regression": (
        Regression(["a", "b"], mean=np.array([5.0, -1]), scale=np.array([2.0, 0.1])),
        RANDOM.normal(size=(ROWS, 2)).astype("float32"),
    ),
}
TRIED = [
    ("linear", {"l2": 0.1, "spectral_power": 0.0}),
    ("mlp", {"layers": 1, "units": 8, "spectral_power": 0.5}),
    ("resnet", {"n_blocks": 1, "width": 8, "normalization": "batch", "activation": "tanh"}),
    ("densenet", {"block_config": [1, 1], "growth_rate": 4, "bottleneck": 4}),
]


def in_folds(kind="classification", splits=SPLITS, **changes):
    """Return the `NetworkCrossValidation` of some rows, two seeds each."""
    task, targets = TASKS[kind]
    search = {"repeats": 2} | changes.pop("search", {})
    return cross_validation(X, targets, task, splits, search=search, **changes)


def results(folds, tried=TRIED, epochs=2):
    """Return a trial of each kind, trained for a few epochs."""
    found = []
    for number, (family, values) in enumerate(tried):
        if family == "linear":
            ((_, fit),) = folds.path(Configuration(family, values), [values["l2"]])
        else:
            fit = folds.fit(Configuration(family, values), Plan(epochs, learning_rate=0.01), 1)
        found.append(folds.judge(Trial(number, family, values), fit))
    return found


def by_hand(folds, found, shares):
    """Average of every network's outputs on all rows, in the task's own units."""
    total = 0
    for result, share in zip(found, shares, strict=True):
        trial, fit = result.trial, result.fit
        views, outputs = folds.fold_inputs(trial.configuration), []
        network = folds.network(trial.configuration)
        factors = views.factors(trial.values.get("spectral_power", 0.0))
        for replica in range(len(fit.weights[0])):
            fold = replica % len(folds.splits)
            network.set_weights(fit.replica(replica))
            rows = np.asarray(views.rows)[fold]
            outputs.append(np.asarray(network(rows if factors is None else rows * factors[fold])))
        total = total + share * np.mean(outputs, axis=0) / result.temperature
    return total


@pytest.mark.slow
@pytest.mark.parametrize("space", ["rows", "genes"])
@pytest.mark.parametrize("kind", TASKS)
def test_the_model_is_the_average_of_its_networks(kind, space, monkeypatch):
    folds = in_folds(kind, training={"space": space})
    found, shares = results(folds), np.array([0.4, 0.3, 0.2, 0.1])
    monkeypatch.setattr(_selection, "select", lambda *_: shares)
    final = _average.average(folds, found)
    held = sum(s * result.calibrated for s, result in zip(shares, found, strict=True))
    scale, offset = folds.task.output_scale(folds.temperature(held))
    expected = by_hand(folds, found, shares) * scale + offset
    np.testing.assert_allclose(final.predictor.outputs(X), expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        final.outputs, held[final.validation_rows] * scale + offset, rtol=1e-5
    )


@pytest.mark.parametrize("smaller", [True, False])
def test_coordinates_that_members_share_give_what_gene_kernels_give(smaller, monkeypatch):
    folds = in_folds(training={"space": "rows"})
    found = results(folds, TRIED[:2])
    monkeypatch.setattr(_average, "_is_smaller", lambda *_: smaller)
    model = _average.average(folds, found).predictor.model
    dense = next(x for x in model.get_layer("network").layers if isinstance(x, keras.layers.Dense))
    assert (dense.units == 3 * folds.fold_inputs(Configuration("mlp", {})).width) == smaller
    monkeypatch.setattr(_average, "_is_smaller", lambda *_: not smaller)
    other = _average.average(folds, found).predictor.model
    np.testing.assert_allclose(model(X), other(X), rtol=1e-4, atol=1e-4)


def test_coordinates_are_shared_only_where_that_is_smaller():
    folds = in_folds(training={"space": "rows"})
    views = folds.fold_inputs(Configuration("mlp", {}))
    wide = ("mlp", {"layers": 1, "units": 300})
    for tried, expected in (([TRIED[0]], False), ([wide], True)):
        members = [(1.0, result) for result in results(folds, tried)]
        assert _average._is_smaller(views, views.common_scaling(), members) == expected


def test_folds_with_genes_of_their_own_share_one_model(monkeypatch):
    folds = in_folds(data={"top_variable": 30})
    found = results(folds, TRIED[:2])
    monkeypatch.setattr(_selection, "select", lambda *_: np.array([0.5, 0.5]))
    kept = [
        set(constants.genes) for constants in folds.fold_inputs(Configuration("mlp", {})).constants
    ]
    assert kept[0] != kept[1]
    final = _average.average(folds, found)
    assert set(folds.fold_inputs(Configuration("mlp", {})).common_scaling().genes) == set.union(
        *kept
    )
    held = 0.5 * found[0].calibrated + 0.5 * found[1].calibrated
    expected = by_hand(folds, found, [0.5, 0.5]) / folds.temperature(held)
    np.testing.assert_allclose(final.predictor.outputs(X), expected, rtol=1e-3, atol=1e-3)


def test_transforms_of_members_are_all_in_the_model(tmp_path):
    folds = in_folds(data={"transform": ["log1p", "rank"]})
    tried = [(name, values | {"transform": kind}) for kind in ("log1p", "rank")
             for name, values in TRIED[:2]]  # fmt: skip
    final = _average.average(folds, results(folds, tried))
    final.predictor.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model(X), final.predictor.outputs(X), rtol=1e-4, atol=1e-4)
    fronts = [layer.name for layer in model.layers if layer.name.startswith("preprocessing")]
    assert fronts and set(fronts) <= {
        "preprocessing", "preprocessing_log1p", "preprocessing_rank",
    }  # fmt: skip


def test_streamed_rows_have_ensembles_too():
    folds = in_folds(
        splits=SPLITS[:1], search={"repeats": 1}, data={"transform": "auto", "memory": 1e-7}
    )
    assert folds.is_streamed
    found = results(folds, TRIED[1:3])
    final = _average.average(folds, found)
    test = SPLITS[0][1]
    np.testing.assert_allclose(
        final.predictor.outputs(X[test]), final.outputs, rtol=1e-3, atol=1e-3
    )


# Networks of each fold -------------------------------------------------------------------------

FOLD = np.arange(ROWS) % 3
POWERED = [
    ("linear", {"l2": 0.1, "spectral_power": 0.5, "gene_power": 1.0}),
    ("mlp", {"layers": 1, "units": 8, "spectral_power": 0.5, "gene_power": 0.5}),
]


def one_epoch(folds, tried):
    """Return the average of trials of one epoch, which is the best for every fold."""
    return _average.average(folds, results(folds, tried, epochs=1))


@pytest.mark.parametrize("space", ["rows", "genes"])
@pytest.mark.parametrize("kind", TASKS)
def test_networks_of_a_fold_alone_give_its_validation_outputs(kind, space, monkeypatch):
    monkeypatch.setattr(_selection, "select", lambda *_: np.array([0.2, 0.2, 0.2, 0.1, 0.2, 0.1]))
    folds = in_folds(kind, training={"space": space})
    final = one_epoch(folds, [*TRIED, *POWERED])
    assert FoldNetworks.has_folds(final.predictor, 3)
    found = FoldNetworks(final.predictor, 3).outputs(X, FOLD)
    np.testing.assert_allclose(found, final.outputs, rtol=1e-3, atol=1e-3)
    other = FoldNetworks(final.predictor, 3).outputs(X, (FOLD + 1) % 3)
    assert np.abs(other - final.outputs).max() > 0.01


def test_weighed_genes_and_several_transforms_keep_their_folds(monkeypatch, tmp_path):
    monkeypatch.setattr(_selection, "select", lambda outputs, _: np.full(len(outputs), 0.25))
    folds = in_folds(data={"transform": ["log1p", "none"]})
    tried = [(name, values | {"transform": kind}) for kind in ("log1p", "none")
             for name, values in POWERED]  # fmt: skip
    final = one_epoch(folds, tried)
    final.predictor.save(tmp_path / "model.keras")
    loaded = Predictor.load(tmp_path / "model.keras")
    assert len(loaded.branches) == 2
    found = FoldNetworks(loaded, 3).outputs(X, FOLD)
    np.testing.assert_allclose(found, final.outputs, rtol=1e-3, atol=1e-3)


def test_gaps_are_filled_in_the_networks_of_a_fold():
    final = one_epoch(in_folds(), TRIED[:2])
    gaps, filled = X.copy(), X.copy()
    gaps[:, :3], filled[:, :3] = np.nan, X[:, :3].mean(axis=0)
    networks = FoldNetworks(final.predictor, 3)
    np.testing.assert_allclose(
        networks.outputs(gaps, FOLD), networks.outputs(filled, FOLD), rtol=1e-3, atol=1e-3
    )


def test_other_folds_than_those_of_training_and_models_of_one_network_have_none():
    folds = in_folds()
    predictor = one_epoch(folds, TRIED[:2]).predictor
    assert not FoldNetworks.has_folds(predictor, 5)
    (result,) = results(folds, TRIED[1:2], epochs=1)
    family, values = TRIED[1]
    alone = folds.final_model(Configuration(family, values), result.fit, 1.0)
    assert not FoldNetworks.has_folds(alone, 3)


def test_a_refit_on_all_rows_leaves_the_networks_of_its_folds():
    folds = in_folds(training={"epochs": 1})
    trial = results(folds, TRIED[1:2], epochs=1)[0].trial
    final = _refit.train(folds, trial, 1).final_model(folds)
    assert not FoldNetworks.has_folds(final.predictor, 3)
    found = FoldNetworks(final.folds(), 3).outputs(X, FOLD)
    np.testing.assert_allclose(found, final.outputs, rtol=1e-3, atol=1e-3)
    single = in_folds(splits=SPLITS[:1], training={"epochs": 1})
    assert _refit.train(single, Trial(1, *TRIED[1]), 1).final_model(single).folds is None


# Selection -----------------------------------------------------------------------------------


def outputs(right):
    """Logits that are right with a certainty for each row."""
    signs = np.where(Y[:, None] == np.arange(2), 1.0, -1.0)
    return signs * np.asarray(right)[:, None]


def skill(folds):
    """Return the function by which candidates are chosen."""
    return functools.partial(_average._skill, folds)


def test_candidates_that_make_up_for_each_other_share():
    folds = in_folds()
    first, second = np.where(np.arange(ROWS) % 2, 4.0, -1.0), np.where(np.arange(ROWS) % 2, -1.0, 4)
    shares = _selection.select(
        [outputs(first), outputs(second), outputs(np.full(ROWS, -3.0))], skill(folds)
    )
    np.testing.assert_allclose(shares, [0.5, 0.5, 0.0], atol=0.05)


def test_a_candidate_that_is_always_better_stands_alone():
    folds = in_folds()
    candidates = [outputs(np.full(ROWS, 0.1)), outputs(np.full(ROWS, 3.0))]
    np.testing.assert_array_equal(_selection.select(candidates, skill(folds)), [0.0, 1.0])


def test_the_choice_is_never_worse_than_the_best_candidate():
    folds = in_folds()
    candidates = [outputs(RANDOM.normal(1, 2, ROWS)) for _ in range(5)]
    shares = _selection.select(candidates, skill(folds))
    chosen = sum(share * one for share, one in zip(shares, candidates, strict=True))
    alone = [folds.score(folds.validation_rows, one) for one in candidates]
    assert folds.score(folds.validation_rows, chosen) <= min(alone)
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("asked", "rows", "size"), [("auto", 999, 10), ("auto", 1000, 3), (4, 9, 4)]
)
def test_size_goes_by_rows(asked, rows, size):
    assert _selection.size_for(asked, rows) == size


def test_where_the_objective_is_undefined_the_first_stands_alone():
    folds = in_folds("regression", search={"objective": "pearson"})
    flat = [np.zeros((ROWS, 2)), np.ones((ROWS, 2))]
    np.testing.assert_array_equal(_selection.select(flat, skill(folds)), [1.0, 0.0])


# Constants taken over ------------------------------------------------------------------------


def test_a_layer_behind_other_constants_is_the_same_layer():
    own, other = (
        FittedScaling.of(Moments.of([rows]), genes=genes)
        for rows, genes in ((X[:30], np.arange(0, GENES, 2)), (X, None))
    )
    kernel, bias = RANDOM.normal(size=(len(own.genes), 3)), RANDOM.normal(size=3)
    taken, offset = other.take_over(own, kernel, bias)
    expected = own.apply(X) @ kernel + bias
    np.testing.assert_allclose(other.apply(X) @ taken + offset, expected, rtol=1e-4, atol=1e-4)


def test_what_others_have_trained_is_trained_again_while_time_lasts(monkeypatch):
    folds = in_folds()
    found = results(folds)
    again = []

    def recorded(result):
        trial = dataclasses.replace(result.trial, seconds=10.0)

        def retrain():
            again.append(trial.number)
            return result

        return TrialResult(trial, retrain=retrain)

    late, known = [recorded(one) for one in found[:2]], found[2:]
    _average.average(folds, [*late, *known], time.monotonic() + 5)
    assert again == [0]  # the first in any case, and no second
    _average.average(folds, [*late, *known], time.monotonic() + 60)
    assert again == [0, 0, 1]
