"""ENAS: the controller against closed forms, the bank against stand-alone networks, the search."""

import json
import logging
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.special
import tensorflow as tf
from folds import config_of, thirds

from autogenome_tf import families
from autogenome_tf.config._config import Config
from autogenome_tf.config._sections import Enas
from autogenome_tf.core.errors import InputError
from autogenome_tf.run._run import Run
from autogenome_tf.search import Request, search, seconds_before
from autogenome_tf.search._enas import shared_search, tables
from autogenome_tf.search._enas.bank import Bank
from autogenome_tf.search._enas.children import BESIDE, ChildSpace
from autogenome_tf.search._enas.controller import Controller
from autogenome_tf.search._enas.finalists import Finalists
from autogenome_tf.search._enas.samplers import Evolution, Limited, Sandwich, Uniform, smallest_code
from autogenome_tf.search._enas.shared_search import SharedSearch
from autogenome_tf.search._enas.views import Views, searchable
from autogenome_tf.search._trials import Trial
from autogenome_tf.tasks import Classification, Regression, Survival
from autogenome_tf.tasks.partial_likelihood import RiskSets
from autogenome_tf.training import Configuration, Plan, TrainingSettings
from autogenome_tf.training._networks import NetworkCrossValidation

ROWS, GENES = 45, 30
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, GENES)).astype("float32")
PAIRS = thirds(ROWS)
TASKS = {
    "classification": (
        Classification(["a", "b", "c"]),
        (X[:, :2] > 0).sum(1).astype("int32"),
    ),
    "regression": (Regression(["y"]), X[:, :1] + 0.1 * X[:, 1:2]),
}
WIRED = {"layers": 4, "max_width": 16}
SMALL = {"updates": 2, "samples": 5, "candidates": 12, "children": 2, "units": 8}
# Of a short search, the steps of a controller take more than half to trace.
SHORT = SMALL | {"controller": "uniform"}
LSTM = {"enas": SMALL}
# Part of a child's loss that is what the largest child teaches.
TAUGHT = "autogenome_tf.search._enas.bank.TAUGHT"


def in_folds(kind="classification", family=None, truth=None, pairs=PAIRS, **changes):
    """`NetworkCrossValidation` of some rows, their config and search spaces."""
    task, known = TASKS[kind]
    given = {
        "families": {"wired": WIRED | (family or {})},
        "search": {"method": "enas", "epochs": 3, "top_k": 2, "enas": SHORT},
        "training": {"epochs": 3},
    }
    for section, values in changes.items():
        given[section] = given.get(section, {}) | values
    config = config_of(kind, **given)
    folds = NetworkCrossValidation(
        X, known if truth is None else truth, task, TrainingSettings.of(config), splits=pairs
    )
    return folds, config, families.spaces(config)


def searching(*arguments, run=None, seed=5, **changes):
    """The `Finalists` of some rows."""
    return finalists_of(*in_folds(*arguments, **changes), run=run, seed=seed)


