"""The stage that explains: which rows, which files, and how seeds agree."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from figures import drawn

import autogenome_tf as ag
from autogenome_tf import cli, explainers, plots
from autogenome_tf.automl._chosen_rows import nearest_to_centres
from autogenome_tf.core.errors import InputError

pytestmark = pytest.mark.usefixtures("few_learners")

NETWORK = {"families": {"mlp": {"layers": 1, "units": 8}},
           "search": {"max_trials": 1, "epochs": 3, "folds": 2},
           "training": {"epochs": 4},
           "explanation": {"samples": 7, "background": 20, "top": 5}}  # fmt: skip


def trained(simulated, output, settings=NETWORK, **data):
    """A run that can be explained."""
    named = {"features": str(simulated / "features.tsv.gz"), "target": "target"}
    named |= {"targets": str(simulated / "targets.tsv")} | data
    automl = ag.AutoGenome({"name": "t", "output_dir": str(output), "data": named, **settings})
    automl.train()
    return automl


@pytest.fixture(scope="module")
def explained(simulated, tmp_path_factory):
    """A run of a small network, explained, and the frame that came back."""
    automl = trained(simulated, tmp_path_factory.mktemp("runs"))
    with drawn():
        return automl, automl.explain()


@pytest.fixture
def copy(explained, tmp_path):
    """A run of one's own."""
    shutil.copytree(explained[0].folder, tmp_path / "t")
    return ag.load(tmp_path / "t")


def arrays(folder):
    """What attributions.npz holds."""
    with np.load(folder / "attributions.npz") as archive:
        return dict(archive)


def test_the_files_hold_what_comes_back(explained):
    automl, table = explained
    written = pd.read_csv(automl.folder / "attributions.tsv", sep="\t")
    pd.testing.assert_frame_equal(written, table, rtol=1e-8)
    found = arrays(automl.folder)
    assert found["values"].shape == (7, 80, 3) and found["base_values"].shape == (3,)
    assert list(found["outputs"]) == ["class_1", "class_2", "class_3"]
    assert list(table) == ["feature", "rank", "total", *found["outputs"]]
    means = pd.Series(np.abs(found["values"]).mean(axis=(0)).sum(axis=1), found["features"])
    assert list(means.sort_values(ascending=False).index[:10]) == list(table["feature"][:10])


def chosen_rows(automl):
    """Rows that the stage explains and their background."""
    session = automl._session
    return session.chosen_rows(session.model(), automl.config.explanation)


def test_explained_rows_are_test_rows_and_background_rows_are_not(explained, monkeypatch):
    automl, _ = explained
    split = pd.read_csv(automl.folder / "split.tsv", sep="\t").set_index("sample")["part"]
    assert set(split[arrays(automl.folder)["samples"]]) == {"test"}
    predictor = automl._session.model()
    background = chosen_rows(automl).background
    base = predictor.outputs(background).mean(axis=0)
    assert arrays(automl.folder)["base_values"] == pytest.approx(base, abs=1e-4)
    dataset, parts = automl._session.rows.labelled
    known = {row.tobytes() for row in np.asarray(dataset.values)[parts.part == "train"]}
    assert {row.tobytes() for row in np.asarray(background)} <= known


def test_contributions_and_base_add_up_to_the_logits_of_predictions(explained):
    automl, _ = explained
    found = arrays(automl.folder)
    logits = found["values"].sum(axis=1) + found["base_values"]
    frame = automl.predict().set_index("sample").loc[found["samples"]]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert frame[[f"p_{name}" for name in found["outputs"]]].to_numpy() == pytest.approx(
        chances, abs=1e-3
    )


def test_every_output_has_its_figures(explained):
    automl, _ = explained
    for name in (
        "total",
        *(f"{kind}_class_{k}" for kind in ("bar", "dot", "violin") for k in "123"),
    ):
        for suffix in ("png", "pdf"):
            assert (automl.folder / "plots" / f"importance_{name}.{suffix}").stat().st_size > 1000


def test_the_same_rows_are_explained_again(explained, copy):
    before = arrays(explained[0].folder)
    copy.explain()
    after = arrays(copy.folder)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_method_and_number_of_rows_can_be_asked_for(copy):
    explanation = copy.explain("gradient", samples=3, as_explanation=True)
    assert explanation.shape == (3, 80, 3) and np.isfinite(explanation.base_values).all()
    with pytest.raises(InputError, match="unknown.*'gradientt'.*'gradient'"):
        copy.explain("gradientt")


@pytest.mark.parametrize("asked", [{"samples": 0}, {"samples": -1}, {"interactions": -1}])
def test_less_than_nothing_is_not_explained(explained, asked):
    with pytest.raises(InputError, match="expected at least [01]; received"):
        explained[0].explain(**asked)


def test_the_command_explains_a_run(copy, capsys):
    assert cli.main(["explain", str(copy.folder), "--method", "knockout", "--samples", "2"]) == 0
    said = capsys.readouterr().out
    assert "attributions.tsv" in said and len(said.splitlines()) == 1 + 5 + 1
    assert arrays(copy.folder)["values"].shape == (2, 80, 3)
    stages = json.loads((copy.folder / "environment.json").read_text())
    assert "explain" in stages["stages"] and stages["times"]["attribution"] > 0


