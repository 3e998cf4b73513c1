"""What training promises: replicas that know nothing of each other, and the best weights kept."""

import gc
import resource

import keras
import numpy as np
import pytest
import scipy.sparse
from folds import cross_validation
from sklearn.linear_model import LogisticRegression, Ridge

from autogenome_tf import families
from autogenome_tf.config._config import Config
from autogenome_tf.config._sections import OPTIMIZERS
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import Classification, Regression
from autogenome_tf.training import (
    Configuration,
    Plan,
    TrainingRows,
    TrainingSettings,
    _engines,
    _loop,
)
from autogenome_tf.training._batches import batch_size_for
from autogenome_tf.training._learning_rate import BANDS
from autogenome_tf.training._loop import Diverged

ROWS, GENES = 60, 20
TINY = 1e-7  # GiB
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
Y = (X[:, :4].sum(1) > 0).astype("int32")
NOISE = RANDOM.integers(0, 2, ROWS).astype("int32")
VALUES = RANDOM.normal(size=(ROWS, 2)).astype("float32")
TASK = Classification(["healthy", "tumour"])
PLAIN = {
    "layers": 1,
    "units": 8,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "l2": 0.0,
    "normalization": "none",
}
NOBODY = np.zeros(0, int)
FOLDS = [(np.flatnonzero(np.arange(ROWS) % 5 != k), np.arange(k, ROWS, 5)) for k in range(5)]


def rows_of(splits, targets=Y, x=X, weights=None, is_validated=True):
    """Return the same rows for every split of (train, validation) numbers."""
    weights = np.ones(len(x), "float32") if weights is None else weights
    kept = [rows if is_validated else NOBODY for _, rows in splits]
    train = [train for train, _ in splits]
    return TrainingRows([x] * len(splits), targets, weights, train, kept)


def fit(networks, rows, task, plan, seed):
    """Train one network a seed on every fold of rows."""
    engine = _engines.engine(networks[0], len(networks), rows, task, plan.optimizer)
    engine.begin(networks, seed)
    return _loop.fit(engine, plan, seed)


def converge(network, rows, task, penalties, **options):
    """Solve for each penalty of an L2 path."""
    return _loop.converge(_engines.engine(network, 1, rows, task), network, penalties, **options)


def mlp(seed=1, task=TASK, **values):
    """A small network on X."""
    return families.MLP(GENES, task, seed=seed).network(PLAIN | values)


def fitted(splits=FOLDS[:1], rows=None, plan=None, task=TASK, seed=3, **values):
    """Fit a small network on each split at a fixed rate."""
    rows = rows or rows_of(splits)
    plan = plan or Plan(3, learning_rate=0.01)
    return fit([mlp(task=task, **values)], rows, task, plan, seed)


def column(result, name):
    """One column of a history."""
    return [line[name] for line in result.history]


def assert_same_weights(left, right, atol=1e-6):
    """Compare two networks' weights; the check is worth something where training moved them."""
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


def differ(left, right):
    """Whether two networks' weights are clearly not the same."""
    return max(np.abs(a - b).max() for a, b in zip(left, right, strict=True)) > 1e-3


# Replicas --------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "lamb"])
def test_a_replica_alone_ends_like_the_same_replica_beside_four_others(optimizer):
    plan = Plan(3, optimizer=optimizer, learning_rate=0.01)

    def outputs(splits, replica):
        rows, network = rows_of(splits, is_validated=False), mlp(normalization="batch")
        network.set_weights(fit([network], rows, TASK, plan, 3).replica(replica))
        return np.asarray(network(X))

    np.testing.assert_allclose(outputs(FOLDS, 0), outputs(FOLDS[:1], 0), atol=1e-3)
    assert np.abs(outputs(FOLDS, 0) - outputs(FOLDS, 1)).max() > 0.05


def test_validation_outputs_are_those_of_each_replicas_own_network():
    found = fitted(FOLDS, plan=Plan(1, learning_rate=0.01))
    network = mlp()
    for replica, (outputs, (_, part)) in enumerate(zip(found.validation, FOLDS, strict=True)):
        network.set_weights(found.replica(replica))
        np.testing.assert_allclose(outputs, network(X[part]), atol=1e-4)


