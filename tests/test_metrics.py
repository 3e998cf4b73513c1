"""What the metrics promise: scikit-learn's numbers, and intervals that mean what they say."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
from sklearn import metrics as reference

from autogenome_tf import metrics
from autogenome_tf.tasks import KINDS, Classification, DiscreteSurvival, Mixed, Regression, Survival
from autogenome_tf.tasks.class_metrics import LEAST_PROBABILITY
from autogenome_tf.tasks.discrete_hazards import Bins

pytestmark = pytest.mark.filterwarnings("error")

TASKS = {"classification": Classification(["a", "b"]), "regression": Regression(["y"])}


def classes_and_logits(classes, rows=150, seed=0):
    """Labels that logits know something about; logits are rounded, so that chances tie."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.arange(rows) % classes)
    logits = random.normal(size=(rows, classes)) + 1.0 * np.eye(classes)[truth]
    return truth, np.round(logits)


def values_and_targets(targets, rows=80, seed=0):
    """Values that follow the truth, both rounded, so that ranks tie."""
    random = np.random.default_rng(seed)
    truth = np.round(random.normal(size=(rows, targets)) * 3) + 5
    return truth, np.round(truth + random.normal(size=(rows, targets)))


def survival(rows, seed=0):
    """Times and events, some censored, and the log-risks behind them."""
    random = np.random.default_rng(seed)
    risks = random.normal(size=rows)
    times, ends = random.exponential(size=rows) / np.exp(risks), 3 * random.exponential(size=rows)
    return np.stack([np.minimum(times, ends), (times <= ends).astype(float)], axis=1), risks


def point(scores):
    """The estimate on the sample itself."""
    assert all(value.shape == (1,) for value in scores.values())
    return {name: value[0] for name, value in scores.items()}


# Equality with scikit-learn and SciPy ------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classification_metrics_equal_scikit_learns(classes):
    truth, logits = classes_and_logits(classes)
    chances = scipy.special.softmax(logits, axis=1)
    predicted = chances.argmax(1)
    binary = {"y_score": chances[:, 1]}
    several = {"y_score": chances, "multi_class": "ovr", "average": "macro"}
    found = point(metrics.classification(truth, logits))
    assert found == pytest.approx(
        {
            "accuracy": reference.accuracy_score(truth, predicted),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
            "f1_macro": reference.f1_score(truth, predicted, average="macro"),
            "mcc": reference.matthews_corrcoef(truth, predicted),
            "roc_auc": reference.roc_auc_score(truth, **(binary if classes == 2 else several)),
            "log_loss": reference.log_loss(truth, chances),
        },
        abs=1e-12,
    )
    assert 0.4 < found["accuracy"] < 0.9  # neither trivial nor chance


@pytest.mark.parametrize("targets", [1, 3])
def test_regression_metrics_equal_scikit_learns_averaged_over_targets(targets):
    truth, values = values_and_targets(targets)
    columns = list(zip(truth.T, values.T, strict=True))
    found = point(metrics.regression(truth, values))
    assert found == pytest.approx(
        {
            "r2": reference.r2_score(truth, values),
            "pearson": np.mean([scipy.stats.pearsonr(*pair)[0] for pair in columns]),
            "spearman": np.mean([scipy.stats.spearmanr(*pair)[0] for pair in columns]),
            "rmse": reference.root_mean_squared_error(truth, values),
            "mae": reference.mean_absolute_error(truth, values),
        },
        abs=1e-12,
    )
    assert 0.5 < found["spearman"] < 0.99


def test_a_class_that_occurs_nowhere_changes_nothing():
    truth, logits = classes_and_logits(3)
    wider = np.c_[logits, np.full(len(logits), -800.0)]
    assert point(metrics.classification(truth, wider)) == pytest.approx(
        point(metrics.classification(truth, logits))
    )


def test_a_chance_of_zero_for_the_true_class_costs_a_finite_loss():
    found = point(metrics.classification(np.array([0, 1]), np.array([[0.0, 999.0], [0.0, 9.0]])))
    assert found["log_loss"] == pytest.approx(-np.log(LEAST_PROBABILITY) / 2, rel=1e-3)


