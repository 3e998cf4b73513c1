"""What every search that is told scores promises; no network is trained here."""

import contextlib
import functools
import json
import tempfile
import types

import numpy as np
import pytest
from dropped import dropped

from autogenome_tf import cli, families, search
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.open_sets import declared, members
from autogenome_tf.run import Run
from autogenome_tf.search import _keras_tuner, trials_of

MEMBERS = members("search/methods")
# Those that propose from scores alone; enas looks at the rows and has tests of its own.
BLIND = [name for name in MEMBERS if not search.method(name).is_of_shared_weights]
LAYERS, UNITS, DROPOUT = [1, 2, 3, 4], [8, 16, 32, 64, 128], [0.0, 0.2, 0.4, 0.6]
SEEDS = (1, 2)
BLOCKS = [[2, 3], [2, 2], [2, 3, 4]]
FIXED = {"normalization": "none", "activation": "relu", "input_dropout": 0.0, "l2": 0.0}
WIDE = {
    "mlp": {
        "layers": LAYERS,
        "units": UNITS,
        "dropout": DROPOUT,
        "spectral_power": 0.0,
        "gene_power": 0.0,
    }
}


@pytest.fixture(autouse=True)
def _few_candidates(monkeypatch):
    """A few of the 2000 that bayesian looks at for a proposal, to save time."""
    monkeypatch.setattr(_keras_tuner.Bayesian, "CANDIDATES", 60)


def spaces_of(given):
    """Search spaces as a config narrows them; what is not given is fixed."""
    return {name: families.space(name, FIXED | asked) for name, asked in given.items()}


@contextlib.contextmanager
def proposer(method, given=WIDE, trials=30, seed=1, objective="log_loss"):
    """A proposer that is closed in the end."""
    searched = {"method": method, "max_trials": trials, "epochs": 9, "objective": objective}
    config = Config.of({"name": "t", "search": searched})
    request = search.Request(
        spaces_of(given), config.search, config.training, config.objective, seed
    )
    with contextlib.closing(search.method(method)(request)) as made:
        yield made


def drive(method, score, trials=30, **options):
    """Propose and tell; returns (family, values, score) of each trial."""
    told = []
    with proposer(method, trials=trials, **options) as made:
        for _ in range(trials):
            proposed = made.propose()
            if proposed is None:
                break
            proposal, family, values, _ = proposed
            told.append((family, values, score(family, values)))
            made.report(proposal, told[-1][2])
    return told


def distance(family, values):
    """A loss with its only minimum, 0, at 2 layers of 64 units and a dropout of 0.4."""
    return (
        abs(values["layers"] - 2)
        + abs(np.log2(values["units"]) - 6)
        + 5 * abs(values["dropout"] - 0.4)
    )


def keys(told):
    """Trials as text, to be compared."""
    return [json.dumps([family, values], sort_keys=True) for family, values, _ in told]


@pytest.mark.parametrize("method", BLIND)
def test_only_allowed_values_are_proposed(method):
    given = WIDE | {"densenet": {"block_config": BLOCKS, "compression": 0.5}}
    spaces = spaces_of(given)
    told = drive(method, lambda family, values: len(family), given=given)
    for family, values, _ in told:
        assert set(values) == set(spaces[family])
        assert all(values[name] in hyper.options for name, hyper in spaces[family].items())
    assert len(told) == (26 if method == "coordinate" else 30)


@pytest.mark.parametrize("method", BLIND)
def test_the_same_seed_proposes_the_same(method):
    first, again = (keys(drive(method, distance, trials=14, seed=5)) for _ in range(2))
    assert first == again
    other = keys(drive(method, distance, trials=14, seed=6))
    assert method in ("grid", "coordinate") or first != other


@functools.cache
def losses(method, seed):
    """Distances to the planted optimum, trial by trial; the grid goes through all its 80."""
    trials = 80 if method == "grid" else 30
    return [trial[2] for trial in drive(method, distance, trials, seed=seed)]


