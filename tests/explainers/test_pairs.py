"""Pairs of genes that act together: closed forms, and pairs that were planted."""

import dataclasses
import itertools

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

import autogenome_tf as ag
from autogenome_tf.explainers import Pairs, _pairs, _rule
from autogenome_tf.explainers.gradient import Gradient

GENES = 12
PLANTED = {(0, 1), (2, 3), (4, 5)}


def network_of(function):
    """A network of three genes whose first layer hands them on."""
    genes = keras.Input((3,))
    seen = keras.layers.Dense(3, name="same")(genes)
    network = keras.Model(genes, function(seen[:, :1], seen[:, 1:2], seen[:, 2:]))
    network.get_layer("same").set_weights([np.eye(3), np.zeros(3)])
    return network


PRODUCT = network_of(lambda a, b, c: a * b + 3 * c)
XOR = network_of(lambda a, b, c: a + b - 2 * a * b)
ROW, ZERO = np.array([[2, 5, 1]], "float32"), np.zeros((1, 3), "float32")


def test_a_product_has_the_double_knock_out_of_its_closed_form():
    found = _pairs.double_knockout(PRODUCT, ROW, ZERO, [0, 1, 2])
    assert found.shape == (1, 3, 1)
    assert found[0, :, 0] == pytest.approx([10, 0, 0])


@pytest.mark.parametrize("bits", itertools.product([0, 1], repeat=2))
def test_exclusive_or_has_the_double_knock_out_of_its_closed_form(bits):
    row = np.array([[*bits, 0]], "float32")
    found = _pairs.double_knockout(XOR, row, ZERO, [0, 1])
    assert found.ravel() == pytest.approx([-2 * bits[0] * bits[1]])


def test_a_knock_down_takes_away_less():
    found = _pairs.double_knockout(PRODUCT, ROW, ROW / 2, [0, 1])
    assert found.ravel() == pytest.approx([2 * 5 / 4])


def test_changed_importance_of_a_product_is_half_of_it():
    def attribute(rows):
        return Gradient().attribute(PRODUCT, rows, ZERO)

    found = _pairs.changed_importance(attribute, ROW, ZERO, [0, 1, 2])
    assert found[0, :, 0] == pytest.approx([5, 0, 0], abs=1e-4)


@pytest.mark.parametrize("floats", [1, 40])
def test_blocks_change_nothing(monkeypatch, floats):
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
    zero = np.zeros_like(rows)

    def both():
        attribute = lambda some: Gradient().attribute(PRODUCT, some, ZERO)  # noqa: E731
        return (
            _pairs.double_knockout(PRODUCT, rows, zero, [0, 2, 1]),
            _pairs.changed_importance(attribute, rows, zero, [0, 2, 1]),
        )

    whole = both()
    monkeypatch.setattr(_pairs, "BLOCK", floats)
    monkeypatch.setattr(_rule, "BLOCK", floats)
    for one, other in zip(whole, both(), strict=True):
        assert other == pytest.approx(one, abs=1e-5)


def of(strengths):
    """Pairs of three genes with these strengths."""
    values = np.array(strengths, "float32")[None, :, None]
    first, second = np.array(list(itertools.combinations(range(3), 2))).T
    return Pairs(values, first, second, np.ones(1), ["y"])


def test_the_table_ranks_pairs_and_tells_their_chance():
    frame = of([1.0, -3.0, 2.0]).table(list("abc"), [of([0.1, 0.2, 0.3]), of([1.5, 0.4, 0.5])])
    assert list(frame) == ["feature_1", "feature_2", "rank", "strength", "p", "q", "y"]
    assert list(frame["feature_1"] + frame["feature_2"]) == ["ac", "bc", "ab"]
    assert list(frame["y"]) == [-3, 2, 1] and list(frame["strength"]) == [3, 2, 1]
    assert list(frame["p"]) == pytest.approx([1 / 7, 1 / 7, 2 / 7])
    assert list(frame["q"]) == pytest.approx([3 / 14, 3 / 14, 2 / 7])
    assert "q" not in of([1.0, 2.0, 3.0]).table(list("abc"))


def test_outputs_may_be_called_as_measures_are():
    named = dataclasses.replace(of([1.0, -3.0, 2.0]), outputs=["strength"])
    frame = named.table(list("abc"), [of([0.1, 0.2, 0.3])])
    assert list(frame) == ["feature_1", "feature_2", "rank", "strength", "p", "q", "strength"]
    assert list(frame.iloc[:, 3]) == [3, 2, 1] and list(frame.iloc[:, -1]) == [-3, 2, 1]
    for name in ("p", "rank", "feature_1"):
        again = dataclasses.replace(named, outputs=[name]).table(list("abc"))
        assert list(again.columns) == ["feature_1", "feature_2", "rank", "strength", name]
        assert list(again.iloc[:, 2]) == [1, 2, 3] and list(again.iloc[:, -1]) == [-3, 2, 1]


def interacting(kind, folder):
    """What interactions.tsv says of a network that learned 12 genes, and its test R2."""
    random = np.random.default_rng(3)
    x = random.normal(size=(2500, GENES)).astype("float32")
    y = x[:, 6:] @ random.uniform(0.5, 1.0, GENES - 6)
    if kind == "product":
        y += sum(x[:, a] * x[:, b] for a, b in PLANTED)
    y += 0.2 * random.normal(size=len(y))
    rows = pd.DataFrame(x, columns=[f"g{gene}" for gene in range(GENES)])
    config = {
        "name": "t", "output_dir": str(folder), "task": {"type": "regression"},
        "data": {"transform": "none"},
        # Gene power weighs down genes that matter in pairs alone.
        "families": {"mlp": {"layers": 2, "units": 64, "dropout": 0.0, "input_dropout": 0.0,
                             "gene_power": 0}},
        "search": {"max_trials": 1, "epochs": 10, "folds": 1},
        "training": {"epochs": 25},
        "explanation": {"interactions": {"genes": GENES, "null": 5}, "samples": 60},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(rows, y))
    automl.train()
    automl.explain()
    return (
        pd.read_csv(automl.folder / "interactions.tsv", sep="\t"),
        automl.evaluate()["test"]["r2"]["value"],
    )


@pytest.mark.slow
def test_planted_pairs_are_found(tmp_path):
    frame, r2 = interacting("product", tmp_path)
    genes = zip(frame["feature_1"].str[1:], frame["feature_2"].str[1:], strict=True)
    planted = [(int(one), int(other)) in PLANTED for one, other in genes]
    assert r2 > 0.8 and sum(planted) == len(PLANTED) and len(frame) == GENES * (GENES - 1) / 2
    assert sklearn.metrics.roc_auc_score(planted, frame["strength"]) >= 0.95
    assert (frame["q"] < 0.1).tolist() == planted


@pytest.mark.slow
def test_no_pair_is_found_where_effects_add_up(tmp_path):
    frame, r2 = interacting("sum", tmp_path)
    assert r2 > 0.8 and (frame["q"] > 0.05).all()