def test_replicas_draw_their_own_dropout():
    same = [(np.arange(8), NOBODY)] * 2  # one full batch: order plays no part
    plan = Plan(2, learning_rate=0.05)
    kept, dropped = (fitted(same, plan=plan, dropout=rate) for rate in (0.0, 0.5))
    assert_same_weights(kept.replica(0), kept.replica(1), atol=1e-4)
    assert differ(dropped.replica(0), dropped.replica(1))


def test_the_seed_decides():
    first, again, other = (fitted(dropout=0.3, seed=seed).replica(0) for seed in (3, 3, 4))
    assert_same_weights(first, again)
    assert differ(first, other)


# Seeds ---------------------------------------------------------------------------------------


def test_more_seeds_leave_the_first_as_they_are():
    networks, plan = [mlp(1, dropout=0.3), mlp(2, dropout=0.3)], Plan(3, learning_rate=0.01)
    one, two = (fit(networks[:n], rows_of(FOLDS), TASK, plan, 3) for n in (1, 2))
    assert [len(weight) for weight in two.weights] == [2 * len(FOLDS)] * len(one.weights)
    for fold in range(len(FOLDS)):
        assert_same_weights(one.replica(fold), two.replica(fold), atol=1e-3)
        assert differ(one.replica(fold), two.replica(len(FOLDS) + fold))


def test_validation_outputs_are_the_average_over_seeds():
    networks = [mlp(1), mlp(2)]
    found = fit(networks, rows_of(FOLDS), TASK, Plan(1, learning_rate=0.01), 3)
    for fold, (_, part) in enumerate(FOLDS):
        outputs = []
        for seed, network in enumerate(networks):
            network.set_weights(found.replica(seed * len(FOLDS) + fold))
            outputs.append(network(X[part]))
        np.testing.assert_allclose(found.validation[fold], np.mean(outputs, axis=0), atol=1e-4)


def test_every_replica_keeps_the_weights_of_its_own_best_epoch():
    rows, plan = rows_of(FOLDS), Plan(25, learning_rate=0.03, patience=25)

    def losses(epochs):
        shorter = Plan(epochs, learning_rate=0.03, patience=25)
        return [np.mean(TASK.row_losses(Y[part], outputs)) for outputs, (_, part) in zip(
            fit([mlp()], rows, TASK, shorter, 3).validation, FOLDS, strict=True)]  # fmt: skip

    found, network = fit([mlp()], rows, TASK, plan, 3), mlp()
    own = []
    for replica, (_, part) in enumerate(FOLDS):
        network.set_weights(found.replica(replica))
        own.append(float(np.mean(TASK.row_losses(Y[part], network(X[part])))))
    curve = [line["validation_loss"] for line in found.history]
    assert np.mean(own) <= min(curve) + 1e-4
    assert np.mean(own) < curve[-1] - 0.01  # the check is worth something: it overfits


# Steps ---------------------------------------------------------------------------------------

RATES = {"dropout": 0.2, "input_dropout": 0.1, "l2": 1e-3}


@pytest.mark.parametrize("space", ["rows", "genes"])
def test_a_step_that_served_others_trains_like_a_new_one(space):
    def ready():
        return in_folds(splits=FOLDS, training={"space": space})

    plan, values = Plan(3, learning_rate=0.01), PLAIN | RATES
    alone = ready().fit(Configuration("mlp", values), plan, 1)
    used = ready()
    for dropout, power in ((0.6, 0.0), (0.3, 1.0)):
        other = values | {"dropout": dropout, "l2": 0.1, "spectral_power": power}
        assert differ(used.fit(Configuration("mlp", other), plan, 5).replica(0), alone.replica(0))
    assert_same_weights(
        used.fit(Configuration("mlp", values), plan, 1).replica(0), alone.replica(0)
    )


def test_trials_that_differ_in_rates_only_share_a_trace(steps):
    ready, plan = in_folds(splits=FOLDS, training={"space": "rows"}), Plan(1)
    for change in (
        {},
        {"dropout": 0.5},
        {"l2": 0.1},
        {"input_dropout": 0.4},
        {"spectral_power": 1.0},
    ):
        ready.fit(Configuration("mlp", PLAIN | RATES | change), plan, 1)
    (engine,) = steps
    assert engine._train_epoch.experimental_get_tracing_count() == 1
    for change in ({"units": 4}, {"dropout": 0.0}, {"activation": "tanh"}):
        ready.fit(Configuration("mlp", PLAIN | RATES | change), plan, 1)
    assert len(steps) == 4