@pytest.mark.parametrize("method", BLIND)
def test_the_best_of_many_is_better_than_the_first(method):
    runs = [losses(method, seed) for seed in SEEDS]
    assert np.mean([min(loss) for loss in runs]) < 0.5 * np.mean([loss[0] for loss in runs])


def test_the_grid_finds_the_planted_optimum_and_then_ends():
    told = drive("grid", distance, trials=100)
    assert len(told) == len(set(keys(told))) == 80
    assert min(trial[2] for trial in told) == 0


def test_coordinates_change_one_at_a_time_and_keep_the_best_of_each():
    told = drive("coordinate", distance)
    start = {"layers": LAYERS[0], "units": UNITS[0], "dropout": DROPOUT[0]}
    assert start.items() <= told[0][1].items()
    best, least = told[0][1:]
    for _, values, loss in told[1:]:
        changed = {name for name in values if values[name] != best[name]}
        assert len(changed) <= 2 and not changed - {"layers", "units", "dropout"}
        best, least = (values, loss) if loss < least else (best, least)
    # One start, then all other values of each dimension; the planted loss is a sum over them.
    assert len(told) == 1 + 3 + 4 + 3 and least == 0
    up = drive("coordinate", lambda *t: -distance(*t), objective="accuracy")
    assert keys(told) == keys(up)


def test_bayesian_goes_where_it_is_good():
    runs = [losses("bayesian", seed) for seed in SEEDS]
    assert np.mean([loss[7:20] for loss in runs]) < 0.7 * np.mean([loss[:7] for loss in runs])


def test_bayesian_knows_which_way_is_up():
    down = drive("bayesian", distance, trials=9)
    up = drive("bayesian", lambda *t: -distance(*t), trials=9, objective="accuracy")
    assert keys(down) == keys(up)


def test_bayesian_tells_families_apart():
    given = {"mlp": {"layers": LAYERS, "units": UNITS}, "resnet": {"width": [32, 64, 128]}}
    told = drive("bayesian", lambda family, _: float(family == "mlp"), trials=20, given=given)
    late = [family for family, _, _ in told[8:]]
    assert late.count("resnet") > 0.7 * len(late)


def test_hyperband_promotes_the_best_to_more_epochs():
    asked = {}
    with proposer("hyperband") as made:
        for _ in range(12):
            proposal, _, values, epochs = made.propose()
            asked.setdefault(epochs, []).append(distance("mlp", values))
            made.report(proposal, asked[epochs][-1])
    short, long = min(asked), max(asked)
    assert short < long <= 9
    assert np.mean(asked[long]) < np.mean(asked[short])


@pytest.mark.parametrize("method", BLIND)
def test_an_exhausted_space_ends(method):
    given = {
        "mlp": {
            "layers": [1, 2],
            "units": 8,
            "dropout": 0.0,
            "spectral_power": 0.0,
            "gene_power": 0.0,
        }
    }
    told = drive(method, lambda *_: 1.0, given=given)
    assert {values["layers"] for _, values, _ in told} == {1, 2}
    assert len(told) < 30 if method == "hyperband" else len(told) == 2


def test_random_visits_every_family_and_every_value():
    given = WIDE | {
        "resnet": {"n_blocks": [1, 2, 3], "dropout": 0.0},
        "densenet": {"block_config": BLOCKS, "dropout": 0.0},
    }
    told = drive("random", lambda *_: 1.0, trials=60, given=given)
    visits = [family for family, _, _ in told]
    assert all(visits.count(family) >= 8 for family in given)
    of_mlp = [values for family, values, _ in told if family == "mlp"]
    assert {values["layers"] for values in of_mlp} == set(LAYERS)
    of_densenet = [values["block_config"] for family, values, _ in told if family == "densenet"]
    assert all(config in of_densenet for config in BLOCKS)


