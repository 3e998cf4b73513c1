"""Survival: events in the words of clinical tables, partial likelihood, and metrics.

Metrics are compared with scikit-survival, the partial likelihood with lifelines.
"""

import lifelines
import numpy as np
import pandas as pd
import pytest
import sksurv.linear_model
import sksurv.metrics
import sksurv.nonparametric
import sksurv.util
import tensorflow as tf

from autogenome_tf import metrics
from autogenome_tf.tasks import Survival, _cox_loss, task_from_names
from autogenome_tf.tasks._events import read_events, read_times
from autogenome_tf.tasks._gene_statistics import of_correlation
from autogenome_tf.tasks.class_metrics import TEMPERATURES
from autogenome_tf.tasks.hazards import Baseline, censoring, martingale_residuals, stepped
from autogenome_tf.tasks.partial_likelihood import RiskSets
from autogenome_tf.tasks.survival_metrics import METRICS, SurvivalRows
from autogenome_tf.training._linear import SOLVERS, LinearRows

RANDOM = np.random.default_rng(0)
ROWS = 150
GENES = RANDOM.normal(size=(ROWS, 6))
TRUE = GENES[:, 0] - GENES[:, 1]


def drawn(random, risks):
    """Times in halves, so that there are ties, and events; a third or so censored."""
    times = np.ceil(20 * random.exponential(size=len(risks)) / np.exp(risks)) / 2
    ends = np.ceil(40 * random.exponential(size=len(risks))) / 2
    return np.stack([np.minimum(times, ends), (times <= ends).astype(float)], axis=1)


TARGETS = drawn(RANDOM, TRUE)
TIMES, EVENTS = TARGETS.T
RISKS = TRUE + 0.5 * RANDOM.normal(size=ROWS)
RISKS[5] = RISKS[9]
STRUCTURED = sksurv.util.Surv.from_arrays(EVENTS > 0, TIMES)
BASELINE = Baseline.of(TARGETS, RISKS)
SCORED = SurvivalRows(TARGETS, RISKS, BASELINE)
TASK = Survival(["time", "event"])


def column(*values, name="event"):
    """A column of a clinical table."""
    return pd.Series(values, [f"p{i}" for i in range(len(values))], name=name)


# Words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "censored"),
    [
        (1, 0), (1.0, 0.0), ("1", "0"), (True, False), ("TRUE", "false"), ("Dead", "Alive"),
        ("1:DECEASED", "0:LIVING"), ("1:Recurred/Progressed", "0:DiseaseFree"),
        ("deceased", "living"), ("yes", "no"), ("1:DEAD WITH TUMOR", "0:ALIVE OR DEAD TUMOR FREE"),
    ],
)  # fmt: skip
def test_events_are_known_by_their_words(event, censored, caplog):
    with caplog.at_level("INFO", "autogenome_tf"):
        found = read_events(column(event, censored, event))
    assert found.tolist() == [1, 0, 1]
    assert "is an event (2 rows)" in caplog.text and "is censored (1 rows)" in caplog.text


@pytest.mark.parametrize(
    ("name", "values", "is_doubtful"),
    [
        ("censored", (1, 0), True), ("is_alive", ("yes", "no"), True), ("Censor", ("T", "F"), True),
        ("censoring", ("Censored", "Uncensored"), False), ("death", (1, 0), False),
        ("uncensored", (1, 0), False), ("adolescence", (1, 0), False),
    ],
)  # fmt: skip
def test_a_heading_that_asks_for_the_reverse_is_a_warning(name, values, is_doubtful, caplog):
    read_events(column(*values, name=name))
    assert ("all risks are reversed" in caplog.text) == is_doubtful


def test_competing_events_are_refused_with_a_way_out():
    with pytest.raises(ValueError, match="event: .* codes 0, 1, 2. Competing .* write 1 for the"):
        read_events(column(0, 1, 2))


def test_codes_of_r_are_refused_with_a_way_out():
    with pytest.raises(ValueError, match="In R's survival 2 is the event: subtract 1"):
        read_events(column(1, 2, 2))


def test_a_code_that_contradicts_its_word_is_refused():
    with pytest.raises(ValueError, match="event: '0:DECEASED': the code 0 means censored, the"):
        read_events(column("0:DECEASED", "1:LIVING"))


def test_an_unknown_word_is_refused_by_its_sample():
    with pytest.raises(ValueError, match="event: sample p1: .* received 'perhaps'. Write 1 for"):
        read_events(column("dead", "perhaps"))


@pytest.mark.parametrize("wrong", [0, -1.5, "soon", np.inf])
def test_times_are_above_0(wrong):
    with pytest.raises(ValueError, match="time: sample p1: expected a time above 0"):
        read_times(column(2.0, wrong, name="time"))