@pytest.mark.parametrize("family", ["mlp", "linear"])
def test_other_rows_share_a_trace_and_nothing_else(family, steps):
    kept, plan = np.arange(ROWS - 7), Plan(2, learning_rate=0.01)
    splits = [(np.intersect1d(a, kept)[::2], np.intersect1d(b, kept)) for a, b in FOLDS]
    fewer = {"matrix": X[kept], "targets": Y[kept], "splits": splits}
    values = PLAIN if family == "mlp" else {"l2": 0.1}
    asked = Configuration(family, values), plan, 1
    alone = in_folds(splits=FOLDS).fit(*asked)
    (engine,) = steps
    step = engine._train_epoch if family == "mlp" else engine._gradient
    warm = [in_folds(**fewer).fit(*asked), in_folds(splits=FOLDS).fit(*asked)]
    assert list(steps) == [engine] and step.experimental_get_tracing_count() == 1
    steps.clear()
    cold = [in_folds(**fewer).fit(*asked), alone]
    for one, other in zip(warm, cold, strict=True):
        assert_same_weights([*one.weights, *one.validation], [*other.weights, *other.validation])
    assert differ(warm[0].weights, alone.weights)


def test_what_a_step_is_compiled_for_is_never_shared(steps):
    names, plan = ["healthy", "tumour"], Plan(1, learning_rate=0.01)
    for loss in Classification.losses:
        in_folds(splits=FOLDS, task=Classification(names, loss)).fit(
            Configuration("mlp", PLAIN), plan, 1
        )
    in_folds(splits=FOLDS[:2]).fit(Configuration("mlp", PLAIN), plan, 1)
    in_folds(splits=FOLDS).fit(
        Configuration("mlp", PLAIN), Plan(1, learning_rate=0.01, optimizer="sgd"), 1
    )
    in_folds(splits=FOLDS).fit(Configuration("mlp", PLAIN), plan, 1, repeats=2)
    in_folds(matrix=X[:, 1:], splits=FOLDS).fit(Configuration("mlp", PLAIN), plan, 1)
    assert len(steps) == 6


def test_steps_that_are_kept_hold_no_rows_and_serve_one_fit_at_a_time(steps):
    rows = in_folds(splits=FOLDS)
    path = rows.path(Configuration("linear", {}), [1.0, 0.1])
    _, first = next(path)
    assert not len(steps)
    again = rows.fit(Configuration("linear", {"l2": 1.0}), Plan(1), 1)
    assert_same_weights(again.weights, first.weights)
    list(path)
    (engine,) = steps
    assert not {"rows", "_inputs", "_validation"} & vars(engine).keys()


def test_steps_of_large_networks_are_freed_with_their_rows(steps, monkeypatch):
    monkeypatch.setattr("autogenome_tf.training._cross_validation.SMALL_BYTES", 1000)
    rows = in_folds(splits=FOLDS)
    rows.fit(Configuration("mlp", PLAIN), Plan(1, learning_rate=0.01), 1)
    assert not len(steps) and len(rows._steps) == 1
    rows.forget_steps()
    assert not len(rows._steps)


@pytest.mark.slow
def test_memory_does_not_grow_with_trials(steps):
    ready, plan = in_folds(splits=FOLDS), Plan(1, learning_rate=0.01)

    def train(trials, change):
        for trial in trials:
            ready.fit(Configuration("mlp", PLAIN | change(trial)), plan, 1)
        gc.collect()
        graphs = sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())
        return graphs, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10

    graphs, _ = train(range(steps._count + 2), lambda trial: {"units": 8 + trial})
    after, before = train(range(20, 30), lambda trial: {"units": 8 + trial})
    assert after == graphs and len(steps) == steps._count
    _, peak = train(range(50), lambda trial: {"dropout": 0.1 + trial / 100, "l2": 10.0**-trial})
    assert peak < before + 50  # MiB


