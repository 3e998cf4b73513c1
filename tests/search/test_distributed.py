"""A chief that serves an oracle, and workers that ask; no network is trained here."""

import contextlib
import json
import math
import socket
import threading
import time

import pytest

from autogenome_tf import families, search
from autogenome_tf.config import processes
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.run import Run
from autogenome_tf.search import _keras_tuner, _search
from autogenome_tf.search._keras_tuner import chief, worker
from autogenome_tf.search._keras_tuner.calls import Calls
from autogenome_tf.search._limits import Limits

SPACES = {
    "mlp": families.space("mlp", {"units": [8, 16, 32], "dropout": [0.0, 0.2], "l2": 0.0}),
    "resnet": families.space("resnet", {"width": [8, 16], "n_blocks": 1, "l2": 0.0}),
}
SEED, MOST = 5, 9
METHODS = sorted(_keras_tuner.ORACLES)

# KerasTuner's, of its own code.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(_keras_tuner.Bayesian, "CANDIDATES", 60)
    for module in (chief, worker):
        monkeypatch.setattr(module, "POLL", 0.05)
    monkeypatch.setattr(chief, "FAREWELL", 0.2)
    monkeypatch.setattr(worker, "LOOK", 0.1)


@pytest.fixture
def port(monkeypatch):
    """A free port, with the variables that lead to it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number = found.getsockname()[1]
    for name, value in zip(
        (processes.HOST, processes.PORT), ("127.0.0.1", str(number)), strict=True
    ):
        monkeypatch.setenv(name, value)
    return number


def proposer(method):
    searched = {"method": method, "max_trials": MOST, "epochs": 9}
    config = Config.of({"name": "t", "search": searched})
    request = search.Request(SPACES, config.search, config.training, config.objective, SEED)
    return search.method(method)(request).proposer


@contextlib.contextmanager
def serving(method, calls, port, deadline=math.inf, fewest=0, began="today"):
    with contextlib.closing(proposer(method)) as made:
        own = chief.Chief(made, Calls(calls), "run", began, Limits(fewest, MOST, deadline))
        with chief.served(f"127.0.0.1:{port}", own) as served:
            yield served


@pytest.fixture
def hired(monkeypatch):
    """A function that makes a worker of this name, joined."""
    with contextlib.ExitStack() as stack:

        def hire(name, method="random", has_ended=None):
            monkeypatch.setenv(processes.TUNER, name)
            remote = stack.enter_context(
                contextlib.closing(worker.Remote(proposer(method), processes.own_role(), has_ended))
            )
            remote.joined()
            return remote

        yield hire


def score(values):
    """Some loss that differs from configuration to configuration."""
    return float(sum(map(len, map(str, values.values())))) + values["dropout"]


def alone(method):
    """(family, values) of the trials of one process."""
    tried = []
    with contextlib.closing(proposer(method)) as made:
        while len(tried) < MOST and (proposed := made.propose()):
            proposal, family, values, _ = proposed
            tried.append((family, values))
            made.report(proposal, score(values))
    return tried


def by_turns(workers, tried, turns=99):
    """Have workers try in turn, each told of when its next turn comes; adds to `tried`."""
    holding = {}
    for turn in range(turns):
        remote = workers[turn % len(workers)]
        if remote in holding:
            remote.report(*holding.pop(remote))
        if len(dict(tried)) < MOST:
            proposal, number, family, values, epochs, _ = remote.propose()
            tried.append((number, (family, values, epochs)))
            holding[remote] = proposal, score(values)
        elif not holding:
            return


@pytest.mark.parametrize("method", ["random", "grid"])
def test_two_workers_try_what_one_process_tries(method, port, hired, tmp_path):
    tried = []
    with serving(method, tmp_path / "calls", port) as served:
        workers = [hired(name, method) for name in "ab"]
        by_turns(workers, tried)
        assert served.is_over()
        assert [remote.propose() for remote in workers] == [None, None]
        ended = served.ended()
    assert [trial[:2] for _, trial in sorted(tried, key=lambda t: t[0])] == alone(method)
    assert {trial[0]: trial[1:] for trial in ended} == {n: (*t, False) for n, t in tried}


@pytest.mark.parametrize("method", METHODS)
def test_a_chief_goes_on_where_it_was(method, port, hired, tmp_path):
    whole, broken = [], []
    with serving(method, tmp_path / "whole", port):
        by_turns([hired(name, method) for name in "ab"], whole)
    for turns in (2, 4, 4, 99):
        # Each time the workers are new too, and first have back what they had.
        with serving(method, tmp_path / "broken", port):
            by_turns([hired(name, method) for name in "ab"], broken, turns)
        with open(tmp_path / "broken", "a") as calls:
            calls.write('[1.0, "crea')
    assert len(broken) == len(whole) + 6 and dict(broken) == dict(whole)
    assert Calls(tmp_path / "broken").seconds() > 0
    with serving(method, tmp_path / "broken", port) as served:
        assert served.is_over() and len(served.ended()) == MOST  # without a worker


def test_what_a_chief_has_on_record_must_be_what_it_would_propose(port, hired, tmp_path):
    with serving("random", tmp_path / "calls", port):
        hired("a").propose()
    text = (tmp_path / "calls").read_text()
    (tmp_path / "calls").write_text(text.replace("dropout", "drop-out"))
    with pytest.raises(StageError, match="line 1: the search proposes other trials"):
        with serving("random", tmp_path / "calls", port):
            pass


def test_a_worker_that_comes_back_has_its_trial_back(port, hired, tmp_path):
    with serving("random", tmp_path / "calls", port):
        first = hired("a").propose()
        assert hired("b").propose()[1] == 2
        assert hired("a").propose()[1:5] == first[1:5]
    with serving("random", tmp_path / "calls", port):
        assert hired("a").propose()[1:5] == first[1:5]
        assert hired("c").propose()[1] == 3


def test_the_trial_of_a_lost_worker_goes_to_the_next(port, hired, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, "LOST", 0.3)
    with serving("random", tmp_path / "calls", port) as served:
        gone = hired("a")
        lost = gone.propose()
        gone.close()
        time.sleep(0.4)
        assert hired("b").propose()[1:5] == lost[1:5]
        assert served.ended() == []


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_worker_that_was_only_silent_ends_its_trial(port, hired, tmp_path, monkeypatch, is_taken):
    monkeypatch.setattr(chief, "LOST", 0.3)
    monkeypatch.setattr(worker, "BEAT", 99)
    with serving("random", tmp_path / "calls", port) as served:
        silent, other = hired("a"), hired("b")
        proposal, *_ = silent.propose()
        time.sleep(0.4)
        assert not served.is_over()  # the chief has looked
        monkeypatch.setattr(chief, "LOST", 60)
        taken = other.propose() if is_taken else None
        silent.report(proposal, 0.5)
        if is_taken:
            other.report(taken[0], 0.5)
        assert [trial[0] for trial in served.ended()] == [1]
        assert {remote.propose()[1] for remote in (silent, other)} == {2, 3}


def test_time_that_is_up_leaves_a_lost_trial_to_the_next_where_there_is_no_other(
    port, hired, tmp_path, monkeypatch
):
    monkeypatch.setattr(chief, "LOST", 0.3)
    deadline = time.monotonic() + 0.5
    with serving("random", tmp_path / "calls", port, deadline, fewest=1) as served:
        gone = hired("a")
        assert gone.propose()[1] == 1
        gone.close()
        time.sleep(0.6)
        assert not served.is_over()
        assert hired("b").propose()[1] == 1


def test_a_trial_that_loses_worker_after_worker_has_failed(port, hired, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, "LOST", 0.3)
    for begin in range(2):  # also across a chief that was started again
        with serving("random", tmp_path / "calls", port) as served:
            gone = hired(f"worker {begin}")
            assert gone.propose()[1] == 1
            gone.close()
            time.sleep(0.4)
            assert not served.is_over()
    with serving("random", tmp_path / "calls", port) as served:
        assert hired("last").propose()[1] == 2
        ((number, *_, is_lost),) = served.ended()
        assert number == 1 and is_lost


def test_signs_of_life_keep_a_long_trial(port, hired, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, "LOST", 0.5)
    monkeypatch.setattr(worker, "BEAT", 0.05)
    with serving("random", tmp_path / "calls", port) as served:
        busy = hired("a")
        long = busy.propose()
        time.sleep(1)
        assert hired("b").propose()[1] == 2
        busy.report(long[0], 0.5)
        assert [trial[0] for trial in served.ended()] == [1]


def test_a_worker_waits_while_the_last_trial_may_yet_come_back(port, hired, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, "LOST", 0.5)
    with serving("random", tmp_path / "calls", port) as served:
        gone, stays = hired("a"), hired("b")
        lost = gone.propose()
        gone.close()
        seen = []
        while len(seen) < MOST:
            proposal, number, *_ = stays.propose()
            seen.append(number)
            stays.report(proposal, None if number == 3 else 0.5)
        assert sorted(seen) == list(range(1, MOST + 1)) and lost[1] == 1
        assert stays.propose() is None and served.is_over()


def test_a_failure_is_told_as_one(port, hired, tmp_path):
    with serving("random", tmp_path / "calls", port) as served:
        remote = hired("a")
        remote.report(remote.propose()[0], None)
        assert [trial[0] for trial in served.ended()] == [1]
    assert json.loads((tmp_path / "calls").read_text().splitlines()[1])[1:] == [
        "end", "0", "FAILED", None,
    ]  # fmt: skip


def test_time_ends_a_search_but_for_the_fewest_trials(port, hired, tmp_path):
    deadline = time.monotonic() + 0.5
    with serving("random", tmp_path / "calls", port, deadline, fewest=1) as served:
        remote = hired("a")
        time.sleep(0.6)
        assert not served.is_over()
        proposal, *_, until = remote.propose()
        assert abs(until - deadline) < 0.3
        assert not served.is_over()
        remote.report(proposal, 0.5)
        assert remote.propose() is None and served.is_over()


def test_a_trial_of_another_search_is_refused_and_the_chief_goes_on(port, hired, tmp_path):
    with serving("random", tmp_path / "calls", port):
        remote = hired("a", "random")
        stale = remote.propose()
    with serving("grid", tmp_path / "others", port) as served:
        other = hired("b", "grid")
        own = other.propose()
        with pytest.raises(StageError, match="trial 0 belongs to another search"):
            remote.report(stale[0], 0.5)
        other.report(own[0], 0.5)
        assert [trial[0] for trial in served.ended()] == [1]


def test_a_worker_of_an_earlier_run_has_no_part_in_the_next(port, hired, tmp_path, monkeypatch):
    monkeypatch.setattr(chief, "LOST", 0.5)
    monkeypatch.setattr(worker, "BEAT", 0.05)
    with serving("random", tmp_path / "calls", port):
        early = hired("a")
        proposal, *_ = early.propose()
    # The same search, so that numbers and values are the same.
    with serving("random", tmp_path / "others", port, began="tomorrow") as served:
        other = hired("b")
        assert other.propose()[1] == chief.number_of(proposal)
        other.close()
        time.sleep(0.7)  # beats of the early one do not keep the trial alive
        assert not served.is_over()
        for call in (early.propose, lambda: early.report(proposal, 0.5)):
            with pytest.raises(StageError, match="started another run; restart this worker"):
                call()
        assert served.ended() == [] and hired("c").propose()[1] == 1


def test_who_comes_back_late_has_its_trial_all_the_same(port, hired, tmp_path):
    deadline = time.monotonic() + 0.5
    with serving("random", tmp_path / "calls", port, deadline) as served:
        first = hired("a").propose()
        time.sleep(0.6)
        assert hired("b").propose() is None
        again = hired("a")
        proposal, *rest, _ = again.propose()
        assert rest == list(first[1:5]) and not served.is_over()
        again.report(proposal, 0.5)
        assert again.propose() is None and served.is_over()


def test_a_chief_that_comes_back_to_nothing_sends_its_workers_home(
    port, hired, tmp_path, monkeypatch
):
    with serving("random", tmp_path / "calls", port):
        by_turns([hired(name) for name in "ab"], [])
    monkeypatch.setattr(chief, "FAREWELL", 30)
    found = []

    def ask():
        time.sleep(0.3)
        found.extend(remote.propose() for remote in workers)

    with serving("random", tmp_path / "calls", port) as served:
        assert served.is_over()
        workers = [hired(name) for name in "ab"]
        asking = threading.Thread(target=ask)
        asking.start()
    asking.join()
    assert found == [None, None]


def test_what_a_fitted_model_has_proposed_is_a_matter_of_record(port, hired, tmp_path):
    calls = tmp_path / "calls"
    with serving("bayesian", calls, port):
        by_turns([hired("a", "bayesian")], [])
    *lines, last, _ = calls.read_text().splitlines()
    seconds, call, name, values = json.loads(last)
    key, options = f"{values['family']}/dropout", SPACES[values["family"]]["dropout"].options
    values[key] = next(option for option in options if option != values[key])
    calls.write_text("\n".join([*lines, json.dumps([seconds, call, name, values])]) + "\n")
    with serving("bayesian", calls, port) as served:
        remote = hired("a", "bayesian")
        proposal, number, _, found, *_ = remote.propose()
        assert number == MOST and found["dropout"] == values[key]
        remote.report(proposal, 0.5)
        assert served.ended()[-1][2]["dropout"] == values[key]


def test_a_worker_says_for_whom_it_waited(port, hired, monkeypatch, caplog):
    monkeypatch.setattr(worker, "WAIT", 0.6)
    monkeypatch.setattr(worker, "SILENCE", 0.2)
    with caplog.at_level("INFO"), pytest.raises(StageError, match=f"no chief .* 127.0.0.1:{port}"):
        hired("a")
    assert "waiting for the chief" in caplog.text


def test_a_worker_waits_for_a_chief_that_comes_back(port, hired, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "SILENCE", 0.2)
    with serving("random", tmp_path / "calls", port):
        remote = hired("a")
        proposal, *_ = remote.propose()
    with contextlib.ExitStack() as stack:

        def come_back(*_):
            stack.enter_context(serving("random", tmp_path / "calls", port))

        monkeypatch.setattr(worker.log, "info", come_back)
        remote.report(proposal, 0.5)
        assert remote.propose()[1] == 2


def test_a_worker_does_not_wait_for_the_chief_of_a_run_that_has_ended(port, hired, tmp_path):
    answers = [False]  # the last stays, however often a slow machine asks

    def has_ended():
        return answers.pop(0) if len(answers) > 1 else answers[0]

    with serving("random", tmp_path / "calls", port):
        remote = hired("a", has_ended=has_ended)
        assert remote.joined() == ("run", "today")
        proposal, *_ = remote.propose()
    answers += [False, True]
    assert remote.joined() is None
    assert answers == [True]
    remote.report(proposal, 0.5)
    assert remote.propose() is None


def test_a_chief_hands_out_nothing_more_when_its_search_is_over(port, hired, tmp_path):
    calls = tmp_path / "calls"
    with serving("random", calls, port) as served:
        served.close()
        assert hired("a").propose() is None
    assert not calls.exists()


def test_a_chief_serves_until_its_final_model_is_there(port, hired, tmp_path, monkeypatch):
    keys = {"name": "t", "families": {"linear": {}, "mlp": {"units": [8, 16]}}}
    config = Config.of(keys | {"output_dir": str(tmp_path), "search": {"method": "random"}})
    run = Run.of(config, ["train"])
    monkeypatch.setattr(_search, "check_rows", lambda *_: None)
    monkeypatch.setattr(_search._Search, "linear_results", lambda _: ())
    monkeypatch.setenv(processes.TUNER, "chief")
    with contextlib.ExitStack() as stack:
        given = config, families.spaces(config), (), time.monotonic(), run, stack
        assert not list(search.search(None, *given))
        remote = hired("a", has_ended=lambda: True)
        assert remote.propose() is None
    assert remote.joined() is None


def test_two_chiefs_do_not_share_a_port(port, tmp_path):
    with serving("random", tmp_path / "calls", port):
        with pytest.raises(InputError, match=f"127.0.0.1:{port}: cannot listen at this address"):
            with serving("random", tmp_path / "others", port):
                pass


def test_what_goes_wrong_in_an_answer_is_the_chiefs_to_raise(port, hired, tmp_path):
    with serving("random", tmp_path / "no folder" / "calls", port) as served:
        remote = hired("a")
        with pytest.raises(StageError, match="the chief at"):
            remote.propose()
        with pytest.raises(OSError):
            served.is_over()