def test_without_test_rows_held_out_rows_are_explained(simulated, tmp_path):
    split = {"test": 0.0, "validation": 0.2}
    automl = trained(simulated, tmp_path, split=split)
    automl.explain()
    held = np.load(automl.folder / "validation.npz")["samples"]
    assert set(arrays(automl.folder)["samples"]) <= set(held)


@pytest.mark.slow
def test_seeds_are_compared(simulated, tmp_path):
    settings = NETWORK | {"explanation": NETWORK["explanation"] | {"repeats": 3}}
    automl = trained(simulated, tmp_path, settings | {"ensemble": {"seeds": 1}})
    automl.explain()
    frame = pd.read_csv(automl.folder / "stability.tsv", sep="\t")
    assert list(frame) == ["feature", "mean", "sd", "rank_low", "rank_high", "in_top"]
    assert len(frame) == 80 and frame["mean"].is_monotonic_decreasing
    assert (frame["sd"] > 0).mean() > 0.9 and (frame["rank_low"] <= frame["rank_high"]).all()
    assert frame["in_top"].sum() == pytest.approx(5)
    assert "3 seeds of trial 1, mlp" in (automl.folder / "log.txt").read_text()


def test_one_minimum_has_no_seeds(simulated, tmp_path):
    settings = NETWORK | {"families": {"linear": {"l2": 0.1}}}
    settings["explanation"] = NETWORK["explanation"] | {"repeats": 3}
    automl = trained(simulated, tmp_path, settings)
    automl.explain()
    assert not (automl.folder / "stability.tsv").exists()
    assert "linear gives the same model with every seed" in (automl.folder / "log.txt").read_text()


def test_an_ensemble_of_a_single_network_has_seeds(copy, monkeypatch):
    monkeypatch.setattr(explainers, "networks", lambda predictor, most: [predictor])
    changed = copy.config.explanation.model_copy(update={"repeats": 2})
    copy._session.config = copy.config.model_copy(update={"explanation": changed})
    copy.explain()
    assert "2 seeds of trial 1, mlp" in (copy.folder / "log.txt").read_text()
    assert (copy.folder / "stability.tsv").exists()


@pytest.mark.slow
def test_networks_of_an_ensemble_are_compared(simulated, tmp_path):
    settings = NETWORK | {"ensemble": {"size": 2}}
    settings["search"] = NETWORK["search"] | {"max_trials": 2}
    settings["families"] = {"mlp": {"layers": 1, "units": [4, 8]}}
    settings["explanation"] = NETWORK["explanation"] | {"repeats": 4}
    automl = trained(simulated, tmp_path, settings)
    automl.explain()
    frame = pd.read_csv(automl.folder / "stability.tsv", sep="\t")
    assert len(frame) == 80 and (frame["sd"] > 0).mean() > 0.9
    said = (automl.folder / "log.txt").read_text()
    assert "networks of the final model" in said and "seeds of trial" not in said


def test_the_background_may_be_rows_near_centres(simulated, tmp_path):
    settings = NETWORK | {"explanation": NETWORK["explanation"] | {"background_by": "kmeans"}}
    automl = trained(simulated, tmp_path, settings)
    automl.explain()
    background = np.asarray(chosen_rows(automl).background)
    dataset, parts = automl._session.rows.labelled
    known = {row.tobytes() for row in np.asarray(dataset.values)[parts.part == "train"]}
    assert {row.tobytes() for row in background} <= known and 10 < len(background) <= 20


def test_centres_find_every_cluster(explained):
    predictor = explained[0]._session.model()
    values = np.asarray(explained[0]._session.rows.labelled[0].values)
    three = np.concatenate([np.tile(values[row], (50, 1)) for row in (0, 5)] + [values[9:10]])
    assert nearest_to_centres(predictor, three, 3, 1).tolist() == [0, 50, 100]


@pytest.mark.slow
def test_pairs_of_the_foremost_genes_are_ranked(copy, capsys):
    arguments = ["explain", str(copy.folder), "--samples", "4", "--interactions", "3"]
    assert cli.main(arguments) == 0
    frame = pd.read_csv(copy.folder / "interactions.tsv", sep="\t")
    table = pd.read_csv(copy.folder / "attributions.tsv", sep="\t")
    assert set(frame["feature_1"]) | set(frame["feature_2"]) == set(table["feature"][:3])
    assert list(frame["rank"]) == [1, 2, 3] and frame["q"].between(0, 1).all()
    assert list(frame)[6:] == ["class_1", "class_2", "class_3"]
    assert "strongest of 3 pairs" in (copy.folder / "log.txt").read_text()


def test_effects_are_those_of_the_foremost_genes(explained):
    frame = pd.read_csv(explained[0].folder / "effects.tsv", sep="\t")
    assert len(frame) == 3 * 5 and (frame["low"] <= frame["mean"]).all()
    values = arrays(explained[0].folder)
    gene = list(values["features"]).index(frame["feature"][0])
    assert frame["mean"][0] == pytest.approx(values["values"][:, gene, 0].mean(), rel=1e-5)


def test_figures_are_drawn_from_the_files_alone(copy):
    shutil.rmtree(copy.folder / "plots")
    with drawn():
        plots.draw(copy._session.run, "explain")
    assert len(list((copy.folder / "plots").glob("importance_*.png"))) == 1 + 3 * 3