def test_kept_steps_stay_below_their_bytes(steps):
    ready, plan = in_folds(splits=FOLDS), Plan(1, learning_rate=0.01)
    for units in (4, 5, 6):
        ready.fit(Configuration("mlp", PLAIN | {"units": units}), plan, 1)
    sizes = [engine.nbytes for engine in steps]
    for engine in steps:
        # Weights and Adam's two moments, float32.
        assert engine.nbytes >= 3 * 4 * len(FOLDS) * engine.parameters
    steps._nbytes = sum(sizes)
    ready.fit(Configuration("mlp", PLAIN | {"units": 6}), plan, 1)
    assert [engine.nbytes for engine in steps] == sizes
    ready.fit(Configuration("mlp", PLAIN | {"units": 4, "layers": 2}), plan, 1)
    assert sum(engine.nbytes for engine in steps) < sum(sizes)
    steps._nbytes = 1
    ready.fit(Configuration("mlp", PLAIN | {"units": 7}), plan, 1)
    assert len(steps) == 1


# Rows ------------------------------------------------------------------------------------------


def test_targets_of_validation_rows_do_not_move_the_weights():
    train, validation = FOLDS[0]
    plan = Plan(1, learning_rate=0.01)

    def weights(changed):
        targets = Y.copy()
        targets[changed] = 1 - targets[changed]
        return fitted(rows=rows_of(FOLDS[:1], targets), plan=plan).replica(0)

    assert_same_weights(weights(NOBODY), weights(validation))
    assert differ(weights(NOBODY), weights(train[:5]))


def test_validation_rows_move_no_constant_of_preprocessing():
    train, validation = FOLDS[0]
    wild = X.copy()
    wild[validation] = 50 * wild[validation] + 9

    def outputs(values):
        ready = in_folds(values)
        found = ready.fit(Configuration("mlp", PLAIN), Plan(1, learning_rate=0.01), 1)
        return ready.final_model(Configuration("mlp", PLAIN), found, 1.0).outputs(X)

    np.testing.assert_array_equal(outputs(X), outputs(wild))


class Noted:
    """Make batches on demand and remember which rows they had."""

    def __init__(self):
        self.batches = []

    def batch(self, index):
        self.batches.append(np.array(index))
        return X[np.array(index)]


@pytest.mark.parametrize(
    ("asked", "rows", "found"),
    [("auto", 30, 8), ("auto", 400, 50), ("auto", 8191, 64), ("auto", 16384, 128),
     ("auto", 10**6, 256), (100, 10**6, 100), (1000, 16384, 1000), (100, 80, 10)],
)  # fmt: skip
def test_batches_grow_with_many_rows_and_shrink_with_few(asked, rows, found):
    assert batch_size_for(asked, rows) == found


@pytest.mark.parametrize("count", [60, 37, 9, 3])
def test_every_row_comes_at_least_once_an_epoch_in_full_batches(count):
    view, train = Noted(), np.arange(count)[::-1].copy()
    rows = TrainingRows([view], Y, np.ones(ROWS, "float32"), [train], [NOBODY])
    fitted(rows=rows, plan=Plan(2, batch_size=16, learning_rate=0.01))
    steps = len(view.batches) // 2
    assert len({len(batch) for batch in view.batches}) == 1
    epochs = [np.concatenate(view.batches[:steps]), np.concatenate(view.batches[steps:])]
    for epoch in epochs:
        times = np.bincount(epoch, minlength=ROWS)
        assert times[train].min() == 1 and times[train].max() <= 2
        assert not times[count:].any()
    assert count < 9 or not np.array_equal(*epochs)


# The loop --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def overfit():
    """A fit on labels of pure noise: the validation loss soon climbs."""
    plan = Plan(60, learning_rate=0.03, patience=9)
    return fitted(rows=rows_of(FOLDS[:1], NOISE), plan=plan, units=64)


def test_early_stopping_brings_back_the_weights_of_the_best_epoch(overfit):
    losses = column(overfit, "validation_loss")
    assert overfit.best_epoch == np.argmin(losses) + 1 < len(losses)
    network, (_, part) = mlp(units=64), FOLDS[0]
    network.set_weights(overfit.replica(0))
    loss = np.mean(TASK.row_losses(NOISE[part], network(X[part])))
    assert loss == pytest.approx(min(losses), abs=1e-4)
    assert losses[-1] > min(losses) + 0.05