def test_every_objective_of_the_config_is_a_metric_with_a_direction():
    assert list(point(metrics.classification(*classes_and_logits(2)))) != []
    for kind, score, sample in (
        ("classification", metrics.classification, classes_and_logits(2)),
        ("regression", metrics.regression, values_and_targets(1)),
    ):
        assert set(point(score(*sample))) == set(KINDS[kind].objectives)
        assert set(KINDS[kind].objectives) <= set(metrics.HIGHER_IS_BETTER)


def test_the_direction_of_every_metric_points_from_worse_to_better():
    truth, logits = classes_and_logits(3)
    values, guesses = values_and_targets(1)
    worse = metrics.classification(truth, logits) | metrics.regression(values, guesses)
    worse["elbo"] = -2.0
    sharper = logits + 2 * np.eye(3)[truth]
    nearer = (values + guesses) / 2
    better = metrics.classification(truth, sharper) | metrics.regression(values, nearer)
    better["elbo"] = -1.0
    mixed = Mixed.of(["a"], [Classification(["x", "y", "z"])])
    for found, own in ((worse, logits), (better, sharper)):
        found["skill"] = mixed.metric("skill", truth[:, None], own)
    targets, risks = survival(200)
    task = Survival(["time", "event"]).with_baseline(targets, risks[:, None])
    bins = Bins.of(targets)
    of_bins = DiscreteSurvival(["time", "event"], bins=bins)
    for found, own in ((worse, 3 * np.roll(risks, 1)), (better, risks)):
        found |= of_bins.metrics(targets, own[:, None] + bins.logits)
        found |= task.metrics(targets, own[:, None])
    for name, is_higher in metrics.HIGHER_IS_BETTER.items():
        assert (better[name] > worse[name]) == is_higher, name


# Weights and resamples ---------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 7])
def test_weights_equal_repeated_rows(classes):
    truth, logits = classes_and_logits(classes)
    weights = np.random.default_rng(1).integers(0, 4, (3, len(truth)))
    weighted = metrics.classification(truth, logits, weights)
    for sample, counts in enumerate(weights):
        rows = np.repeat(np.arange(len(truth)), counts)
        repeated = point(metrics.classification(truth[rows], logits[rows]))
        for name, value in repeated.items():
            assert weighted[name][sample] == pytest.approx(value, abs=1e-12), name


def test_resamples_of_a_regression_equal_taken_rows():
    truth, values = values_and_targets(2)
    index = np.random.default_rng(1).integers(0, len(truth), (3, len(truth)))
    drawn = metrics.regression(truth, values, index)
    for sample, rows in enumerate(index):
        for name, value in point(metrics.regression(truth[rows], values[rows])).items():
            assert drawn[name][sample] == pytest.approx(value, abs=1e-12), name


# Intervals ---------------------------------------------------------------------------------


def test_the_interval_of_accuracy_agrees_with_the_binomial_one():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400)
    is_right = np.arange(400) < 320
    logits = 2.0 * np.eye(2)[np.where(is_right, truth, 1 - truth)]
    sample = TASKS["classification"], truth, logits
    found = metrics.with_intervals(*sample, seed=1, resamples=4000)["accuracy"]
    assert found["value"] == 0.8
    low, high = scipy.stats.binom.ppf([0.025, 0.975], 400, 0.8) / 400
    assert found["low"] == pytest.approx(low, abs=0.004)
    assert found["high"] == pytest.approx(high, abs=0.004)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_intervals_contain_the_value_and_repeat_with_the_seed(kind):
    sample = classes_and_logits(3) if kind == "classification" else values_and_targets(2)
    found = metrics.with_intervals(TASKS[kind], *sample, seed=1, resamples=300)
    assert set(found) == set(KINDS[kind].objectives)
    for name, metric in found.items():
        assert metric["low"] < metric["value"] < metric["high"], name
    assert found == metrics.with_intervals(TASKS[kind], *sample, seed=1, resamples=300)
    other = metrics.with_intervals(TASKS[kind], *sample, seed=2, resamples=300)
    assert all(other[name]["low"] != found[name]["low"] for name in ("roc_auc", "rmse", "r2")
               if name in found)  # fmt: skip
    assert all(other[name]["value"] == found[name]["value"] for name in found)


def test_intervals_shrink_with_the_root_of_the_rows():
    widths = []
    for rows in (200, 800):
        sample = classes_and_logits(2, rows)
        found = metrics.with_intervals(TASKS["classification"], *sample, seed=1)["accuracy"]
        widths.append(found["high"] - found["low"])
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.2)


