"""Measures of doubt of a run: winner's bias, sites, permutations, learning curve."""

import json

import numpy as np
import pandas as pd
import pytest
from figures import drawn

from autogenome_tf.automl import AutoGenome, _learning_curve
from autogenome_tf.automl._sites import ScoredRows, Sites, splits_by_level
from autogenome_tf.cli import _summary
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.ensemble._controls import permuted_groups
from autogenome_tf.tasks import Classification

ROWS, GENES = 60, 30


def config_of(folder, **sections):
    """Return a config of linear learners without held-out samples, in folds."""
    given = {
        "name": "t", "output_dir": str(folder), "families": {"linear": {}},
        "data": {"split": {"test": 0}, "target": "kind"}, "search": {"folds": 3},
        "output": {"figures": False},
    }  # fmt: skip
    return given | sections


def rows(seed=0):
    """Return random genes and labels that have nothing to do with them."""
    random = np.random.default_rng(seed)
    names = [f"g{gene}" for gene in range(GENES)]
    samples = [f"s{row}" for row in range(ROWS)]
    x = pd.DataFrame(random.normal(size=(ROWS, GENES)), index=samples, columns=names)
    return x, pd.Series(random.permutation(["a", "b"] * (ROWS // 2)), index=samples, name="kind")


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory):
    """A run of labels that no gene explains; nothing is held out."""
    folder = tmp_path_factory.mktemp("runs")
    config = config_of(folder, search={"folds": 3, "objective": "accuracy"})
    automl = AutoGenome(config, data=rows())
    automl.train()
    automl.evaluate()
    return automl


def test_chance_is_in_the_corrected_interval(shuffled):
    found = json.loads((shuffled.folder / "metrics.json").read_text())
    assert list(found) == ["validation", "validation_corrected"]
    own = found["validation_corrected"]["accuracy"]
    assert own["low"] <= 0.5 <= own["high"]
    assert own["value"] < found["validation"]["accuracy"]["value"]


def test_report_and_summary_lead_with_the_corrected_score(shuffled, capsys):
    page = shuffled.report().read_text()
    assert "corrected for the choice of the best trial" in page.split("</header>")[-1]
    found = json.loads((shuffled.folder / "metrics.json").read_text())
    value = f"{100 * found['validation_corrected']['accuracy']['value']:.1f}\u00a0%"
    assert value in page[: page.index("Leaderboard") if "Leaderboard" in page else len(page)]
    _summary.show_metrics(shuffled.folder)
    head = next(line for line in capsys.readouterr().out.splitlines() if "validation" in line)
    assert head.split()[1:] == ["validation", "corrected", "validation"]


def test_a_run_without_the_outputs_of_a_trial_has_no_corrected_score(shuffled):
    outputs = next(shuffled.folder.glob("search/outputs-*.npz"))
    kept = outputs.read_bytes()
    outputs.unlink()
    assert list(shuffled.evaluate()) == ["validation"]
    outputs.write_bytes(kept)
    assert list(shuffled.evaluate()) == ["validation", "validation_corrected"]


# Sites, permutation test, learning curve ---------------------------------------------------------


SITES = {"a": 60, "b": 60, "c": 24}


def planted(seed=0):
    """Return genes that explain the labels of sites a and b, but at site c the other way round."""
    site = np.repeat(list(SITES), list(SITES.values()))
    values = np.random.default_rng(seed).normal(size=(len(site), GENES))
    samples = [f"s{row}" for row in range(len(site))]
    sign = np.where(site == "c", -1, 1)
    x = pd.DataFrame(values, index=samples, columns=rows()[0].columns)
    labels = np.where(sign * values[:, :3].sum(axis=1) > 0, "high", "low")
    return x, pd.DataFrame({"kind": labels, "site": site}, index=samples)


@pytest.fixture(scope="module")
def doubted(tmp_path_factory):
    """A run with all that is measured on request."""
    config = config_of(
        tmp_path_factory.mktemp("runs"),
        data={"split": {"test": 0}, "target": "kind", "sites": ["site"]},
        families={"linear": {"loss": "logistic", "gene_power": 0}},
        evaluation={"permutations": 9, "learning_curve": True},
    )
    automl = AutoGenome(config, data=planted())
    automl.train()
    automl.evaluate()
    return automl


def frame_of(automl, name):
    return pd.read_csv(automl.folder / name, sep="\t")


def test_every_level_has_metrics_known_and_left_out(doubted):
    frame = frame_of(doubted, "sites.tsv")
    assert set(frame["part"]) == {"validation", "left_out"}
    assert set(frame["level"]) == {"a", "b", "c"}
    for part, own in frame.groupby("part"):
        assert own.groupby("level")["rows"].first().to_dict() == SITES, part
    worst = frame[frame["worst"]].groupby("part")["level"].unique()
    assert worst["validation"] == ["c"]
    accuracy = frame[frame["metric"] == "accuracy"].set_index(["part", "level"])["value"]
    assert accuracy["left_out", "c"] < 0.3 < 0.6 < accuracy["left_out", "a"]


def test_a_gap_beyond_chance_is_a_warning(doubted):
    warnings = json.loads((doubted.folder / "warnings.json").read_text())
    texts = [warning["text"] for warning in warnings if warning["about"] == "sites"]
    assert any("the worst is c" in text for text in texts)


def test_rows_without_a_site_are_not_compared_as_a_site_named_none():
    truth = np.tile([0, 1], 30)
    logits = np.eye(2)[truth]
    logits[40:], logits[:4] = 1 - logits[40:], 1 - logits[:4]
    levels = np.array(["A"] * 20 + ["None"] * 20 + [None] * 20, object)
    sites = Sites(Classification(["a", "b"]), 0)
    sites.add("hospital", "test", levels, ScoredRows(truth, logits, None))
    assert set(pd.concat(sites.frames).query("worst")["level"]) == {"A"}


def test_no_patient_is_on_both_sides_where_a_level_is_left_out():
    # Each of them ten rows.
    levels = np.repeat(np.array(["a", "a", "b", "b", "b", None, "a", "b"], object), 10)
    nested, torn = np.repeat(list("ppqqrsuv"), 10), np.repeat(list("ppqqpsuv"), 10)
    rows = np.arange(80)
    is_first = np.isin(rows // 10, [0, 1, 4, 5, 6])
    folds = [(rows[is_first], rows[~is_first]), (rows[~is_first], rows[is_first])]

    def found(groups):
        pairs = splits_by_level(levels, groups, folds)
        return [[sorted({*(part // 10).tolist()}) for part in pair] for pair in pairs]

    for groups in (None, nested):
        assert found(groups) == [[[2, 3, 4, 5, 7], [0, 1, 6]], [[0, 1, 5, 6], [2, 3, 4, 7]]]
    assert found(torn) == [[[2, 3, 7], [0, 1, 6]], [[0, 1, 5, 6], [2, 3, 7]]]


def test_a_level_that_leaves_few_rows_is_not_left_out():
    levels = np.repeat(["a", "b"], [40, 9])
    ((train, held),) = splits_by_level(levels, None, [])
    assert len(train) == 40 and len(held) == 9


def test_numbers_beside_an_undefined_metric_have_nine_digits_too():
    sites = Sites(Classification(["a", "b"]), 0)
    logits = np.random.default_rng(0).normal(size=(14, 2))
    levels = np.array(["A"] * 13 + ["B"], object)
    sites.add("hospital", "test", levels, ScoredRows(np.arange(14) % 2, logits, None))
    assert set(pd.concat(sites.frames)[["value", "low", "high"]].dtypes) == {np.dtype(float)}


def test_sites_that_are_alike_are_no_warning(tmp_path):
    x, y = planted()
    y["site"] = np.random.default_rng(1).permutation(y["site"])
    config = config_of(
        tmp_path, data={"split": {"test": 0}, "target": "kind", "sites": ["site"]},
        families={"linear": {"loss": "logistic", "gene_power": 0}},
    )  # fmt: skip
    automl = AutoGenome(config, data=(x, y))
    automl.train()
    automl.evaluate()
    warnings = json.loads((automl.folder / "warnings.json").read_text())
    assert not [warning for warning in warnings if warning["about"] == "sites"]


def test_the_permutation_test_has_a_p_value(doubted):
    test = json.loads((doubted.folder / "metrics.json").read_text())["permutation"]["accuracy"]
    assert test["permutations"] == 9
    assert test["low"] < 0.6
    assert test["p"] == 0.1


def test_a_weak_signal_among_unequal_classes_is_told_by_the_order_of_samples(tmp_path):
    x, _ = planted()
    noisy = x.iloc[:, 0] + np.random.default_rng(4).normal(0, 0.7, len(x))
    y = pd.DataFrame({"kind": np.where(noisy > noisy.quantile(0.9), "rare", "usual")}, x.index)
    config = config_of(
        tmp_path, evaluation={"permutations": 19},
        families={"linear": {"loss": "logistic", "gene_power": 0}},
    )  # fmt: skip
    automl = AutoGenome(config, data=(x, y))
    automl.train()
    found = automl.evaluate()["permutation"]
    assert list(found) == ["accuracy", "roc_auc"]
    assert found["accuracy"]["p"] > 0.5 and found["roc_auc"]["p"] == 0.05


@pytest.mark.usefixtures("few_learners")
@pytest.mark.parametrize("kind", ["regression", "survival"])
def test_values_and_times_are_doubted_too(tmp_path, kind):
    x, y = planted()
    sums = x.iloc[:, :3].sum(axis=1)
    y = pd.DataFrame({"value": sums})
    if kind == "survival":
        y = pd.DataFrame({"time": np.exp(-sums), "event": (np.arange(len(x)) % 4 > 0).astype(int)})
    y["site"] = np.where(np.arange(len(x)) % 2, "a", "b")
    y["patient"] = np.arange(len(x)) // 2
    target = list(y)[:-2]
    split = {"test": 0, "group": "patient"}
    automl = AutoGenome(
        config_of(
            tmp_path, task={"type": kind}, evaluation={"permutations": 4, "learning_curve": True},
            data={"split": split, "target": target, "sites": ["site"], "transform": "none"},
        ),
        data=(x, y),
    )  # fmt: skip
    automl.train()
    ((name, test),) = automl.evaluate()["permutation"].items()
    assert name == {"regression": "r2", "survival": "concordance"}[kind]
    assert test["p"] == 0.2 and test["high"] < test["value"]
    sites = frame_of(automl, "sites.tsv")
    assert set(sites["part"]) == {"validation", "left_out"} and set(sites["level"]) == {"a", "b"}
    curve = frame_of(automl, "learning_curve.tsv").query("kind == 'measured'")
    assert curve["value"].iloc[-1] > 0.6 and set(curve["metric"]) == {name}


def test_groups_exchange_their_targets_as_wholes():
    groups = np.repeat(["a", "b", "c", "d"], [3, 2, 3, 2])
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1, 0, 2], [3, 2, 3, 2])
    drawn = [permuted_groups(labels, groups, random) for _ in range(20)]
    assert all(len(set(one[groups == name])) == 1 for one in drawn for name in "abcd")
    assert len({tuple(one) for one in drawn}) > 3
    values = np.arange(10.0)[:, None]
    moved = permuted_groups(values, groups, random)[:, 0]
    assert sorted(moved) == list(range(10)) and (moved != values[:, 0]).any()
    assert (np.diff(moved) == 1).sum() >= 6  # neighbours stay neighbours within blocks


def test_the_learning_curve_goes_to_twice_the_samples(doubted):
    frame = frame_of(doubted, "learning_curve.tsv")
    known = frame[frame["kind"] == "measured"]
    assert list(known["samples"]) == [29, 48, 67, 82, 96]
    assert frame["samples"].iloc[-1] == 192
    assert (frame["low"] <= frame["high"]).all()


def test_the_report_shows_what_was_asked(doubted):
    with drawn():
        page = doubted.report().read_text()
    for text in ("Permutation test", "data.sites", "twice the samples"):
        assert text in page


def test_a_curve_is_continued_as_it_is():
    sizes = np.array([30, 50, 70, 85, 100])
    values = 0.9 - 2.0 * sizes**-0.5
    found = _learning_curve.fit(sizes, values, np.array([200]))
    assert abs(found[0] - (0.9 - 2.0 * 200**-0.5)) < 0.005


@pytest.mark.parametrize("values", [[0.5, 0.8, 0.95, 0.99, 1.0], [0.7, 0.6, 0.6, 0.5, 0.5]])
def test_a_curve_neither_passes_the_best_score_nor_falls(values):
    sizes, asked = np.array([30, 50, 70, 85, 100]), np.array([30, 100, 200])
    found = _learning_curve.fit(sizes, np.array(values), asked)
    assert found.max() <= 1.0 and (np.diff(found) >= 0).all()
    assert np.abs(found[:2] - [values[0], values[-1]]).max() < 0.15


def test_few_rows_without_an_error_leave_doubt():
    task = Classification(["a", "b"])
    targets = np.arange(60) % 2
    outputs = [10.0 * np.eye(2)[targets]] * 3
    drawn = _learning_curve.resampled(task, targets, outputs, "accuracy", seed=5)
    assert (drawn[0] == 1).all()
    # Not one of 60 is wrong: by the rule of three 0.95 is at the end of a 95 % interval.
    assert 0.92 < np.percentile(drawn[1:], 2.5) < 0.98
    assert (np.ptp(drawn, axis=1) == 0).all()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"data": {"features": "x.tsv", "sites": ["a"]}, "task": {"type": "representation"}},
         "data.sites"),
        ({"data": {"features": "x.tsv"}, "task": {"type": "representation"},
          "evaluation": {"permutations": 9}}, "evaluation"),
        ({"data": {"features": "x.tsv", "sites": ["a"], "validation": "v.tsv"}}, "data.sites"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused(keys, expected):
    with pytest.raises(InputError, match=expected):
        Config.of({"name": "t"} | keys)


def test_a_column_that_is_not_there_or_has_one_level_is_refused(tmp_path):
    x, y = planted()
    for name, expected in (("sit", "data.sites"), ("site", "one level")):
        data = {"split": {"test": 0}, "target": "kind", "sites": [name]}
        with pytest.raises(InputError, match=expected):
            AutoGenome(config_of(tmp_path, data=data), data=(x, y.assign(site="a"))).train()