def test_training_stops_when_patience_is_used_up(overfit):
    assert len(overfit.history) == overfit.best_epoch + 9 < 60


def test_a_plateau_lowers_the_rate_and_nothing_raises_it(overfit):
    rates = np.array(column(overfit, "learning_rate"))
    assert np.all(np.diff(rates[: overfit.best_epoch]) <= 0)
    behind = rates[overfit.best_epoch :]  # 3 epochs, a third of the patience, at each rate
    expected = behind[0] * Plan(9).drop ** (np.arange(9) // 3)
    np.testing.assert_allclose(behind, expected, rtol=1e-6)


def test_decay_and_gain_are_as_asked():
    plan = Plan(12, learning_rate=0.01, min_gain=100.0, drop_after=2, drop=0.1, patience=7)
    found = fitted(plan=plan)
    # Nothing gains so much behind the first epoch.
    expected = [0.01] * 3 + [0.001] * 2 + [1e-4] * 2 + [1e-5]
    assert column(found, "learning_rate") == pytest.approx(expected)


def test_the_range_test_stays_between_given_ends():
    for ends in ([1e-3, 2e-3], [2e-3, 1e-3]):
        (rate,) = set(column(fitted(plan=Plan(1, learning_rate=ends)), "learning_rate"))
        assert 1e-3 <= rate <= 2e-3


def test_a_given_schedule_is_followed():
    rates = (0.02, 0.01, 0.001)
    assert column(fitted(plan=Plan(3, rates=rates)), "learning_rate") == pytest.approx(rates)


def test_no_epoch_starts_after_the_deadline():
    late = fitted(plan=Plan(5, learning_rate=0.01, deadline=float("-inf")))
    assert column(late, "epoch") == [1]
    assert np.isfinite(late.validation[0]).all()


def test_without_validation_rows_the_last_epoch_counts():
    found = fitted(rows=rows_of(FOLDS[:1], is_validated=False))
    assert found.best_epoch == 3
    assert np.isnan(column(found, "validation_loss")).all()
    assert found.validation[0].shape == (0, 2)


# The rate --------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "lamb"])
def test_the_range_test_leaves_no_trace_but_the_rate(optimizer):
    noisy = {"dropout": 0.3, "normalization": "batch"}
    auto = fitted(FOLDS[:2], plan=Plan(2, optimizer=optimizer), **noisy)
    rate = auto.history[0]["learning_rate"]
    low, high = BANDS[optimizer]
    assert low <= rate <= high
    fixed = fitted(FOLDS[:2], plan=Plan(2, optimizer=optimizer, learning_rate=rate), **noisy)
    assert_same_weights(auto.replica(0), fixed.replica(0), atol=1e-5)
    assert column(auto, "loss") == pytest.approx(column(fixed, "loss"), rel=1e-4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns_with_the_rate_of_the_range_test(optimizer):
    learned = fitted(plan=Plan(15, optimizer=optimizer, batch_size=8))
    losses = column(learned, "loss")
    assert losses[-1] < 0.93 * losses[0]


# Adam makes steps of what rounding leaves of a bias that normalisation takes out again.
@pytest.mark.parametrize(
    ("optimizer", "normalization"),
    [("adam", "none"), ("adamw", "none"), ("lamb", "none"), ("momentum", "batch")],
)
def test_steps_are_those_of_keras(optimizer, normalization):
    keys = {"layers": 2, "l2": 0.01, "normalization": normalization}
    splits = FOLDS[:2]
    engine = _engines.engine(mlp(**keys), 1, rows_of(splits), TASK, optimizer)
    engine.begin([mlp(**keys)], seed=1)
    index = np.stack([np.resize(RANDOM.permutation(train), (6, 8)) for train, _ in splits], 1)
    engine.epoch(index.astype("int32"), np.full(6, 0.01, "float32"))
    for fold in range(len(splits)):
        network = mlp(**keys)
        kind = {"adamw": "AdamW", "momentum": "SGD"}.get(optimizer, optimizer.title())
        more = {"momentum": 0.9, "nesterov": True} if kind == "SGD" else {}
        network.compile(getattr(keras.optimizers, kind)(0.01, **more), TASK.keras_loss())
        for rows in index[:, fold]:
            network.train_on_batch(X[rows], Y[rows])
        assert_same_weights(
            [stack[fold] for stack in engine.weights()], network.get_weights(), atol=1e-5
        )


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "ftrl"])
def test_the_first_step_starts_from_the_initial_weights(optimizer):
    rows = rows_of([(np.arange(8), NOBODY)])  # a single step
    found = fitted(rows=rows, plan=Plan(1, optimizer=optimizer, learning_rate=0.01))
    before, after = mlp().get_weights()[0], found.replica(0)[0]
    # Weights behind a unit that no row activates have no gradient, and Ftrl sets those to 0.
    assert 0 < np.median(np.abs(after - before)) < 0.5 * np.abs(before).mean()