def test_a_class_that_resamples_miss_leaves_finite_intervals():
    truth = np.array([0] * 20 + [1])
    logits = np.random.default_rng(0).normal(size=(21, 2))
    found = metrics.with_intervals(TASKS["classification"], truth, logits, seed=1)
    assert all(np.isfinite(list(metric.values())).all() for metric in found.values())


def test_a_metric_that_is_undefined_is_none():
    found = metrics.with_intervals(TASKS["classification"], np.zeros(9, int), np.eye(9)[:, :2], 1)
    assert found["roc_auc"] == {"value": None, "low": None, "high": None}
    assert found["accuracy"]["value"] is not None


@pytest.mark.parametrize("constant", [1.0, 0.1])
def test_what_a_constant_target_leaves_undefined_is_none(constant):
    truth, values = np.full((30, 1), constant), np.random.default_rng(0).normal(size=(30, 1))
    found = metrics.with_intervals(TASKS["regression"], truth, values, seed=1)
    assert {name for name, metric in found.items() if metric["value"] is None} == {
        "r2", "pearson", "spearman",
    }  # fmt: skip


# Temperature -------------------------------------------------------------------------------


def overconfident(classes=4, rows=300):
    """Labels drawn from the chances of known logits."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(rows, classes)) * 2
    gumbel = random.gumbel(size=logits.shape)
    return (logits + gumbel).argmax(1), logits


def test_temperature_follows_the_scale_of_logits():
    truth, logits = overconfident()
    once = metrics.temperature(truth, logits)
    assert once == pytest.approx(1, abs=0.2)  # labels were drawn at temperature 1
    assert metrics.temperature(truth, 3 * logits) == pytest.approx(3 * once, rel=1e-3)
    assert metrics.temperature(truth, logits / 3) == pytest.approx(once / 3, rel=1e-3)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_temperature_equals_the_best_of_a_grid(is_weighted):
    truth, logits = overconfident()
    logits = logits * 2.5
    weights = np.where(truth == 0, 5.0, 0.5) if is_weighted else None
    grid = np.geomspace(1, 6, 801)
    log_p = scipy.special.log_softmax(logits / grid[:, None, None], axis=2)
    own, smoothing = log_p[:, np.arange(len(truth)), truth], 1 / (len(truth) + 2)
    smoothed = (1 - smoothing) * own + smoothing * log_p.mean(axis=2)
    losses = -np.average(smoothed, axis=1, weights=weights)
    best = grid[np.argmin(losses)]
    assert metrics.temperature(truth, logits, weights) == pytest.approx(best, rel=2e-3)


def test_temperature_of_rows_that_are_all_predicted_correctly_leaves_room_for_an_error():
    truth = np.arange(20) % 2
    found = metrics.temperature(truth, np.eye(2)[truth])
    wrong = 1 / (1 + np.exp(1 / found))
    assert wrong == pytest.approx(1 / 44, rel=1e-2)  # half of a row in 22


def test_temperature_stays_within_its_bounds_where_more_would_always_be_better():
    truth = np.arange(20) % 2
    assert metrics.temperature(truth, 1e-3 * np.eye(2)[truth]) == pytest.approx(0.05, rel=1e-3)
    assert metrics.temperature(truth, np.eye(2)[1 - truth]) == pytest.approx(20, rel=1e-3)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_differences_are_of_the_same_resamples(kind):
    truth, outputs = classes_and_logits(3) if kind == "classification" else values_and_targets(1)
    same = metrics.differences(TASKS[kind], truth, outputs, outputs, seed=1, resamples=100)
    assert all(found == {"value": 0, "low": 0, "high": 0} for found in same.values())
    random = np.random.default_rng(1)
    noisy = outputs + random.normal(size=outputs.shape) * 0.3
    apart = metrics.differences(TASKS[kind], truth, outputs, noisy, seed=1, resamples=300)
    each = [
        metrics.with_intervals(TASKS[kind], truth, one, seed=1, resamples=300)
        for one in (outputs, noisy)
    ]
    for name, found in apart.items():
        first, second = (one[name] for one in each)
        assert found["value"] == pytest.approx(first["value"] - second["value"])
        # Much narrower than of two models that are scored on resamples of their own.
        alone = np.hypot(first["high"] - first["low"], second["high"] - second["low"])
        assert found["high"] - found["low"] < 0.8 * alone