def finalists_of(folds, config, spaces, run=None, seed=5, **options):
    """The search with shared weights of a config."""
    given = spaces, config.search, config.training, config.objective, seed, folds, run
    return Finalists(Request(*given, **options))


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search with the LSTM that came to its end, and its finalists."""
    searcher = searching(run=Run(tmp_path_factory.mktemp("whole")), search=LSTM)
    return searcher, proposals(searcher)


def proposals(searcher):
    """Values of all finalists, told a score each."""
    found = []
    while (proposed := searcher.propose()) is not None:
        found.append(proposed[2])
        searcher.report(proposed[0], 1.0 / len(found))
    return found


@pytest.fixture(scope="module")
def plain():
    """A search without a controller that came to its end, and its finalists."""
    searcher = searching()
    trained = searcher.shared.trained()
    searcher.shared.trained = lambda: trained
    return searcher, proposals(searcher)


def taught(plain, **changes):
    """The same search before its end, with other settings of what follows shared weights."""
    searcher, shared = searching(**changes), plain[0].shared
    searcher.shared.trained = shared.trained
    tables.write(changes.get("run"), "curves", shared.curves)
    return searcher


# The controller ----------------------------------------------------------------------------------

CAPS = [(1.5, 4, 0.870), (1.5, 6, 0.801), (1.5, 10, 0.691), (2.5, 4, 0.980), (2.5, 6, 0.967),
        (2.5, 10, 0.943), (1.5, 2, 0.953), (2.5, 2, 0.993)]  # fmt: skip
WIDTHS, BEST = 6, np.array([2, 0, 5, 3])


def controller_of(layers=5, widths=WIDTHS, seed=1, bits=(True, True), **settings):
    """A controller of so many layers."""
    allowed = [[[True] * widths] + [list(bits)] * skips for skips in range(layers - 1)]
    return Controller(allowed, Enas(**settings), seed)


@pytest.mark.parametrize(("constant", "choices", "cap"), CAPS)
def test_no_choice_is_surer_than_its_cap(constant, choices, cap):
    controller = controller_of(tanh_constant=constant)
    logits = np.full((1, choices), -1e6, "float32")
    logits[0, 0] = 1e6
    sure = scipy.special.softmax(controller._squashed(tf.constant(logits)).numpy())[0, 0]
    closed = math.exp(constant) / (math.exp(constant) + (choices - 1) * math.exp(-constant))
    assert sure == pytest.approx(closed, rel=1e-5) == pytest.approx(cap, abs=1e-3)


def test_a_temperature_flattens_and_no_constant_leaves_logits_as_they_are():
    logits = tf.constant([[1.0, -2.0]])
    plain = controller_of(tanh_constant=None)._squashed(logits)
    cooled = controller_of(tanh_constant=None, temperature=5.0)._squashed(logits)
    assert np.array_equal(plain, logits) and np.allclose(cooled, logits / 5)


def rewarded(controller, updates, seed=0):
    """Reward the share of right widths, with noise; returns how often each is right then."""
    random = np.random.default_rng(seed)
    columns = np.cumsum([0, 1, 2, 3])  # of the widths among the decisions of an arc
    for _ in range(updates):
        arcs = controller.sample(20)
        right = (arcs[:, columns] == BEST).mean(axis=1)
        controller.learn(arcs, right + random.normal(0, 0.05, 20))
    return (controller.sample(2000)[:, columns] == BEST).mean(axis=0)


@pytest.mark.slow
@pytest.mark.parametrize(("constant", "least", "most"), [(1.5, 0.5, 0.85), (2.5, 0.6, 0.99)])
def test_a_bandit_is_learnt_as_far_as_the_cap_lets(constant, least, most):
    # A decision may settle on a wrong width, so the mean over decisions is what is known.
    controller = controller_of(bits=(True, False), tanh_constant=constant, skip_weight=0.0)
    before = rewarded(controller, 0)
    after = rewarded(controller, 500)
    assert before.mean() == pytest.approx(1 / WIDTHS, abs=0.05)
    assert least < after.mean() < most


def test_a_reward_at_the_baseline_teaches_nothing():
    controller = controller_of(layers=3, skip_weight=0.0, entropy_weight=0.0)
    before = [weight.numpy() for weight in controller._weights]
    for _ in range(3):
        controller.learn(controller.sample(7), np.full(7, 0.5))
    assert controller.baseline == 0.5
    after = [weight.numpy() for weight in controller._weights]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_mean_gradient_of_log_p_is_nothing_within_its_error():
    controller = controller_of(layers=4, units=8)

    @tf.function
    def gradient(arcs):
        with tf.GradientTape() as tape:
            weight = controller._to_widths.value
            log_p = tf.reduce_mean(controller._walk(50, arcs)[0].log_p)
        return tape.gradient(log_p, weight)

    arcs = (tf.constant(controller.sample(50)) for _ in range(60))
    batches = [gradient(some).numpy().ravel() for some in arcs]
    mean, error = np.mean(batches, axis=0), np.std(batches, axis=0) / len(batches) ** 0.5
    assert (np.abs(mean) > 1e-9).any()
    assert np.mean((mean / error) ** 2) < 1.6  # 1 is expected


@pytest.mark.parametrize("target", [0.2, 0.8])
def test_without_rewards_skips_go_to_their_target_rate(target):
    controller = controller_of(
        layers=4, units=16, skip_target=target, learning_rate=0.02, entropy_weight=0.0
    )
    for _ in range(150):
        controller.learn(controller.sample(5), np.zeros(5))
    arcs = controller.sample(2000)
    assert arcs[:, [2, 4, 5]].mean(axis=0) == pytest.approx(target, abs=0.05)


def test_log_p_is_that_of_the_sampled_frequencies():
    controller = controller_of(layers=3, widths=2)
    arcs = controller.sample(20_000)
    kinds, counts = np.unique(arcs, axis=0, return_counts=True)
    log_p = controller._walk(len(kinds), tf.constant(kinds))[0].log_p
    assert np.exp(log_p) == pytest.approx(counts / counts.sum(), abs=0.015)
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-5)  # all 2 x 2 x 2 arcs were drawn


ALLOWED = [
    [[True, True, True]],
    [[True, True], [False, True]],
    [[True], [True, False], [True, True]],
]
KINDS = [Controller, Uniform, Evolution]


def sampler_of(kind, beside=(4,), seed=3):
    """A sampler of some arcs, with a decision of so many options behind each."""
    if kind is Controller:
        return Controller(ALLOWED, Enas(units=8, learning_rate=0.02), seed, beside)
    options = [np.flatnonzero(bits) for layer in ALLOWED for bits in layer]
    return kind([*options, *map(np.arange, beside)], seed)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_allowed_is_never_sampled(kind):
    sampler = sampler_of(kind)
    sampler.learn(sampler.sample(70), np.arange(70.0))
    codes = sampler.sample(500)
    for column, expected in enumerate([{0, 1, 2}, {0, 1}, {1}, {0}, {0}, {0, 1}, {0, 1, 2, 3}]):
        assert set(codes[:, column].tolist()) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_sampler_goes_on_from_its_state(kind):
    one, other = sampler_of(kind), sampler_of(kind)
    for _ in range(3):
        one.learn(one.sample(25), np.arange(25.0))
    other.restore(one.state())
    for _ in range(2):
        first, second = one.sample(6), other.sample(6)
        assert np.array_equal(first, second)
        assert one.learn(first, np.arange(6.0)) == other.learn(second, np.arange(6.0))


@pytest.mark.parametrize("kind", [Controller, Evolution])
def test_what_is_rewarded_beside_the_arc_is_sampled_more_often(kind):
    sampler = sampler_of(kind)
    for _ in range(60):
        codes = sampler.sample(20)
        sampler.learn(codes, (codes[:, -1] == 2).astype(float))
    assert (sampler.sample(200)[:, -1] == 2).mean() > 0.4


def test_evolution_changes_one_decision_of_the_best_of_a_few():
    sampler = sampler_of(Evolution)
    codes = sampler.sample(64)
    sampler.learn(codes, np.zeros(64))
    for mutant in sampler.sample(20):
        assert (codes != mutant).sum(axis=1).min() <= 1
    assert not np.array_equal(sampler.sample(1), codes[:1])


def test_a_limit_rejects_and_falls_back_to_the_smallest():
    sampler, smallest = sampler_of(Uniform), np.array([0, 0, 1, 0, 0, 0, 0], "int32")
    limited = Limited(sampler, lambda codes: codes[:, -1] < 2, smallest)
    codes = limited.sample(100)
    assert len(codes) == 100 and set(codes[:, -1]) == {0, 1}
    none = Limited(sampler, lambda codes: np.zeros(len(codes), bool), smallest)
    assert (none.sample(3) == smallest).all()


# The bank ----------------------------------------------------------------------------------------

ARCS = [
    [0, 0, 0, 0, 0, 0],
    [4, 4, 1, 4, 1, 1],
    [1, 3, 1, 0, 0, 1],
    [2, 1, 0, 3, 1, 0],
]


# With these a code is an arc and nothing else.
PLAIN = {
    "width_1": 16, "linear_bypass": False, "activation": "relu", "label_smoothing": 0.0,
    "dropout": 0.0, "input_dropout": 0.0, "l2": 1e-4, "gene_power": 1.0, "spectral_power": 0.0,
}  # fmt: skip


def bank_of(kind="classification", family=None, children=2, optimizer="adam", **changes):
    """A bank after a few steps, so that no weight is what it began with."""
    folds, _, spaces = in_folds(kind, PLAIN | (family or {}), **changes)
    space = ChildSpace({n: hyper for n, hyper in spaces["wired"].items()})
    views = Views.of(folds, space.widest, space.beside)
    network = folds.network(
        Configuration("wired", space.widest), 3, inputs=views.rows.inputs.shape[-1]
    )
    bank = Bank(network, space, views, folds.task, optimizer, children, seed=2)
    bank.begin([network], 4)
    bank.draw = Uniform(space.options, 9).sample
    index = np.stack([RANDOM.choice(train, (4, 16)) for train, _ in PAIRS], axis=1)
    bank.epoch(index.astype("int32"), np.full(4, 0.01, "float32"))
    return bank, folds


def alone(bank, folds, arc):
    """A stand-alone Keras model of an arc, with the weights it has in the bank fold by fold."""
    network = folds.network(Configuration("wired", bank._space.values(arc)), 8)
    for fold in range(len(PAIRS)):
        network.set_weights([stack[fold] for stack in bank.child(arc)])
        yield network


@pytest.mark.parametrize("normalization", ["batch", "none"])
@pytest.mark.parametrize("arc", ARCS + [[k, 4 - k, 1, k, 1, 0] for k in range(5)])
def test_a_child_cut_out_of_the_bank_is_the_bank_s(banks, arc, normalization):
    bank, folds = banks[normalization]
    context = bank._context.numpy()
    found = bank.outputs([ARCS[2], arc], context)[:, 1]
    for fold, network in enumerate(alone(bank, folds, arc)):
        x = tf.gather(bank._inputs[0, fold], context[fold])
        expected = network(x, training=True)
        assert np.abs(found[fold] - expected).max() < 1e-5


@pytest.fixture(scope="module")
def banks():
    """Banks that several tests look at, by their normalisation."""
    return {name: bank_of(family={"normalization": name}) for name in ("batch", "none")}


def test_children_of_a_step_have_statistics_of_their_own(banks):
    bank, _ = banks["batch"]
    index = np.stack([held for _, held in PAIRS])
    together = bank.outputs(ARCS, index)
    for child, arc in enumerate(ARCS):
        assert np.allclose(bank.outputs([arc], index)[:, 0], together[:, child], atol=1e-5)


def test_a_held_row_is_judged_the_same_whatever_stands_beside_it(banks):
    bank, _ = banks["batch"]
    index = np.stack([held for _, held in PAIRS])
    whole = bank.outputs(ARCS, index)
    assert np.allclose(bank.outputs(ARCS, index[:, :3]), whole[:, :, :3], atol=1e-5)


def test_a_step_moves_only_what_its_child_uses():
    bank, _ = bank_of(family={"l2": 0.0}, children=1)
    arc = [1, 0, 0, 2, 1, 0]
    bank.begin([bank._keras], 4)
    bank.draw = lambda count: np.tile(arc, (count, 1)).astype("int32")
    before = [stack.copy() for stack in bank.weights()]
    bank.epoch(np.stack([train[:8] for train, _ in PAIRS])[None].astype("int32"), [0.1])
    moved = [a != b for a, b in zip(before, bank.weights(), strict=True)]
    assert any(change.any() for change in moved)
    kernels = [change for change in moved if change.ndim == 3]
    # Layer 3 sees 2 of 16 units of layer 2, and nothing of layer 1; of it 1 unit is used.
    assert kernels[2][:, 16:18, :1].any()
    kernels[2][:, 16:18, :1] = False
    assert not kernels[2].any()


def open_bank(coordinates="rows", **changes):
    """A bank whose children differ in everything that they can differ in, without noise."""
    given = {"dropout": 0.0, "input_dropout": 0.0} | changes
    folds, _, spaces = in_folds(family=given, training={"space": coordinates})
    space = ChildSpace(spaces["wired"])
    views = Views.of(folds, space.widest, space.beside)
    network = folds.network(
        Configuration("wired", space.widest), 3, inputs=views.rows.inputs.shape[-1]
    )
    bank = Bank(network, space, views, folds.task, "adam", 3, seed=2)
    bank.begin([network], 4)
    bank.draw = Sandwich(space, 3, 9).sample
    index = np.stack([RANDOM.choice(train, (4, 16)) for train, _ in PAIRS], axis=1)
    bank.epoch(index.astype("int32"), np.full(4, 0.01, "float32"))
    return bank, folds


@pytest.fixture(scope="module")
def opened():
    """A bank of `open_bank` that several tests look at, and its cross-validation."""
    return open_bank()


@pytest.mark.parametrize("coordinates", ["rows", "genes"])
def test_a_child_of_any_power_activation_and_size_is_its_own_network(opened, coordinates):
    bank, folds = opened if coordinates == "rows" else open_bank("genes")
    assert set(bank._space.beside) == set(BESIDE) - {"dropout", "input_dropout"}
    assert folds.space == coordinates
    codes = Uniform(bank._space.options, 1).sample(12)
    context = bank._context.numpy()
    found = bank.outputs(codes, context)
    for child, code in enumerate(codes):
        values = bank._space.values(code)
        own, factors = (
            folds.fold_inputs(Configuration("wired", values)),
            folds.factors(Configuration("wired", values)),
        )
        for fold, network in enumerate(alone(bank, folds, code)):
            x = np.asarray(own.rows)[fold, context[fold]] * (
                1 if factors is None else factors[fold]
            )
            expected = network(x, training=True)
            assert np.abs(found[fold, child] - expected).max() < 1e-4


def test_rows_turned_towards_another_power_keep_their_distances():
    bank, folds = open_bank()
    rows = bank._views.rows.inputs
    plain = folds.fold_inputs(Configuration("wired", bank._space.widest | {"gene_power": 2.0}))
    view = 3 * len(bank._space.beside["spectral_power"])
    for fold in range(len(PAIRS)):
        own, turned = np.asarray(plain.rows)[fold], rows[view, fold]
        assert np.allclose(own @ own.T, turned @ turned.T, atol=1e-3)
        first = rows[0, fold]
        train = PAIRS[fold][0]
        width = own.shape[1]
        assert ((turned - first)[train] ** 2).sum() < ((own - first[:, :width])[train] ** 2).sum()


def gradients(bank, codes, index):
    """Gradients of the loss of the children of one step, by weight."""
    x = bank._viewed(bank._inputs, index, codes)
    stacks = {path: tf.constant(stack) for path, stack in bank.stacks().items()}
    trained = [stacks[path] for path in bank._trained]
    children = bank._of(codes)
    weights = tf.gather(bank._row_weights, tf.tile(index, (1, len(codes))))
    with tf.GradientTape() as tape:
        tape.watch(trained)
        outputs, _ = children(x, stacks, True, tf.constant([1, 2]))
        losses = bank.losses(tf.tile(index, (1, len(codes))), outputs) * weights
        total = tf.reduce_sum(losses) / tf.reduce_sum(weights[0]) + children.penalty(stacks)
    return tape.gradient(total, trained)


def test_the_gradient_of_a_step_is_the_mean_of_those_of_its_children(opened, monkeypatch):
    bank, _ = opened
    index = tf.constant(np.stack([train[:8] for train, _ in PAIRS]), tf.int32)
    codes = tf.constant(Uniform(bank._space.options, 4).sample(3))
    monkeypatch.setattr(TAUGHT, 0.0)
    together = gradients(bank, codes, index)
    singles = [gradients(bank, tf.repeat(codes[i : i + 1], 3, axis=0), index) for i in range(3)]
    for whole, *parts in zip(together, *singles, strict=True):
        assert np.allclose(whole, np.mean(parts, axis=0), atol=1e-5)


def test_the_penalty_of_a_child_is_that_of_its_own_network(opened):
    bank, folds = opened
    for code in Uniform(bank._space.options, 5).sample(6):
        children = bank._of(tf.constant(code[None]))
        kernels = [stack for stack in bank.child(code) if stack.ndim == 3]
        l2 = bank._space.values(code)["l2"]
        expected = l2 * sum((kernel**2).sum() for kernel in kernels)
        assert float(children.penalty(bank.stacks())) == pytest.approx(expected, rel=1e-4)


def test_rates_are_those_of_each_child():
    bank, _ = open_bank(dropout=[0.0, 0.6], input_dropout=[0.0, 0.5])
    codes = Uniform(bank._space.options, 2).sample(40)
    rates = bank._space.rates(bank._keras, tf.constant(codes))
    values = [bank._space.values(code) for code in codes]
    found = {}
    for layer in bank._keras.layers:
        if layer.name in rates:
            found.setdefault(type(layer).__name__, rates[layer.name].numpy())
    assert np.allclose(found["Dense"], [one["l2"] for one in values])
    dropped = [rates[one.name] for one in bank._keras.layers if type(one).__name__ == "Dropout"]
    assert np.allclose(dropped[-1], [one["dropout"] for one in values])
    noisy = found.get("GaussianNoise", dropped[0].numpy())
    expected = np.array([one["input_dropout"] for one in values])
    if "GaussianNoise" in found:
        expected = np.sqrt(expected / (1 - expected))
    assert np.allclose(noisy, expected)


def test_labels_are_smoothed_for_each_child_by_its_own_part(opened, monkeypatch):
    bank, _ = opened
    codes = Uniform(bank._space.options, 1).sample(3)
    column = bank._space.names.index("label_smoothing")
    index = tf.constant(np.tile(np.stack([held for _, held in PAIRS])[:, :6], (1, 3)), tf.int32)
    outputs = tf.random.stateless_normal((*index.shape, 3), (1, 2))
    monkeypatch.setattr(TAUGHT, 0.0)
    plain, equal = (bank.losses(index, outputs, tf.fill((3,), part)).numpy() for part in (0.0, 1.0))
    codes[:, column] = [0, 1, 2]
    parts = bank._of(tf.constant(codes)).label_smoothing
    found = bank.losses(index, outputs, parts).numpy()
    own = np.repeat(np.array([0.0, 0.05, 0.1], "float32"), 6)
    np.testing.assert_allclose(found, plain + own * (equal - plain), rtol=1e-5)
    assert np.abs(equal - plain).min() > 0


def test_the_first_child_teaches_the_others_and_is_not_taught(opened, monkeypatch):
    bank, _ = opened
    index = tf.constant(np.stack([train[:4] for train, _ in PAIRS]), tf.int32)
    every = tf.tile(index, (1, 3))
    random = np.random.default_rng(0)
    outputs = tf.constant(random.normal(size=(3, 12, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        total = tf.reduce_sum(bank.losses(every, outputs))
    moved = tape.gradient(total, outputs)[:, :4]
    taught = bank.losses(every, outputs).numpy()
    monkeypatch.setattr(TAUGHT, 0.0)
    plain = bank.losses(every, outputs).numpy()
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        total = tf.reduce_sum(bank.losses(every, outputs))
    assert np.allclose(moved, tape.gradient(total, outputs)[:, :4])
    assert np.allclose(taught[:, :4], plain[:, :4]) and not np.allclose(taught[:, 4:], plain[:, 4:])


def test_options_come_equally_often_beside_the_largest_and_the_smallest(opened):
    space = opened[0]._space
    codes = Sandwich(space, 4, 1).sample(400)
    for column, options in enumerate(space.options):
        counts = np.unique(codes[2::4, column], return_counts=True)[1]
        assert len(counts) == len(options)
        if column not in space.extreme(True):
            every = np.unique(codes[:, column], return_counts=True)[1]
            assert np.ptp(every) <= 1
    sizes = space.parameters(codes, 30, 3).reshape(-1, 4)
    assert (sizes[:, 0] == sizes.max()).all() and (sizes[:, 1] == sizes.min()).all()


@pytest.mark.slow
def test_parameters_are_those_of_the_network_on_genes(opened):
    bank, folds = opened
    for code in [smallest_code(bank._space), *Uniform(bank._space.options, 6).sample(2)]:
        values = bank._space.values(code)
        fit = folds.fit(Configuration("wired", values), Plan(1), 1)
        own = folds.parameters(Configuration("wired", values), fit)
        assert bank._space.parameters(code[None], GENES, 3) == [own]


def test_one_trace_serves_every_child():
    bank, _ = open_bank(dropout=[0.0, 0.6], input_dropout=[0.0, 0.5])
    index = np.stack([train[:16] for train, _ in PAIRS])[None].astype("int32")
    for count in (1, 3):
        bank.draw = Uniform(bank._space.options, count).sample
        bank.epoch(np.repeat(index, count, axis=0), np.full(count, 0.01, "float32"))
        bank.outputs(Uniform(bank._space.options, 1).sample(count + 1), index[0][:, :count])
    for function in (bank._train_epoch, bank._child_outputs):
        assert function.experimental_get_tracing_count() == 1


def test_gates_leave_out_what_an_arc_leaves_out(banks):
    bank, _ = banks["none"]
    gates = bank._space.gates(bank._keras, tf.constant([[1, 0, 0, 2, 1, 0]]))
    sums = [gate.numpy().sum() for gate in gates.values()]
    # Layer 2 sees all of layer 1; layer 3 layer 2; layer 4 layers 1 and 3; the outputs layer 4.
    assert sums == [16, 2, 16 + 1, 4]


def test_shared_weights_see_all_but_rates(plain):
    searcher, _ = plain
    bank, _ = searcher.shared.trained()
    (code,) = searcher.shared.uniform("some").sample(1)
    line, random = searcher.space.line(code), np.random.default_rng(0)
    others = np.array([searcher.space.code(searcher.space.with_other_rates(line, random))
                       for _ in range(8)])  # fmt: skip
    assert len(np.unique(others, axis=0)) > 1
    assert np.array_equal(*np.broadcast_arrays(searcher.space.seen(code[None]),
                                               searcher.space.seen(others)))  # fmt: skip
    assert len(set(searcher.shared.scores(bank, others))) == 1
    code[searcher.space.names.index("activation")] ^= 1
    assert searcher.shared.scores(bank, code[None]) != searcher.shared.scores(bank, others[:1])


def test_finalists_are_wirings_and_the_best_so_far_with_other_rates(plain):
    searcher, scores = taught(plain, search={"top_k": 6}), [0.5, 0.3, 0.4, 0.9, 0.2, 0.1]
    finalists = []
    for score in scores:
        finalists.append(searcher.propose().handle)
        searcher.report(finalists[-1], score)
    assert searcher.propose() is None
    codes = np.array([searcher.space.code(one) for one in finalists])
    assert len(np.unique(codes, axis=0)) == 6
    seen = [tuple(code) for code in searcher.space.seen(codes)]
    assert seen[0] == seen[1] == seen[2] == seen[4] == seen[5] != seen[3]
    assert finalists[3]["shared_score"] > finalists[0]["shared_score"]


def test_no_child_exceeds_the_limit(monkeypatch, tmp_path):
    limit, seen = 300, []
    original = Bank.epoch

    def epoch(self, index, rates, is_validated=False):
        draw = self.draw
        self.draw = lambda count: seen.append(draw(count)) or seen[-1]
        return original(self, index, rates, is_validated)

    monkeypatch.setattr(Bank, "epoch", epoch)
    run = Run(tmp_path)
    searcher = searching(run=run, search={"max_parameters": limit})
    finalists = proposals(searcher)
    sizes = searcher.shared.parameters(np.concatenate(seen))
    assert sizes.max() <= limit and len(np.unique(sizes)) > 1
    assert run.read_table("search/enas/candidates.tsv")["parameters"].max() <= limit
    folds, *_ = in_folds()
    for values in finalists:
        assert (
            folds.parameters(
                Configuration("wired", values),
                folds.fit(Configuration("wired", values), Plan(1), 1),
            )
            <= limit
        )
    shares = run.read_table("search/enas/contributions.tsv")
    *decisions, rest = shares["decision"]
    assert set(decisions) <= set(searcher.space.names) and rest == "interactions"
    assert shares["share"].sum() == pytest.approx(1) or shares["share"].isna().all()
    front = run.read_table("search/enas/front.tsv")
    assert front["parameters"].is_monotonic_increasing
    assert front["shared_score"].is_monotonic_decreasing


def test_a_limit_below_the_smallest_network_is_refused():
    with pytest.raises(InputError, match="search.max_parameters: the smallest network has "):
        searching(search={"max_parameters": 5})


def test_other_methods_refuse_a_limit():
    with pytest.raises(InputError, match="search.max_parameters: search.method random keeps no"):
        Config.of({"name": "t", "search": {"method": "random", "max_parameters": 1000}})


def test_powers_are_not_searched_where_their_rows_do_not_fit(caplog):
    folds, config, spaces = in_folds(training={"space": "rows"})
    assert {"gene_power", "spectral_power"} < set(searchable(spaces["wired"], folds))
    assert len(ChildSpace(searchable(spaces["wired"], folds)).beside["gene_power"]) > 1
    folds.settings = SimpleNamespace(data=SimpleNamespace(limit=10_000))
    found = ChildSpace(searchable(spaces["wired"], folds))
    assert not {"gene_power", "spectral_power"} & set(found.beside)
    assert "only the first value of each is used" in caplog.text


def test_candidates_of_an_earlier_version_are_finalists_of_first_options(tmp_path):
    run = Run(tmp_path)
    (tmp_path / "search" / "enas").mkdir(parents=True)
    lines = {"arc": ["[0, 0, 0, 0, 0, 0]", "[1, 1, 1, 1, 1, 1]"], "by": "lstm"}
    lines |= {"shared_score": [0.1, 0.2]}
    run.write_table("search/enas/candidates.tsv", pd.DataFrame(lines))
    seconds = {"epoch": [1], "weights_seconds": [1.0], "controller_seconds": [1.0]}
    run.write_table("search/enas/curves.tsv", pd.DataFrame(seconds))
    found = proposals(searching(run=run, search=LSTM | {"top_k": 4}))
    first, *_, last = found
    assert [values["arc"] for values in found] == [[0] * 6] * 3 + [[1] * 6]
    assert all(values["dropout"] == 0.4 and values["width_1"] == 16 for values in (first, last))


# The search --------------------------------------------------------------------------------------


def spied(monkeypatch, name):
    """Row numbers that a method of the bank is called with."""
    seen, original = [], getattr(Bank, name)

    def method(self, *arguments, **options):
        seen.append(np.asarray(arguments[0 if name == "epoch" else 1]))
        return original(self, *arguments, **options)

    monkeypatch.setattr(Bank, name, method)
    return seen


@pytest.mark.parametrize("kind", TASKS)
def test_weights_learn_on_training_rows_and_arcs_are_rewarded_on_held_ones(kind, monkeypatch):
    trained, judged = spied(monkeypatch, "epoch"), spied(monkeypatch, "outputs")
    finalists = proposals(searching(kind))
    # The range test, and 3 epochs.
    assert len(finalists) == 2 and len(trained) == 1 + 3 and judged
    for fold, (train, held) in enumerate(PAIRS):
        assert {int(row) for index in trained for row in index[:, fold].ravel()} == set(train)
        assert {int(row) for index in judged for row in index[fold].ravel()} == set(held)


@pytest.mark.parametrize("kind", TASKS)
def test_a_reward_is_the_log_likelihood_of_all_validation_rows(kind):
    task, truth = TASKS[kind]
    shared = searching(kind).shared
    bank, sampler = shared.made()
    codes = sampler.sample(4)
    found = shared.rewards(bank, codes, np.random.default_rng(0))
    index = np.stack([held for _, held in PAIRS])
    outputs = bank.outputs(codes, index).transpose(1, 0, 2, 3).reshape(4, ROWS, -1)
    expected = task.log_likelihoods(truth[index.ravel()], outputs, np.ones(ROWS))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_finalists_are_the_best_candidates_and_carry_their_arc(searched):
    searcher, finalists = searched
    run = searcher._run
    candidates = run.read_table("search/enas/candidates.tsv")
    own = candidates[candidates["by"] == "lstm"]
    assert own["shared_score"].is_monotonic_increasing and set(candidates["by"]) == {
        "lstm",
        "uniform",
    }
    first, second = finalists
    assert json.loads(own["arc"].iloc[0]) == first["arc"] == second["arc"]
    for column in ("dropout", "gene_power", "width_1"):
        assert own[column].iloc[0] == first[column]
    assert first["gene_power"] == second["gene_power"] and first != second
    for values in finalists:
        kept = families.space("wired", {name: [value] for name, value in values.items()})
        assert {name: hyper.options[0] for name, hyper in kept.items()} == values
        width_2, width_3, skip_1_3, width_4, skip_1_4, skip_2_4 = values["arc"]
        assert [values[f"width_{layer}"] for layer in (2, 3, 4)] == [
            [1, 2, 4, 8, 16][position] for position in (width_2, width_3, width_4)
        ]
        assert [values[name] for name in ("skip_1_3", "skip_1_4", "skip_2_4")] == [
            skip_1_3, skip_1_4, skip_2_4
        ]  # fmt: skip
    curves = run.read_table("search/enas/curves.tsv")
    assert list(curves["epoch"]) == [1, 2, 3]
    assert {"loss", "reward", "baseline", "entropy", "skip_rate"} < set(curves)
    assert curves["learning_rate"].is_monotonic_decreasing
    report = run.read_json("search/enas/report.json")
    # Both are of one score by shared weights.
    assert report["finalists"] == 2 and report["kendall_tau"] is None
    scores = candidates.groupby("by")["shared_score"]
    assert report["best_shared_score"] == scores.min().to_dict()
    assert report["median_shared_score"] == scores.median().to_dict()
    told = run.read_table("search/enas/finalists.tsv")
    assert list(told["score"]) == [1.0, 0.5]
    assert not run.has("search/enas/state.npz")


def test_no_more_finalists_than_trials_and_each_is_reported(plain, tmp_path):
    run = Run(tmp_path)
    searcher = taught(plain, run=run, search={"top_k": 5, "max_trials": 4})
    assert len(proposals(searcher)) == 4
    report = run.read_json("search/enas/report.json")
    assert report["finalists"] == 4 and report["kendall_tau"] is not None


def test_scores_that_are_no_numbers_leave_a_report(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(SharedSearch, "scores", lambda self, bank, arcs: [math.nan] * len(arcs))
    run = Run(tmp_path)
    proposals(taught(plain, run=run))
    report = run.read_json("search/enas/report.json")
    assert report["kendall_tau"] is None
    assert report["best_shared_score"] == {"uniform": None}


def test_time_of_shared_weights_counts(tmp_path):
    run, config = Run(tmp_path), in_folds()[1]
    (tmp_path / "search" / "enas").mkdir(parents=True)
    assert seconds_before(config, run, [Trial(1, "wired", {}, seconds=2.0)]) == 2
    lines = pd.DataFrame(
        {"epoch": [1, 2], "weights_seconds": [7.0, 5], "controller_seconds": [1.0, 1]}
    )
    run.write_table("search/enas/curves.tsv", lines)
    assert seconds_before(config, run, [Trial(1, "wired", {}, seconds=2.0)]) == 16


def test_shared_scores_are_those_of_the_objective_on_held_rows(tmp_path):
    searcher = searching()
    bank, _ = searcher.shared.made()
    codes = searcher.shared.uniform("x").sample(1)
    (score,) = searcher.shared.scores(bank, codes)
    outputs = np.zeros((ROWS, 3))
    for fold, (_, held) in enumerate(PAIRS):
        outputs[held] = bank.outputs(codes, np.tile(held, (3, 1)))[fold, 0]
    folds = searcher.shared._folds
    calibrated = outputs / folds.temperature(outputs)
    assert score == pytest.approx(folds.score(folds.validation_rows, calibrated), rel=1e-5)


def test_arcs_without_a_score_come_last(plain, monkeypatch):
    searcher = taught(plain)

    def scores(bank, arcs):
        return [math.nan if arc[0] else float(arc[1]) for arc in arcs]

    monkeypatch.setattr(searcher.shared, "scores", scores)
    found = [one["shared_score"] for one in searcher._searched()]
    known = [score for score in found if not math.isnan(score)]
    assert known == sorted(known) == found[: len(known)] and len(known) < len(found)


@pytest.mark.slow
def test_every_optimizer_trains_a_bank():
    for optimizer in ("lamb", "momentum"):
        bank, _ = bank_of(optimizer=optimizer)
        assert bank.optimizer == optimizer
        assert all(np.isfinite(stack).all() for stack in bank.weights())


@pytest.mark.slow
def test_finalists_train_from_scratch():
    folds, config, spaces = in_folds()
    tried = {result.trial.number: result for result in search(folds, config, spaces)}
    assert set(tried) == {0, 1, 2}
    fresh, *_ = in_folds()
    for number in (1, 2):
        trial = tried[number].trial
        again = fresh.fit(Configuration("wired", trial.values), Plan(3), seed_of(trial, config))
        assert fresh.judge(trial, again).trial.score == trial.score


def seed_of(trial, config):
    """The seed that any search trains these values with."""
    from autogenome_tf.core.seeds import derive

    own = {name: value for name, value in trial.values.items() if name != "gene_power"}
    texts = json.dumps(own, sort_keys=True)
    return derive(config.seed, f"trial/{trial.family}/{texts}/{config.training.epochs}")


@pytest.mark.slow
def test_the_same_seed_finds_the_same_and_another_does_not(plain):
    same, other = (proposals(searching(seed=seed)) for seed in (5, 6))
    assert plain[1] == same != other


class Killed(Exception):
    """Stands for a signal."""


@pytest.mark.slow
def test_an_interrupted_search_goes_on_to_the_same_end(searched, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(shared_search, "KEPT_EVERY", 0.0)
    (searcher, expected), broken = searched, Run(tmp_path)
    whole = searcher._run

    def fail_at(epoch):
        original = SharedSearch._epoch

        def method(self, *arguments):
            if arguments[2] == epoch:
                raise Killed
            return original(self, *arguments)

        return method

    with monkeypatch.context() as patched:
        patched.setattr(SharedSearch, "_epoch", fail_at(3))
        with pytest.raises(Killed):
            proposals(searching(run=broken, search=LSTM))
    flat = {"bank/0": np.zeros(7), "epochs": np.int64(2)}
    other = Run(tmp_path / "other")
    other.write_arrays("search/enas/state.npz", is_compressed=False, **flat)
    assert proposals(searching(run=other, search=LSTM)) == expected
    assert "of another version; training starts anew" in caplog.text
    assert broken.has("search/enas/state.npz")
    assert proposals(searching(run=broken, search=LSTM)) == expected
    lines = [run.read_table("search/enas/curves.tsv") for run in (whole, broken)]
    timed = ["weights_seconds", "controller_seconds"]
    assert lines[0].drop(columns=timed).equals(lines[1].drop(columns=timed))
    # From here on, nothing is searched again.
    monkeypatch.setattr(Finalists, "_searched", lambda self: pytest.fail("searched again"))
    assert proposals(searching(run=broken, search=LSTM)) == expected


def test_half_of_the_time_is_left_to_the_finalists(caplog):
    caplog.set_level(logging.INFO)
    folds, config, spaces = in_folds(search={"epochs": 500})
    searcher = finalists_of(folds, config, spaces, deadline=0.0)
    assert len(proposals(searcher)) == 2
    assert "half of the time is used up after 1 epochs" in caplog.text
    # Time that is over leaves the last rate, a hundredth of the first.
    (line,) = searcher.shared.curves
    assert line["learning_rate"] == pytest.approx(searcher.shared._rate / 100)


def test_a_uniform_controller_is_no_controller(plain):
    searcher, finalists = plain
    assert len(finalists) == 2
    assert {"loss", "reward"} < set(
        searcher.shared.curves[0]
    ) and "entropy" not in searcher.shared.curves[0]


@pytest.mark.slow
def test_dimensions_that_are_narrowed_stay_so():
    narrowed = {"width_3": [2, 5], "skip_1_3": 1, "skip_2_4": 0, "dropout": 0.0}
    finalists = proposals(searching(family=narrowed, search={"top_k": 6}))
    assert len(finalists) == 6
    for values in finalists:
        assert values["width_3"] in (2, 5) and values["dropout"] == 0.0
        assert values["skip_1_3"] == 1 and values["skip_2_4"] == 0


@pytest.mark.parametrize("given", [{"mlp": {}}, {"wired": {}, "linear": {}}, None])
def test_enas_needs_exactly_the_family_wired(given):
    asked = {"name": "t", "search": {"method": "enas"}} | ({"families": given} if given else {})
    with pytest.raises(InputError, match="needs exactly the family wired; received "):
        Config.of(asked)


def test_rows_that_do_not_fit_into_memory_are_refused(monkeypatch):
    folds, config, spaces = in_folds(pairs=PAIRS[:1])
    folds.is_streamed = True
    with pytest.raises(InputError, match="enas needs the rows in memory"):
        finalists_of(folds, config, spaces)


def test_a_loss_that_compares_rows_compares_those_of_one_child(monkeypatch):
    """Risk sets of a child hold no row of another child, nor of another fold."""
    folds, children, rows = 2, 3, 12
    targets = np.stack([RANDOM.integers(1, 9, 40), RANDOM.integers(0, 2, 40)], axis=1).astype(float)
    bank = object.__new__(Bank)
    bank._children, bank.task = children, Survival(["time", "event"])
    bank.__dict__["count"] = folds
    monkeypatch.setattr(TAUGHT, 0.0)
    bank._targets, bank._row_weights = tf.constant(targets), tf.ones(40)
    index = np.tile(np.stack([RANDOM.permutation(40)[:rows] for _ in range(folds)]), (1, children))
    outputs = RANDOM.normal(size=(folds, children * rows, 1)).astype("float32")
    found = bank.losses(tf.constant(index), tf.constant(outputs)).numpy()
    for fold in range(folds):
        for child in range(children):
            own = slice(child * rows, (child + 1) * rows)
            expected = RiskSets(*targets[index[fold, own]].T).losses(outputs[fold, own, 0])
            np.testing.assert_allclose(found[fold, own], expected, rtol=1e-4, atol=1e-5)