def test_a_loss_that_is_no_number_from_the_start_is_said():
    task = Regression(["a", "b"])
    plan = Plan(3, optimizer="sgd", learning_rate=1e20)
    with pytest.raises(Diverged, match="1e\\+20"):
        fitted(rows=rows_of(FOLDS[:1], VALUES), plan=plan, task=task, activation="relu")


def test_a_later_divergence_keeps_the_epochs_before_it():
    task = Regression(["a", "b"])
    plan = Plan(9, optimizer="sgd", rates=(0.01, 0.01, *[1e20] * 7))
    found = fitted(rows=rows_of(FOLDS[:1], VALUES), plan=plan, task=task)
    assert 2 <= len(found.history) < 9 and found.best_epoch <= 2
    assert all(np.isfinite(weight).all() for weight in found.weights)


# To the minimum --------------------------------------------------------------------------------

PENALTIES = (1.0, 0.1, 0.01)
WEIGHTS = RANDOM.uniform(0.2, 2, ROWS).astype("float32")


def chances(logits):
    """Softmax."""
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return exponents / exponents.sum(1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3])
def test_converge_is_scikit_learns_logistic_regression(classes):
    targets = ((X[:, 0] > 0.3).astype("int32") + (X[:, 1] > 0.3) * (classes > 2)).astype("int32")
    task = Classification(list("abc")[:classes])
    network = families.Linear(GENES, task).network({"l2": 0.0})
    rows = rows_of(FOLDS[:2], targets, weights=WEIGHTS)
    for l2, found in converge(network, rows, task, PENALTIES):
        for k, (train, part) in enumerate(FOLDS[:2]):
            # Mean weighted loss + l2 |W|^2, a kernel a class; with two classes scikit-learn has
            # one for both, w = W1 - W2 and |w|^2 = 2 |W|^2.
            inverse = 1 / (2 * l2 * WEIGHTS[train].sum()) * (2 if classes == 2 else 1)
            reference = LogisticRegression(C=inverse, tol=1e-8, max_iter=10_000)
            reference.fit(X[train], targets[train], WEIGHTS[train])
            expected = reference.predict_proba(X[part])
            np.testing.assert_allclose(chances(found.validation[k]), expected, atol=1e-3)


def test_converge_is_scikit_learns_ridge():
    task = Regression(["a", "b"])
    network = families.Linear(GENES, task).network({"l2": 0.0})
    for l2, found in converge(network, rows_of(FOLDS[:2], VALUES), task, PENALTIES):
        for k, (train, part) in enumerate(FOLDS[:2]):
            reference = Ridge(alpha=l2 * len(train) * 2)  # the loss is the mean of two targets
            expected = reference.fit(X[train], VALUES[train]).predict(X[part])
            np.testing.assert_allclose(found.validation[k], expected, atol=1e-3)


def test_balanced_weights_raise_the_recall_of_the_minority():
    targets = (np.arange(ROWS) % 6 == 0).astype("int32")
    x = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
    x[:, 0] += targets

    def recall(task):
        rows = rows_of([(np.arange(ROWS), NOBODY)], targets, x, task.row_weights(targets))
        network = families.Linear(GENES, task, seed=1).network({"l2": 0.1})
        plan = Plan(40, learning_rate=0.02)
        network.set_weights(fit([network], rows, task, plan, 1).replica(0))
        return np.mean(np.argmax(network(x), 1)[targets == 1])

    plain = recall(Classification(["many", "few"]))
    balanced = recall(Classification(["many", "few"], class_weight="balanced"))
    assert balanced > plain + 0.2


