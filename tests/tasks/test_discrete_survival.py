"""Survival in bins of time: likelihood, curves, and hazards that are not proportional."""

import keras
import numpy as np
import pandas as pd
import pytest
import sksurv.metrics
import sksurv.util
from folds import config_of, cross_validation, thirds

from autogenome_tf.tasks import Survival, task_from_names
from autogenome_tf.tasks._discrete_survival import LIKELIHOOD, DiscreteSurvival
from autogenome_tf.tasks.discrete_hazards import Bins
from autogenome_tf.training import Configuration, Plan

RANDOM = np.random.default_rng(1)
ROWS = 200
TIMES = RANDOM.exponential(size=ROWS) + 0.01
ENDS = 1.5 * RANDOM.exponential(size=ROWS) + 0.01
TARGETS = np.stack([np.minimum(TIMES, ENDS), (TIMES <= ENDS).astype(float)], axis=1)
BINS = Bins.of(TARGETS)
TASK = DiscreteSurvival(["time", "event"], bins=BINS)
OUTPUTS = RANDOM.normal(size=(ROWS, len(BINS)))


def likelihood(targets, logits, edges):
    """The log-likelihood of each row, bin by bin."""
    found = []
    for (time, event), own in zip(targets, logits, strict=True):
        total = 0.0
        for start, end, logit in zip(edges[:-1], edges[1:], own, strict=True):
            hazard = 1 / (1 + np.exp(-logit))
            if time > end or (time == end and not event):
                total += np.log(1 - hazard)
            elif time > start and event:
                total += np.log(hazard)
            elif time > start:
                total += (time - start) / (end - start) * np.log(1 - hazard)
        found.append(total)
    return np.array(found)


def test_the_loss_is_the_likelihood_of_bins():
    expected = -likelihood(TARGETS, OUTPUTS + BINS.logits, BINS.edges)
    encoded = TASK.encode(TARGETS)
    losses = TASK.row_losses(encoded, keras.ops.cast(OUTPUTS, "float64"))
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    stacked = TASK.stacked_losses(
        keras.ops.stack([encoded, encoded[::-1]]), keras.ops.stack([OUTPUTS, OUTPUTS[::-1]])
    )
    np.testing.assert_allclose(stacked, np.stack([expected, expected[::-1]]), rtol=1e-6)
    found = TASK.log_likelihoods(encoded, OUTPUTS[None], np.ones(ROWS))
    np.testing.assert_allclose(found, -expected.mean(), rtol=1e-6)


def test_a_censored_row_has_the_likelihood_of_its_survival():
    rows = TARGETS[:, 1] == 0
    survival = TASK.survival(OUTPUTS[rows], TARGETS[rows, :1])[:, 0]
    np.testing.assert_allclose(
        np.log(survival), likelihood(TARGETS[rows], OUTPUTS[rows], BINS.edges), rtol=1e-9
    )


def test_bins_have_equal_shares_of_events_and_the_usual_hazards_are_their_rates():
    assert 10 <= len(BINS) <= 20 and BINS.edges[0] == 0
    passed, found = BINS.counts(TARGETS)
    counts = found.sum(axis=0)
    assert counts.max() - counts.min() <= 1
    rates = (counts + 0.5) / (counts + passed.sum(axis=0) + 1)
    np.testing.assert_allclose(1 / (1 + np.exp(-BINS.logits)), rates, rtol=1e-9)
    usual = np.tile(BINS.logits, (1, 1))
    known = BINS.survival(usual, BINS.edges[1:])[0]
    np.testing.assert_allclose(known, BINS.without_genes(BINS.edges[1:]), atol=0.05)


def test_survival_falls_to_one_half_at_the_median():
    median = BINS.median(OUTPUTS)
    known = np.isfinite(median)
    survival = BINS.survival(OUTPUTS[known], median[known, None])
    np.testing.assert_allclose(survival, 0.5, atol=1e-9)
    never = np.full((1, len(BINS)), -9.0)
    assert np.isnan(BINS.median(never)[0])