def test_a_single_column_is_refused():
    with pytest.raises(ValueError, match=r"the event, in this order.*received \[\'time\'\]"):
        Survival.read(pd.DataFrame({"time": [1.0]}))


def test_nothing_is_learned_of_a_single_event():
    with pytest.raises(ValueError, match="death: 1 events in 2 samples; expected at least 2"):
        Survival.check_learnable(np.array([[1.0, 1.0], [2.0, 0.0]]), ["days", "death"])
    # Without a censored row, the event is constant and there is much to predict.
    Survival.check_learnable(np.array([[1.0, 1.0], [2.0, 1.0]]), ["days", "death"])


def test_few_events_are_a_warning():
    is_test = np.arange(ROWS) < 20
    (text,) = Survival.doubts(TARGETS, is_test)
    assert text.startswith(f"The test part has {int(EVENTS[:20].sum())} events in 20 samples")


# Partial likelihood --------------------------------------------------------------------------


def test_the_partial_likelihood_is_that_of_lifelines():
    frame = pd.DataFrame(GENES, columns=list("abcdfg")).assign(time=TIMES, event=EVENTS)
    fitted = lifelines.CoxPHFitter().fit(frame, "time", "event")
    losses = RiskSets(TIMES, EVENTS).losses(GENES @ fitted.params_.to_numpy())
    assert (losses[EVENTS == 0] == 0).all()
    np.testing.assert_allclose(-losses.sum(), fitted.log_likelihood_, rtol=1e-9)


def test_slopes_are_those_of_the_loss():
    sets, step = RiskSets(TIMES, EVENTS), 1e-5
    _, slopes = sets.losses_and_slopes(RISKS)
    for row in range(0, ROWS, 13):
        moved = np.eye(ROWS)[row] * step
        apart = sets.losses(RISKS + moved).sum() - sets.losses(RISKS - moved).sum()
        np.testing.assert_allclose(slopes[row], apart / (2 * step), atol=1e-6)


