"""Test starting points of searches: the portfolio within the search space, then defaults."""

import contextlib
import json

import pytest

from autogenome_tf import families, search
from autogenome_tf.config import Config
from autogenome_tf.search import _starts
from autogenome_tf.search._linear import _place
from autogenome_tf.search._starts import PORTFOLIO, begun_with, portfolio, starting_points

LIST = [
    ["linear", {"loss": "hinge", "gene_power": 2.0}],
    ["mlp", {"units": 100, "dropout": 0.2}],
    ["mlp", {"units": 120, "dropout": 0.2}],
    ["mlp", {"units": 512, "activation": "tanh"}],
]


@pytest.fixture(autouse=True)
def _short(monkeypatch, tmp_path):
    file = tmp_path / "portfolio.json"
    file.write_text(json.dumps({"classification": LIST, "regression": []}))
    monkeypatch.setattr(_starts, "PORTFOLIO", file)


def spaces_of(**given):
    """Return the spaces of families as a config narrows them."""
    return {name: families.space(name, own) for name, own in given.items()}


def units_of(points):
    """Return family and units of starting points."""
    return [(family, values.get("units")) for family, values in points]


def test_a_search_on_record_goes_on_with_the_points_that_it_began_with():
    spaces = spaces_of(resnet={}, mlp={"units": [64, 128, 512]})
    given = spaces, "portfolio", "classification"
    new, before = starting_points(*given), starting_points(spaces, "defaults", "classification")
    assert new[0] != before[0]
    assert begun_with(*given, None) == begun_with(*given, new[0]) == new
    assert begun_with(*given, before[0]) == before
    assert begun_with(*given, ("mlp", new[0][1] | {"dropout": 0.6})) == []


def test_the_portfolio_comes_first_then_defaults_of_families_without_any():
    spaces = spaces_of(resnet={}, mlp={"units": [64, 128, 512]})
    points = starting_points(spaces, "portfolio", "classification")
    # 100 and 120 units both become 128: one starting point.
    assert units_of(points) == [("mlp", 128), ("mlp", 512), ("resnet", None)]
    assert [values["dropout"] for _, values in points] == [0.2, 0.4, 0.4]
    for family, values in points:
        assert values.keys() == spaces[family].keys()
        assert all(value in spaces[family][name].options for name, value in values.items())


def test_a_configuration_with_a_word_that_a_config_forbids_is_left_out():
    points = starting_points(spaces_of(mlp={"activation": "relu"}), "portfolio", "classification")
    assert units_of(points) == [("mlp", 128)]
    assert portfolio(spaces_of(linear={"loss": "pls"}), "portfolio", "classification") == []


def test_defaults_are_each_family_once():
    points = starting_points(spaces_of(mlp={"units": [64, 32]}, resnet={}), "defaults", "mixed")
    assert units_of(points) == [("mlp", 64), ("resnet", None)]


def test_a_task_without_a_list_takes_that_of_classification():
    spaces = spaces_of(mlp={})
    found = [starting_points(spaces, "portfolio", task) for task in ("survival", "classification")]
    assert found[0] == found[1] != starting_points(spaces, "portfolio", "regression")


@pytest.mark.parametrize("method", ["bayesian", "random", "hyperband"])
def test_methods_propose_starting_points_first_and_none_twice(method):
    spaces = spaces_of(mlp={"layers": [1, 2], "gene_power": [0.0, 1.0]})
    points = starting_points(spaces, "portfolio", "classification")
    config = Config.of({"name": "t", "search": {"max_trials": 8, "epochs": 9}})
    request = search.Request(
        spaces, config.search, config.training, config.objective, 1, starts=points
    )
    found = []
    with contextlib.closing(search.method(method)(request)) as made:
        for number in range(5):
            proposed = made.propose()
            made.report(proposed.handle, float(number))
            found.append((proposed.family, proposed.values))
    assert found[: len(points)] == points
    assert len({json.dumps(one) for one in found}) == 5


def test_learners_of_the_portfolio_come_first():
    space = families.space("linear")
    order = [values for _, values in portfolio({"linear": space}, "portfolio", "classification")]
    learners = [
        {"loss": loss, "gene_power": power} for power in (1.0, 2.0) for loss in ("pls", "hinge")
    ]
    learners.sort(key=lambda own: _place(own, order))
    assert learners[0] == {"loss": "hinge", "gene_power": 2.0}
    assert [one["gene_power"] for one in learners[1:]] == [1.0, 1.0, 2.0]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_list_of_the_package_is_within_the_default_spaces(task):
    lists = json.loads(PORTFOLIO.read_text())
    kinds = ["linear" if family == "linear" else family == "forest" for family, _ in lists[task]]
    assert kinds == ["linear"] * 4 + [False] * 4 + [True] * 2
    for family, values in lists[task]:
        space = families.space(family)
        assert all(value in space[name].options for name, value in values.items())