def test_a_late_divergence_without_validation_rows_keeps_numbers():
    rows = rows_of([(np.arange(ROWS), NOBODY)])
    plan = Plan(6, rates=(0.01, 0.01, 1e20, 1e20, 1e20, 1e20))
    found = fit([mlp()], rows, TASK, plan, 3)
    assert len(found.history) < 6
    assert all(np.isfinite(weight).all() for weight in found.weights)


# Folds of real rows ----------------------------------------------------------------------------


def in_folds(matrix=X, targets=Y, task=TASK, splits=FOLDS[:1], **changes):
    """Return the `NetworkCrossValidation` of some rows."""
    return cross_validation(matrix, targets, task, splits, **changes)


@pytest.mark.parametrize("space", ["rows", "genes"])
@pytest.mark.parametrize("family", ["mlp", "resnet", "densenet"])
def test_the_gene_level_model_equals_the_network_it_was_folded_from(family, space):
    ready = in_folds(training={"space": space})
    values = {"spectral_power": 0.5, "input_dropout": 0.3, "normalization": "batch"}
    found = ready.fit(Configuration(family, values), Plan(2, learning_rate=0.01), 1)
    assert ready.space == space
    outputs = ready.final_model(Configuration(family, values), found, 1.0).outputs(X[FOLDS[0][1]])
    np.testing.assert_allclose(outputs, found.validation[0], atol=1e-3)


