"""What the loop around a search promises, on rows that only pretend to be trained on."""

import contextlib
import ctypes
import dataclasses
import itertools
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from autogenome_tf import families, search
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.search import (
    Proposal,
    _limits,
    _search,
    _trials,
    leaderboard,
    ranked,
    trials_of,
)
from autogenome_tf.search._loop import TrialLoop
from autogenome_tf.search._trials import Trial
from autogenome_tf.tasks import Classification
from autogenome_tf.training import CrossValidation, Fit, Plan, TrialResult
from autogenome_tf.training._loop import Diverged

FAMILIES = {"mlp": {"layers": [1, 2, 3], "units": [8, 16, 32]}}
FIXED = {"dropout": 0.0, "input_dropout": 0.0, "l2": 0.0, "spectral_power": 0.0, "gene_power": 0.0,
         "activation": "relu", "normalization": "none"}  # fmt: skip


class Clock:
    """Time that passes only when somebody works."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class Pretended(CrossValidation):
    """A `CrossValidation` without rows: the loss of a network is known beforehand."""

    genes, objective, is_streamed, workers = 5, "log_loss", False, None
    task = Classification(["healthy", "tumour"])
    transforms = {"none": None}

    def __init__(self, loss=lambda values: values["layers"] / values["units"], clock=None):
        self.loss, self.clock = loss, clock
        self.trained, self.plans = [], []

    def fit(self, configuration, plan, seed, repeats=None):
        values = configuration.values
        self.trained.append((configuration.family, json.dumps(values, sort_keys=True)))
        self.plans.append(plan)
        if self.clock:
            self.clock.now += 10
        return Fit([np.full(3, self.loss(values))], [], plan.epochs, [])

    def path(self, configuration, options, deadline=float("inf")):
        power = configuration.values["spectral_power"]
        for option in sorted(options, reverse=True):
            loss = 0.5 + abs(np.log10(option + 1e-9) + 1) + power
            yield option, Fit([np.full(3, loss)], [], 1, [{"validation_loss": loss}])

    def parameters(self, configuration, fit):
        return 3

    def judge(self, trial, fit):
        return judged(trial, float(fit.weights[0][0]), fit)

    def final_model(self, configuration, fit, temperature, replica=0):
        raise NotImplementedError

    def network(self, configuration, seed=1):
        raise NotImplementedError

    def kept_genes(self, configuration):
        return np.arange(self.genes)

    def _forget_inputs(self):
        """There are none."""


def judged(trial, score, fit):
    """Return the result of a trial with a score."""
    known = {"score": score, "error": 0.01, "epochs": fit.best_epoch, "parameters": 3}
    return TrialResult(dataclasses.replace(trial, **known, status="done"), fit=fit)


def config_of(given=None, **changes):
    """A config of a random search over FAMILIES."""
    given = FAMILIES if given is None else given
    given = {name: asked if name == "linear" else FIXED | asked for name, asked in given.items()}
    settings = {"method": "random", "max_trials": 6, "epochs": 4} | changes
    return Config.of({"name": "t", "families": given, "search": settings})


def searched(folds, config=None, **options):
    """Every trial of a search."""
    return [result.trial for result in results_of(folds, config, **options)]


def results_of(folds, config=None, **options):
    """Return the result of every trial of a search."""
    config = config or config_of()
    return list(search.search(folds, config, families.spaces(config), **options))


# Order and count -------------------------------------------------------------------------------


def test_the_baseline_comes_first_and_outside_max_trials():
    trials = searched(Pretended())
    assert [trial.number for trial in trials] == list(range(7))
    assert trials[0].family == "linear"
    assert {trial.family for trial in trials[1:]} == {"mlp"}
    assert all(trial.status == "done" and trial.epochs == 4 for trial in trials[1:])


def test_the_baseline_takes_the_best_penalty_of_its_path():
    first = searched(Pretended())[0]
    assert first.values["l2"] == 0.1 and first.score == pytest.approx(0.5)


def test_a_config_narrows_the_path_of_the_baseline():
    config = config_of(FAMILIES | {"linear": {"l2": [1.0, 0.001]}}, max_trials=1)
    assert searched(Pretended(), config)[0].values["l2"] == 1.0


LEARNERS = ["discriminant", "hinge", "centroid", "pls"]
PLAIN = {"gene_power": 0.0}


def test_linear_alone_needs_no_search():
    folds = Pretended()
    found = searched(folds, config_of({"linear": PLAIN}, start="defaults"))
    assert [trial.values["loss"] for trial in found] == ["logistic", *LEARNERS]
    assert not folds.trained


def test_linear_learners_stand_behind_the_numbers_of_networks_and_come_first():
    trials = searched(Pretended(), config_of(FAMILIES | {"linear": PLAIN}))
    assert [trial.number for trial in trials] == [0, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6]
    assert [trial.family for trial in trials] == ["linear"] * 5 + ["mlp"] * 6


def test_a_config_chooses_linear_learners_beside_the_baseline():
    given = PLAIN | {"loss": ["hinge", "centroid"], "l2": [0.1, 10.0], "threshold": 2.0}
    trials = searched(Pretended(), config_of({"linear": given}))
    plain = {"spectral_power": 0.0, "gene_power": 0.0}
    assert [trial.values for trial in trials] == [
        {"loss": "logistic", "l2": 0.1} | plain,
        {"loss": "hinge", "l2": 0.1} | plain,
        {"loss": "centroid", "threshold": 2.0} | plain,
    ]


def test_linear_learners_take_each_gene_power_and_the_baseline_takes_0():
    given = {"loss": ["logistic", "hinge"], "gene_power": [0.0, 1.0, 2.0]}
    trials = searched(Pretended(), config_of({"linear": given}, start="defaults"))
    assert [(t.values["loss"], t.values["gene_power"]) for t in trials] == [
        ("logistic", 0.0), ("hinge", 0.0), ("hinge", 1.0), ("logistic", 1.0),
        ("hinge", 2.0), ("logistic", 2.0),
    ]  # fmt: skip
    (named,) = searched(Pretended(), config_of({"linear": given | {"gene_power": 1.0}}))[:1]
    assert named.values["gene_power"] == 1.0


def test_only_the_losses_that_a_config_names_are_asked_for():
    asked = {"linear": PLAIN | {"loss": "hinge"}}
    found = results_of(Pretended(), config_of(asked))
    best = search.best_results(found, 5, "log_loss", asked)
    assert [result.trial.values["loss"] for result in best] == ["hinge"]
    assert families.is_asked("linear", {"l2": 1.0}, asked), "of a run without losses"
    assert not families.is_asked("mlp", {}, asked)


def test_a_learner_that_fails_says_why_and_the_others_go_on():
    class Failing(Pretended):
        def path(self, configuration, options, deadline=float("inf")):
            if configuration.values["loss"] == "centroid":
                raise ValueError("too large")
            yield from super().path(configuration, options, deadline)

    trials = searched(Failing(), config_of({"linear": PLAIN}, start="defaults"))
    assert [trial.status for trial in trials][3] == "failed: ValueError: too large"
    assert [trial.is_scored for trial in trials] == [True, True, True, False, True]


def test_an_interrupted_search_solves_no_learner_twice():
    whole = searched(Pretended(), config_of({"linear": PLAIN}))
    again = results_of(Pretended(), config_of({"linear": PLAIN}), finished=whole[:3])
    assert [result.trial.number for result in again] == [trial.number for trial in whole]
    assert [result.fit is None for result in again] == [True, True, True, False, False]


def test_streamed_rows_have_the_baseline_alone(clock):
    class Streamed(Pretended):
        is_streamed = True

    folds = Streamed(lambda values: 0.3)
    assert [t.values["loss"] for t in searched(folds, config_of({"linear": PLAIN}))] == ["logistic"]
    for given in ("hinge", ["logistic", "hinge"]):
        with pytest.raises(InputError, match="families.linear.loss: expected logistic for rows"):
            searched(folds, config_of({"linear": {"loss": given}}))


def test_an_exhausted_space_ends_the_search():
    folds = Pretended()
    assert len(searched(folds, config_of(max_trials=50))) == 1 + 9
    assert len(folds.trained) == len(set(folds.trained)) == 9


def test_trials_come_as_they_end():
    folds = Pretended()
    stream = search.search(folds, config_of(), families.spaces(config_of()))
    with contextlib.closing(stream):
        counts = [(next(stream).trial.number, len(folds.trained)) for _ in range(3)]
    assert counts == [(0, 0), (1, 1), (2, 2)]


# Ranking ---------------------------------------------------------------------------------------


def test_the_leaderboard_ranks_by_score_and_failures_last():
    trials = [
        Trial(0, "linear", {}, 0.4),
        Trial(1, "mlp", {"layers": 1}, status="failed: Diverged: nan"),
        Trial(2, "mlp", {"layers": 2}, 0.2),
        Trial(3, "mlp", {"layers": 3}, 0.3),
    ]
    assert [t.number for t in ranked(trials, "log_loss")] == [2, 3, 0, 1]
    assert [t.number for t in ranked(trials, "accuracy")] == [0, 3, 2, 1]
    frame = leaderboard(trials, "log_loss")
    assert list(frame["rank"]) == [1, 2, 3, 4] and list(frame["trial"]) == [2, 3, 0, 1]


def test_trials_come_back_from_the_leaderboard():
    trials = searched(Pretended())
    back = trials_of(leaderboard(trials, "log_loss"))
    assert sorted(back, key=lambda trial: trial.number) == trials


# Failures --------------------------------------------------------------------------------------


def failing_at(layers, error):
    """A loss that cannot be had for networks of some depths."""

    def loss(values):
        if values["layers"] in layers:
            raise error
        return values["layers"] / values["units"]

    return loss


ERRORS = [Diverged("the loss was not a number"), ValueError("bad"), MemoryError("full")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_failed_trial_shows_its_reason_and_the_rest_goes_on(error):
    trials = searched(Pretended(failing_at([2], error)), config_of(max_trials=9))
    failed = [trial for trial in trials if not trial.is_scored]
    assert len(trials) == 10 and len(failed) == 3
    assert {trial.values["layers"] for trial in failed} == {2}
    assert {trial.status for trial in failed} == {f"failed: {type(error).__name__}: {error}"}


def test_a_trial_without_enough_memory_for_tensorflow_is_a_failed_trial():
    import tensorflow as tf

    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    trials = searched(Pretended(failing_at([2], error)), config_of(max_trials=9))
    assert sum("OOM" in trial.status for trial in trials) == 3


def test_a_score_that_is_no_number_is_not_ranked():
    trials = searched(Pretended(lambda values: float("nan" if values["layers"] == 2 else 1)),
                      config_of(max_trials=9))  # fmt: skip
    last = ranked(trials, "log_loss")[-3:]
    assert {trial.values["layers"] for trial in last} == {2}


def test_when_most_trials_fail_the_search_stops_and_says_why():
    folds = Pretended(failing_at([1, 2, 3], Diverged("the loss was not a number")))
    with pytest.raises(StageError, match="6 of 6 trials failed.*the loss was not a number"):
        searched(folds, config_of(max_trials=9))
    assert len(folds.trained) == _trials.FAILED_COUNT


def test_a_mistake_in_the_program_is_not_taken_for_a_failed_trial():
    with pytest.raises(KeyError):
        searched(Pretended(failing_at([1, 2, 3], KeyError("layers"))))


def test_every_combination_beside_l2_has_a_ladder():
    given = {"linear": {"spectral_power": [1.0, 0.5, 0.0]}, "mlp": {"layers": 1, "units": 8}}
    first = searched(Pretended(), config_of(given, max_trials=1))[0]
    values = {"loss": "logistic", "l2": 0.1, "spectral_power": 0.0, "gene_power": 0.0}
    assert first.values == values


def test_rungs_that_all_predict_the_largest_class_do_not_end_the_ladder():
    class Counted(Pretended):
        objective = "accuracy"

        def judge(self, trial, fit):
            accuracy = 0.9 if fit.weights[0][0] < 0.6 else 0.5
            return judged(trial, accuracy, fit)

    first = searched(Counted(), config_of(objective="accuracy"))[0]
    assert first.values["l2"] == 0.1 and first.score == 0.9


# The best ------------------------------------------------------------------------------------


def test_the_best_are_kept_with_their_networks_and_no_others():
    best = []
    found = results_of(Pretended(), config_of(max_trials=9))
    for result in found:
        best = search.best_results([*best, result], 3, "log_loss", {"mlp": {}})
    trials = [result.trial for result in found if result.trial.family == "mlp"]
    assert [result.trial for result in best] == ranked(trials, "log_loss")[:3]
    assert all(result.fit.weights[0][0] == result.trial.score for result in best)


def test_a_recorded_trial_trains_again_to_the_same_result_whatever_the_time(clock):
    whole = results_of(Pretended(), config_of(max_trials=3))
    folds = Pretended(clock=clock)
    finished = [result.trial for result in whole]
    late = {"finished": finished, "deadline": clock.now - 1}
    again = results_of(folds, config_of(max_trials=3), **late)
    assert not folds.trained and all(result.fit is None for result in again)
    for first, second in zip(whole, again, strict=True):
        assert second.trained().trial.score == first.trial.score
    assert [plan.epochs for plan in folds.plans] == [4, 4, 4]
    assert {plan.deadline for plan in folds.plans} == {float("inf")}


def test_a_recorded_trial_that_time_had_stopped_has_as_much_again(clock):
    (_, whole) = searched(Pretended(), config_of(max_trials=1))
    folds = Pretended(clock=clock)
    stopped = dataclasses.replace(whole, status="stopped", seconds=7.0)
    (again,) = results_of(folds, config_of(max_trials=1), finished=[stopped])[1:]
    clock.now += 100
    started = clock.now
    again.trained()
    assert folds.plans[-1].deadline == started + 7


# Repetition ------------------------------------------------------------------------------------


class Stubborn(search.SearchMethod):
    """A search method that hardly ever has a new idea."""

    def __init__(self, ideas):
        self.ideas, self.scores = list(ideas), []

    def propose(self):
        values = self.ideas.pop(0) if len(self.ideas) > 1 else self.ideas[0]
        return Proposal(object(), "mlp", values, None)

    def report(self, handle, score):
        self.scores.append(score)


def test_a_repeated_proposal_is_told_its_score_and_not_trained_again():
    shallow, deep = ({"layers": layers, "units": 8} for layers in (1, 2))
    method, folds = Stubborn([shallow, deep, shallow, deep]), Pretended()
    limits = _limits.Limits(0, 6, math.inf)
    results = list(TrialLoop(method, folds, config_of(), {}, limits).results())
    assert len(results) == 2 and len(folds.trained) == 2
    assert method.scores[:4] == [1 / 8, 2 / 8, 1 / 8, 2 / 8]
    assert len(method.scores) == 2 + _trials.MOST_REPEATS


@pytest.mark.parametrize("method", ["random", "grid", "bayesian", "hyperband"])
@pytest.mark.parametrize("done", [1, 4])
def test_finished_trials_are_replayed_and_the_rest_is_the_same(method, done):
    config = config_of(method=method)
    whole = searched(Pretended(), config)
    folds = Pretended()
    resumed = searched(folds, config, finished=whole[:done])
    assert [(t.number, t.values, t.score) for t in resumed] == [
        (t.number, t.values, t.score) for t in whole
    ]
    assert len(folds.trained) == len(whole) - max(1, done)
    assert resumed[:done] == whole[:done]


@pytest.mark.parametrize("method", ["random", "grid", "bayesian", "hyperband", "coordinate"])
def test_a_record_of_other_proposals_is_taken_only_where_processors_differ(method):
    config = config_of(method=method, max_trials=9)
    whole = searched(Pretended(), config)
    done = [*whole[:4], dataclasses.replace(whole[4], values=whole[-1].values)]
    if method != "bayesian":
        with pytest.raises(StageError, match="proposes other trials"):
            searched(Pretended(), config, finished=done)
        return
    resumed = searched(Pretended(), config, finished=done)
    assert resumed[:5] == done and len(resumed) == len(whole)
    tried = [json.dumps([trial.family, trial.values]) for trial in resumed]
    assert len(set(tried)) == len(tried)  # what was taken from the record is not proposed again


def test_processes_that_train_together_try_what_the_first_one_proposes():
    def broadcast(text):
        family, values = json.loads(text)
        return json.dumps([family, values | {"units": other[values["units"]]}])

    other = {8: 16, 16: 32, 32: 8}
    folds = Pretended()
    folds.workers = SimpleNamespace(broadcast=broadcast)
    alone = searched(Pretended(), config_of(method="bayesian", max_trials=1))
    together = searched(folds, config_of(method="bayesian", max_trials=1))
    assert together[1].values == alone[1].values | {"units": other[alone[1].values["units"]]}


def test_the_same_values_train_with_the_same_seed_wherever_they_come():
    seeds = {}

    class Noted(Pretended):
        def fit(self, configuration, plan, seed):
            seeds.setdefault(json.dumps(configuration.values), set()).add(seed)
            return super().fit(configuration, plan, seed)

    for method in ("random", "grid"):
        searched(Noted(), config_of(method=method, max_trials=9))
    assert len(seeds) == 9 and all(len(seed) == 1 for seed in seeds.values())
    assert len(set.union(*seeds.values())) == 9


def test_hyperband_trains_for_the_epochs_it_asks_for():
    folds = Pretended()
    searched(folds, config_of(method="hyperband", max_trials=14, epochs=9))
    epochs = [plan.epochs for plan in folds.plans]
    assert min(epochs) < max(epochs) <= 9


# Time ------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """The only time that search knows of."""
    made = Clock()
    for module in (_limits, _search, _trials):
        monkeypatch.setattr(module, "time", made)
    return made


def test_no_trial_starts_when_the_time_of_the_search_is_up(clock):
    folds = Pretended(clock=clock)
    trials = searched(folds, config_of(max_trials=9), deadline=clock.now + 60)
    end = 1000 + 60 * (1 - _trials.FINAL_SHARE)  # the rest is the final fit's
    assert len(folds.trained) == 5 and len(trials) == 6
    assert clock.now == 1050 > end
    assert all(plan.deadline == end for plan in folds.plans)
    assert [trial.status for trial in trials[1:]] == ["done"] * 4 + ["stopped"]


def test_max_trials_comes_first_where_time_is_plenty(clock):
    assert len(searched(Pretended(clock=clock), deadline=clock.now + 1e6)) == 7


def test_finished_trials_are_replayed_even_when_the_time_is_up(clock):
    whole = searched(Pretended())
    folds = Pretended(clock=clock)
    trials = searched(folds, finished=whole[:4], deadline=clock.now - 1)
    assert trials == whole[:4] and not folds.trained


class Mallinfo2(ctypes.Structure):
    """What glibc says of its heap."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
            "fordblks", "keepcost",
        )
    ]  # fmt: skip


def in_use():
    """MiB of this process' heap that nobody has given back."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        pytest.skip("this C library does not tell how much of its heap is in use")
    libc.mallinfo2.restype = Mallinfo2
    return libc.mallinfo2().uordblks / 2**20


@pytest.mark.slow
def test_a_long_search_gives_back_what_each_structure_has_left_behind():
    shapes = itertools.count(1)

    class Structures(Pretended):
        def fit(self, *arguments):
            for _ in range(20):
                kernel = tf.Variable(np.zeros((3, next(shapes)), "float32"))
                kernel.assign(kernel.numpy())
            return super().fit(*arguments)

    folds, plan, used = Structures(), Plan(1), []
    for number in range(1, 41):
        _trials.run_trial(folds, Trial(number, "mlp", FIXED | {"layers": 1, "units": 8}), plan, 1)
        used.append(in_use())
    assert max(used[-8:]) < max(used[:16]) + 10, used