@pytest.mark.parametrize("method", BLIND)
def test_failures_are_passed_over(method):
    def fails_at_times(family, values):
        return None if values["dropout"] > 0.4 else distance(family, values)

    told = drive(method, fails_at_times)
    times = {key: keys(told).count(key) for key in keys(told)}
    failed = {key for key, trial in zip(keys(told), told, strict=True) if trial[2] is None}
    assert failed and all(times[key] == 1 for key in failed)
    assert len(told) == (11 if method == "coordinate" else 30)


@pytest.mark.parametrize("method", BLIND)
def test_failures_only_do_not_go_round_for_ever(method):
    given = {
        "mlp": {
            "layers": [1, 2, 3],
            "units": 8,
            "dropout": 0.0,
            "spectral_power": 0.0,
            "gene_power": 0.0,
        }
    }
    told = drive(method, lambda *_: None, given=given)
    assert len(told) == len(set(keys(told))) == 3


@pytest.mark.parametrize("method", BLIND)
def test_nothing_stays_on_disk(method, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    drive(method, distance, trials=6)
    assert not list(tmp_path.iterdir())


def test_what_is_read_without_importing_is_what_the_class_has():
    for name, read in declared("search/methods").items():
        own = search.method(name)
        assert {key: getattr(own, key) for key in read} == read
        assert set(read) >= {"summary", "families", "is_distributable", "is_of_shared_weights"}


# A file dropped in --------------------------------------------------------------------------------

SMALLEST = '''
"""Smallest first: the smallest networks, one after the other."""

from autogenome_tf.search import Proposal, SearchMethod


class Smallest(SearchMethod):
    """Propose each number of units in order of size."""

    summary = "networks in order of size"
    families = ("mlp",)

    def __init__(self, request):
        super().__init__(request)
        ((self.family, space),) = request.spaces.items()
        values = {name: hyper.options[0] for name, hyper in space.items()}
        self.waiting = [values | {"units": units} for units in sorted(space["units"].options)]

    def propose(self):
        """Return the next size, or None behind the largest."""
        return Proposal(None, self.family, self.waiting.pop(0), None) if self.waiting else None

    def report(self, handle, score):
        """Take a score and make nothing of it."""
'''


def test_a_method_dropped_in_is_a_member_at_once(simulated, tmp_path, capsys):
    given = {"method": "smallest", "max_trials": 2, "epochs": 1, "folds": 2}
    whole = json.loads((simulated / "config.json").read_text("utf-8"))
    whole |= {"name": "dropped", "output_dir": str(tmp_path), "search": given}
    whole |= {"families": {"mlp": {"layers": 1, "units": [8, 4]}}, "training": {"epochs": 1}}
    path = simulated / "dropped.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(InputError, match="search.method: expected .*'random'"):
        Config.load(path)
    with dropped("search/methods", "smallest", SMALLEST):
        assert cli.main(["check", str(path)]) == 0
        assert cli.main(["schema"]) == 0
        said = capsys.readouterr().out
        assert '"smallest"' in said and "`smallest`, networks in order of size" in said
        with pytest.raises(InputError, match="smallest needs exactly the family mlp; received lin"):
            Config.load(path, ["families={linear: {}}"])
        assert cli.main(["run", str(path), "--set", "output.figures=false"]) == 0
        run = Run(tmp_path / "dropped")
        tried = trials_of(run.read_table("leaderboard.tsv"))
        assert sorted(t.values["units"] for t in tried if t.number) == [4, 8]
        assert "smallest" in run.path("report.html").read_text("utf-8")
    with pytest.raises(InputError, match="received 'smallest'"):
        Config.load(path)


def test_a_file_without_a_method_is_refused(simulated):
    path = simulated / "config.json"
    with dropped("search/methods", "empty", '"""Nothing."""\n'):
        with pytest.raises(InputError, match=r"empty\.py: expected a class derived from Search"):
            cli.check(types.SimpleNamespace(config=path, set=["search.method=empty"]))