@pytest.mark.parametrize("family", ["mlp", "linear"])
def test_other_targets_are_learned_by_the_same_steps_as_if_they_were_the_first(family, steps):
    task = Classification(["healthy", "tumour"], class_weight="balanced")
    others = (np.arange(ROWS) < ROWS // 4).astype("int32")
    values = PLAIN if family == "mlp" else {"l2": 0.1}
    plan, ready = Plan(2, learning_rate=0.01), in_folds(task=task, splits=FOLDS)
    first = ready.fit(Configuration(family, values), plan, 1)
    found = ready.with_targets(others).fit(Configuration(family, values), plan, 1)
    assert len(steps) == 1
    steps.clear()
    fresh = in_folds(targets=others, task=task, splits=FOLDS).fit(
        Configuration(family, values), plan, 1
    )
    assert_same_weights(found.weights, fresh.weights)
    assert found.history[-1]["loss"] == pytest.approx(fresh.history[-1]["loss"], abs=1e-6)
    assert differ(found.weights, first.weights)
    assert_same_weights(ready.fit(Configuration(family, values), plan, 1).weights, first.weights)


def test_parameters_are_the_trained_ones_of_the_gene_level_network():
    ready = in_folds(training={"space": "rows"}, splits=FOLDS)
    values = PLAIN | {"normalization": "batch"}
    found = ready.fit(Configuration("mlp", values), Plan(1, learning_rate=0.01), 1)
    trained = families.MLP(GENES, TASK).network(values).trainable_weights
    assert ready.parameters(Configuration("mlp", values), found) == sum(
        int(np.prod(v.shape)) for v in trained
    )


@pytest.mark.parametrize(
    ("asked", "ensemble", "rows", "folds", "found"),
    [
        ("auto", {"size": "auto"}, 199, 5, 3),
        ("auto", {"size": "auto"}, 200, 5, 1),
        ("auto", {"size": "auto"}, 199, 1, 1),
        ("auto", {"size": 1}, 199, 5, 3),
        ("auto", {"seeds": 1}, 199, 5, 1),
        (4, {}, 5000, 1, 4),
    ],
)
def test_few_rows_have_several_networks_a_fold_for_an_average(asked, ensemble, rows, folds, found):
    given = {"name": "t", "search": {"repeats": asked}, "ensemble": ensemble}
    assert TrainingSettings.of(Config.of(given)).number_of_repeats(rows, folds) == found


def test_the_gene_level_model_speaks_in_units_of_the_targets():
    task = Regression(["a", "b"], mean=np.array([100.0, -5]), scale=np.array([20.0, 0.01]))
    ready = in_folds(targets=VALUES, task=task)
    found = ready.fit(Configuration("mlp", PLAIN), Plan(2, learning_rate=0.01), 1)
    outputs = ready.final_model(Configuration("mlp", PLAIN), found, 1.0).outputs(X[FOLDS[0][1]])
    np.testing.assert_allclose((outputs - task.mean) / task.scale, found.validation[0], atol=1e-3)


def test_a_temperature_divides_the_logits_of_the_model():
    ready = in_folds()
    found = ready.fit(Configuration("mlp", PLAIN), Plan(1, learning_rate=0.01), 1)
    hot, cold = (
        ready.final_model(Configuration("mlp", PLAIN), found, t).outputs(X) for t in (1.0, 4.0)
    )
    np.testing.assert_allclose(hot, 4 * cold, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("odd", [0.5, 1000.5], ids=["a fraction", "a large value"])
def test_the_final_fit_has_the_transform_of_the_search(odd):
    values = RANDOM.poisson(np.exp(X)).astype("float32")
    values[FOLDS[0][1][0], 0] = odd  # validates the first fold
    everything = [(np.arange(ROWS), NOBODY)]
    auto = {"data": {"features": "x.tsv", "transform": "auto"}}
    found = [
        in_folds(values, splits=splits, **auto).transforms["auto"] for splits in (FOLDS, everything)
    ]
    assert found[0].name == found[1].name


@pytest.fixture
def counts():
    """Sparse counts of (ROWS, GENES)."""
    return scipy.sparse.csr_matrix(RANDOM.poisson(np.exp(X)).astype("float32"))


def test_streamed_sparse_rows_train_like_rows_in_memory(counts):
    settings = {
        "data": {"features": "x.npz", "transform": "log1p", "top_variable": 12},
        "training": {"space": "genes"},
    }
    plan = Plan(3, learning_rate=0.01)
    dense = in_folds(counts.toarray(), **settings)
    settings["data"]["memory"] = TINY
    streamed = in_folds(counts, **settings)
    assert streamed.is_streamed and not dense.is_streamed
    fits = [ready.fit(Configuration("mlp", PLAIN), plan, 1) for ready in (dense, streamed)]
    models = [
        ready.final_model(Configuration("mlp", PLAIN), found, 1.0).model
        for ready, found in zip((dense, streamed), fits, strict=True)
    ]
    fronts = [np.asarray(model.get_layer("preprocessing")(counts.toarray())) for model in models]
    assert fronts[0].shape == (ROWS, 12)
    np.testing.assert_allclose(*fronts, atol=1e-5)
    np.testing.assert_allclose(fits[0].validation[0], fits[1].validation[0], atol=1e-3)
    assert_same_weights(fits[0].replica(0), fits[1].replica(0), atol=1e-3)
    assert column(fits[1], "loss")[-1] < column(fits[1], "loss")[0]


def test_streamed_rows_find_their_rate(counts):
    found = in_folds(counts, data={"transform": "auto", "memory": TINY}).fit(
        Configuration("mlp", PLAIN), Plan(1), 1
    )
    low, high = BANDS["adam"]
    assert low <= found.history[0]["learning_rate"] <= high


@pytest.mark.parametrize("space", ["rows", "genes"])
def test_a_fold_whose_training_rows_are_all_equal_is_refused(space):
    train, validation = FOLDS[0]
    matrix = X.copy()
    matrix[train] = 0.1
    with pytest.raises(
        InputError, match="all genes are constant in the 48 training rows of a fold"
    ):
        in_folds(matrix, splits=[(train, validation)], training={"space": space}).fit(
            Configuration("mlp", PLAIN), Plan(1), 1
        )


@pytest.mark.parametrize(
    ("splits", "data", "networks"),
    [
        (FOLDS, {}, {}),
        (FOLDS[:1], {"missing": "median"}, {}),
        (FOLDS[:1], {"transform": ["none", "rank"]}, {}),
        (FOLDS[:1], {}, {"search": {"repeats": 3}}),
        (FOLDS[:1], {}, {"ensemble": {"seeds": 3}}),
    ],
    ids=["folds", "median", "rank", "repeats", "seeds"],
)
def test_what_streaming_cannot_do_is_said(counts, splits, data, networks):
    data = {"transform": "auto", "memory": TINY} | data
    with pytest.raises(InputError, match="set search.folds to 1"):
        in_folds(counts, splits=splits, data=data, **networks)