def test_stacked_sets_of_rows_have_risk_sets_of_their_own():
    other = drawn(np.random.default_rng(1), TRUE)
    targets = tf.constant(np.stack([TARGETS, other]))
    risks = tf.constant(np.stack([RISKS, TRUE]).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(risks)
        losses = _cox_loss.losses(targets, risks)
        total = tf.reduce_sum(losses)
    slopes = np.asarray(tape.gradient(total, risks))
    for number, (own, values) in enumerate([(TARGETS, RISKS), (other, TRUE)]):
        sets = RiskSets(*own.T)
        np.testing.assert_allclose(losses[number], sets.losses(values), atol=1e-4)
        np.testing.assert_allclose(slopes[number], sets.losses_and_slopes(values)[1], atol=1e-4)


def test_far_risks_do_not_overflow():
    risks = tf.constant((RISKS * 200).astype("float32"))[None]
    assert np.isfinite(_cox_loss.losses(tf.constant(TARGETS)[None], risks)).all()
    assert np.isfinite(RiskSets(TIMES, EVENTS).losses(RISKS * 200)).all()


def test_weights_are_repeated_rows():
    index = np.random.default_rng(2).integers(0, ROWS, ROWS)
    weights = np.bincount(index, minlength=ROWS).astype(float)[None]
    # Without ties; with them R's survival does not repeat rows either.
    times = TIMES + 0.01 * np.arange(ROWS) / ROWS
    found = RiskSets(times, EVENTS).mean_log_likelihood(RISKS, weights)[0]
    at_risk = times[index] >= times[index][:, None]
    each = RISKS[index] - np.log(at_risk @ np.exp(RISKS[index]))
    np.testing.assert_allclose(found, each[EVENTS[index] > 0].mean(), rtol=1e-9)


@pytest.mark.parametrize("l2", [0.1, 0.001])
def test_cox_regression_with_a_ridge_penalty_is_scikit_survivals(l2):
    rows = LinearRows(GENES, TARGETS, np.ones(ROWS), 1, GENES.shape[1])
    ((kernel, bias),) = SOLVERS["cox"]().path(rows, [l2])
    expected = sksurv.linear_model.CoxPHSurvivalAnalysis(
        alpha=2 * l2 * ROWS, ties="efron", tol=1e-12
    ).fit(GENES, STRUCTURED)
    np.testing.assert_allclose(kernel[:, 0], expected.coef_, atol=1e-6)
    np.testing.assert_allclose((GENES @ kernel + bias).mean(), 0, atol=1e-9)


def test_calibrated_risks_have_a_slope_of_one():
    fitted = sksurv.linear_model.CoxPHSurvivalAnalysis(ties="efron", tol=1e-12)
    slope = fitted.fit(3 * RISKS[:, None], STRUCTURED).coef_[0]
    np.testing.assert_allclose(TASK.temperature(TARGETS, 3 * RISKS[:, None]), 1 / slope, rtol=1e-3)


def test_outputs_of_folds_are_compared_without_their_level():
    part = TASK.comparable(RISKS[:20, None] + 5)
    np.testing.assert_allclose(part.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(part, TASK.comparable(RISKS[:20, None]), atol=1e-9)


def test_gene_statistics_see_training_rows_only():
    train = np.arange(100)
    batches = [(train[:60], GENES[:60]), (train[60:], GENES[60:100])]
    found = TASK.gene_statistics(iter(batches), TARGETS, np.ones(ROWS))
    changed = TARGETS.copy()
    changed[100:] = changed[100:][::-1]
    again = TASK.gene_statistics(iter(batches), changed, np.ones(ROWS))
    np.testing.assert_array_equal(found, again)
    assert set(np.argsort(-found)[:2]) == {0, 1}
    residuals = martingale_residuals(TARGETS[:100])
    np.testing.assert_allclose(residuals.sum(), 0, atol=1e-9)
    expected = of_correlation([(train, GENES[:100])], residuals[:, None])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# Metrics -------------------------------------------------------------------------------------


def test_metrics_are_scikit_survivals():
    found = {name: value[0] for name, value in SCORED.all(METRICS).items()}
    expected = {
        "concordance": sksurv.metrics.concordance_index_censored(EVENTS > 0, TIMES, RISKS)[0],
        "concordance_uno": sksurv.metrics.concordance_index_ipcw(STRUCTURED, STRUCTURED, RISKS)[0],
        "brier": sksurv.metrics.integrated_brier_score(
            STRUCTURED, STRUCTURED, BASELINE.survival(RISKS, SCORED.grid), SCORED.grid
        ),
    }
    known = np.tile(BASELINE.without_genes(SCORED.grid), (ROWS, 1))
    expected["brier_ratio"] = expected["brier"] / sksurv.metrics.integrated_brier_score(
        STRUCTURED, STRUCTURED, known, SCORED.grid
    )
    for name, time in zip(["auc_q25", "auc_median", "auc_q75"], BASELINE.quartiles, strict=True):
        areas, _ = sksurv.metrics.cumulative_dynamic_auc(STRUCTURED, STRUCTURED, RISKS, [time])
        expected[name] = areas[0]
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6, err_msg=name)
    null = RiskSets(TIMES, EVENTS).losses(np.zeros(ROWS)).sum()
    gain = null - RiskSets(TIMES, EVENTS).losses(RISKS).sum()
    np.testing.assert_allclose(found["partial_log_likelihood"], gain / EVENTS.sum(), rtol=1e-9)
    assert set(found) == set(expected) | {"partial_log_likelihood", "d_calibration"}


def test_antolinis_c_is_harrells_under_proportional_hazards():
    survival = BASELINE.survival(RISKS, TIMES)
    right = total = 0.0
    for first in np.flatnonzero(EVENTS):
        later = (TIMES > TIMES[first]) | ((TIMES == TIMES[first]) & (EVENTS == 0))
        apart = survival[later, first] - survival[first, first]
        right += (apart > 1e-12).sum() + 0.5 * (np.abs(apart) <= 1e-12).sum()
        total += later.sum()
    np.testing.assert_allclose(SCORED.harrell()[0], right / total, atol=1e-6)


@pytest.mark.parametrize("name", ["concordance", "brier", "d_calibration"])
def test_a_resample_is_its_rows(name):
    index = np.random.default_rng(3).integers(0, ROWS, (2, ROWS))
    task = TASK.with_baseline(TARGETS, RISKS[:, None])
    found = task.metrics(TARGETS, RISKS[:, None], index)[name]
    assert found.shape == (2,)
    if name == "concordance":
        own = (EVENTS[index[0]] > 0, TIMES[index[0]], RISKS[index[0]])
        expected = sksurv.metrics.concordance_index_censored(*own)[0]
        np.testing.assert_allclose(found[0], expected, atol=1e-6)
    elif name == "d_calibration":
        tenths = SCORED.tenths()[index[0]].mean(axis=0)
        np.testing.assert_allclose(found[0], np.abs(tenths - 0.1).sum() / 2, atol=1e-9)


def test_calibrated_survival_fills_all_tenths_alike():
    random = np.random.default_rng(4)
    risks = random.normal(size=4000)
    times = random.exponential(size=4000) / np.exp(risks)
    ends = 3 * random.exponential(size=4000)
    targets = np.stack([np.minimum(times, ends), (times <= ends).astype(float)], axis=1)
    task = TASK.with_baseline(targets, risks[:, None])
    assert task.score("d_calibration", targets, risks[:, None]) < 0.03
    assert task.score("d_calibration", targets, 4 * risks[:, None]) > 0.1


def test_random_risks_have_no_skill():
    task = TASK.with_baseline(TARGETS, RISKS[:, None])
    holds = 0
    for guessed in np.random.default_rng(5).normal(size=(20, ROWS, 1)):
        found = metrics.with_intervals(task, TARGETS, guessed, seed=1, resamples=100)
        holds += found["concordance"]["low"] < 0.5 < found["concordance"]["high"]
    assert holds >= 16
    skilled = metrics.with_intervals(task, TARGETS, RISKS[:, None], seed=1, resamples=200)
    assert skilled["concordance"]["low"] > 0.5 and skilled["brier_ratio"]["high"] < 1


def test_a_search_scores_without_a_baseline_of_its_own():
    assert TASK.score("concordance", TARGETS, RISKS[:, None]) == SCORED.harrell()[0]
    assert np.isfinite(TASK.score("brier_ratio", TARGETS, RISKS[:, None]))


# Curves --------------------------------------------------------------------------------------


def test_curves_are_scikit_survivals():
    times, shares = sksurv.nonparametric.kaplan_meier_estimator(EVENTS > 0, TIMES)
    np.testing.assert_allclose(BASELINE.without_genes(times), shares, atol=1e-12)
    times, shares = sksurv.nonparametric.kaplan_meier_estimator(EVENTS > 0, TIMES, reverse=True)
    np.testing.assert_allclose(censoring(TARGETS, times), shares, atol=1e-12)
    fitted = sksurv.linear_model.CoxPHSurvivalAnalysis(ties="breslow").fit(GENES, STRUCTURED)
    own = Baseline.of(TARGETS, GENES @ fitted.coef_)
    expected = fitted.cum_baseline_hazard_
    np.testing.assert_allclose(own.hazard_at(expected.x), expected.y, rtol=1e-6)


def test_survival_falls_to_one_half_at_the_median():
    median = BASELINE.median(RISKS)
    known = np.isfinite(median)
    rows = np.arange(ROWS)[known]
    survival = BASELINE.survival(RISKS[known], BASELINE.times)
    for row, curve in zip(rows, survival, strict=True):
        place = np.searchsorted(BASELINE.times, median[row])
        assert curve[place] <= 0.5 and (place == 0 or curve[place - 1] > 0.5)
    assert known.any()
    late = BASELINE.survival(RISKS[~known], BASELINE.times[-1:])
    assert (late > 0.5).all()


def test_a_task_comes_back_from_the_names_of_a_model():
    task = TASK.with_baseline(TARGETS, RISKS[:, None])
    again = task_from_names({"task": "survival", **task.names()})
    pd.testing.assert_frame_equal(again.frame(RISKS[:5, None]), task.frame(RISKS[:5, None]))
    frame = task.frame(RISKS[:, None])
    assert list(frame) == ["risk", *(f"survival_{t:g}" for t in BASELINE.quartiles), "median"]
    assert stepped(np.array([1.0]), np.array([0.5]), np.array([0.9, 1.0]), 1.0).tolist() == [1, 0.5]


def test_targets_that_are_drawn_follow_the_risks():
    random = np.random.default_rng(6)
    found = [TASK.drawn(2 * RISKS[:, None], TARGETS, random) for _ in range(20)]
    scores = [TASK.score("concordance", own, RISKS[:, None]) for own in found]
    assert np.mean(scores) > 0.75
    assert all((own[:, 0] > 0).all() for own in found)


def test_a_log_likelihood_is_that_of_calibrated_log_risks():
    random = np.random.default_rng(1)
    risks = random.normal(size=(60, 1))
    times = random.exponential(size=60) / np.exp(risks[:, 0])
    targets = np.stack([times, random.random(60) < 0.7], axis=1).astype(float)
    task, weights = Survival(["time", "event"]), np.ones(60)
    own, other, steep = task.log_likelihoods(targets, np.stack([risks, -risks, 4 * risks]), weights)
    assert own > other + 0.1
    # A factor of all log-risks is undone by calibration.
    assert steep == pytest.approx(own, abs=0.02)
    best = max(
        -RiskSets(*targets.T).losses(risks[:, 0] / divisor).sum() / targets[:, 1].sum()
        for divisor in TEMPERATURES
    )
    assert own == pytest.approx(best, rel=1e-9)