def test_metrics_are_scikit_survivals_and_start_at_0():
    found = TASK.metrics(TARGETS, OUTPUTS)
    own = sksurv.util.Surv.from_arrays(TARGETS[:, 1] > 0, TARGETS[:, 0])
    grid = TASK.rows(TARGETS, OUTPUTS).grid
    expected = sksurv.metrics.integrated_brier_score(own, own, TASK.survival(OUTPUTS, grid), grid)
    np.testing.assert_allclose(found["brier"][0], expected, atol=1e-6)
    c = sksurv.metrics.concordance_index_censored(own["event"], own["time"], OUTPUTS.mean(axis=1))
    np.testing.assert_allclose(found["concordance"][0], c[0], atol=1e-6)
    usual = np.tile(BINS.logits, (ROWS, 1))
    assert TASK.metric(LIKELIHOOD, TARGETS, usual)[0] == pytest.approx(0)
    assert TASK.score(LIKELIHOOD, TASK.encode(TARGETS), 0 * OUTPUTS) == pytest.approx(0)


def test_the_divisor_of_log_odds_calibrates_them():
    encoded = TASK.encode(TARGETS)
    divisor = TASK.temperature(encoded, OUTPUTS)
    scores = [TASK.score(LIKELIHOOD, encoded, OUTPUTS / by) for by in (divisor, 0.8 * divisor)]
    assert scores[0] >= scores[1] and divisor > 1


def test_a_task_comes_back_from_the_names_of_a_model_and_outputs_from_predictions():
    again = task_from_names({"task": "survival", **TASK.names()})
    frame = TASK.frame(OUTPUTS)
    pd.testing.assert_frame_equal(again.frame(OUTPUTS), frame)
    np.testing.assert_allclose(TASK.outputs_of(frame), OUTPUTS, atol=1e-6)
    assert list(frame)[0] == "risk" and "median" in frame
    served = TASK.survival_in_graph(keras.ops.cast(OUTPUTS, "float32"))
    np.testing.assert_allclose(served, TASK.survival(OUTPUTS, BINS.quartiles), atol=1e-5)


def test_drawn_times_follow_the_hazards():
    drawn = TASK.drawn(3 * OUTPUTS[:, :1] + BINS.logits, TASK.encode(TARGETS), RANDOM)
    assert drawn.shape == TASK.encode(TARGETS).shape
    own = TASK.metric("concordance", drawn, 3 * OUTPUTS[:, :1] + BINS.logits)[0]
    assert own > 0.8


def test_hazards_that_cross_are_found():
    """A gene that brings early events forward and late ones back has no effect on average."""
    random = np.random.default_rng(2)
    values = random.normal(size=(600, 5)).astype("float32")
    values[:, 0] = np.sign(values[:, 0])
    times = random.weibull(np.where(values[:, 0] > 0, 3.0, 0.5)) + 1e-3
    ends = 3 * random.exponential(size=600) + 1e-3
    targets = np.stack([np.minimum(times, ends), (times <= ends).astype(float)], axis=1)
    bins = Bins.of(targets)
    task = DiscreteSurvival(["time", "event"], bins=bins)
    folds = cross_validation(values, task.encode(targets), task, thirds(600))
    of_cox = Survival(["time", "event"])
    plain = cross_validation(values, targets, of_cox, thirds(600))
    plan = Plan.of(folds.settings.training, 1)
    ratios = []
    for own, loss in ((folds, "hazard"), (plain, "cox")):
        fit = own.fit(Configuration("linear", {"l2": 0.01, "loss": loss}), plan, 1)
        outputs = own.validation_outputs(fit.validation)
        outputs = outputs / own.temperature(outputs) + (bins.logits if loss == "hazard" else 0)
        ratios.append(own.task.metric("brier_ratio", targets, outputs)[0])
    assert ratios[0] < 0.94 and ratios[1] > 0.98, ratios


def test_config_names_the_loss():
    assert config_of("survival").task.kind is Survival
    chosen = config_of("survival", task={"loss": "hazard"})
    assert chosen.task.kind is DiscreteSurvival and chosen.objective == LIKELIHOOD
