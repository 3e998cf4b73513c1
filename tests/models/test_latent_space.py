"""Representations end to end: what a run leaves behind, each likelihood, covariates, labels."""

import dataclasses
import gc
import json
import shutil
import subprocess
import sys
import types

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from figures import drawn

import autogenome_tf as ag
from autogenome_tf import explainers, families, tasks
from autogenome_tf.cli import _summary
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.models import LatentModel, LatentSpace
from autogenome_tf.nn.res_vae import ResVAE
from autogenome_tf.simulation import expression
from autogenome_tf.training import Configuration, Plan, TrainingSettings, _loop
from autogenome_tf.training._autoencoders import AutoencoderCrossValidation

SMALL = {"latent": 3, "start_width": 16, "layers": 2}
DRAWN = expression.draw(samples=120, features=50, informative=12, interactions=0, classes=3)
BATCH = np.asarray(DRAWN.batch)
FRAME = pd.DataFrame(DRAWN.values, DRAWN.samples, DRAWN.features)
LABELS = pd.Series(DRAWN.target, DRAWN.samples, name="type")
METRICS = {"elbo", "reconstruction", "kl", "importance_weighted_bound", "active_units"}
OF_LABELS = {"ari", "nmi", "silhouette", "knn_accuracy", "hdbscan_ari", "hdbscan_noise"}


def config_of(folder, data=(), family=(), **changes):
    """The keys of a config of a small representation."""
    given = {
        "name": "t", "output_dir": str(folder), "task": {"type": "representation"},
        "data": dict(data), "families": {"resvae": SMALL | dict(family)},
        "search": {"max_trials": 1, "epochs": 4}, "training": {"epochs": 8},
        "explanation": {"samples": 6, "background": 20, "top": 3},
    }  # fmt: skip
    return given | changes


@pytest.fixture(autouse=True, scope="module")
def _few_resamples():
    """Draw few rows anew for intervals, which take most of the time of so small runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autogenome_tf.models._latent_space.RESAMPLES", 20)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run with labels and all its figures."""
    automl = ag.AutoGenome(config_of(tmp_path_factory.mktemp("runs")), data=(FRAME, LABELS))
    with drawn():
        automl.run()
    return automl


def table(automl, name):
    """One of the tables of a run."""
    return pd.read_csv(automl.folder / name, sep="\t")


def test_all_files_are_there(finished):
    for name in (
        "leaderboard.tsv", "history.tsv", "model.keras", "metrics.json", "latent.tsv",
        "clusters.tsv", "reconstruction.tsv.gz", "attributions.tsv", "plots/latent_space.png",
        "plots/latent_space.pdf", "plots/importance_bar_z1.png", "plots/learning_curves.png",
    ):  # fmt: skip
        assert (finished.folder / name).stat().st_size > 100, name
    assert not (finished.folder / "predictions.tsv").exists()
    board = table(finished, "leaderboard.tsv")
    assert list(board["family"]) == ["resvae"] and board["score"][0] < 0


def test_every_row_has_its_latent_means(finished):
    latent, split = table(finished, "latent.tsv"), table(finished, "split.tsv")
    assert list(latent) == ["sample", "part", "z1", "z2", "z3"] and len(latent) == 120
    assert list(latent["part"]) == list(split["part"])
    new = finished.predict(FRAME.iloc[:7, ::-1])
    merged = latent.set_index("sample").loc[new["sample"]]
    assert new[["z1", "z2", "z3"]].to_numpy() == pytest.approx(
        merged.iloc[:, 1:].to_numpy(), abs=1e-5
    )
    clusters = table(finished, "clusters.tsv")
    assert set(clusters["kmeans"]) <= {1, 2, 3} and set(clusters["target"]) == set(LABELS)
    told = table(finished, "reconstruction.tsv.gz")
    assert told.shape == (120, 52) and list(told)[2:] == list(FRAME)
    assert np.isfinite(told.iloc[:, 2:].to_numpy()).all()


def test_scores_are_beside_those_of_components(finished):
    found = json.loads((finished.folder / "metrics.json").read_text())
    assert set(found) == {"validation", "test"}
    of_both = {"explained", "imputed_deviance", "imputed_error"} | OF_LABELS
    names = METRICS | of_both | {f"pca_{name}" for name in of_both}
    for part in found.values():
        assert set(part) == names
        assert all(one["low"] <= one["high"] for one in part.values())
        elbo = -part["reconstruction"]["value"] - part["kl"]["value"]
        assert part["elbo"]["value"] == pytest.approx(elbo, abs=1e-4)
        assert part["importance_weighted_bound"]["value"] > part["elbo"]["value"]


def test_parts_of_the_bound_are_recorded_every_epoch(finished):
    history = table(finished, "history.tsv")
    total = history["validation_reconstruction"] + history["validation_kl"]
    assert total.to_numpy() == pytest.approx(history["validation_loss"].to_numpy(), rel=1e-4)
    assert history["warmth"].iloc[-1] == 1 and {"reconstruction", "kl"} <= set(history)


@pytest.mark.slow
def test_the_divergence_warms_up_where_nothing_is_active_yet(tmp_path):
    epochs = {"search": {"max_trials": 1, "epochs": 2}, "training": {"epochs": 20}}
    automl, _ = run(tmp_path, FRAME, family={"linear": "none"}, **epochs)
    assert list(table(automl, "history.tsv")["warmth"][:3]) == [0.5, 1.0, 1.0]


def test_posteriors_may_be_narrower_than_the_prior(finished):
    embedding = LatentModel.load(finished.folder / "model.keras")
    assert embedding.run(FRAME.to_numpy(), "log_variance").min() < 0


def test_shaps_own_explainer_agrees_on_latent_units(finished):
    embedding = LatentModel.load(finished.folder / "model.keras")
    values = FRAME.to_numpy()
    rows = types.SimpleNamespace(values=values[:3], samples=list("abc"))
    fast, slow = (
        explainers.explain(embedding, rows, values[20:40], method).values
        for method in ("fast_deep_shap", "deep_shap")
    )
    assert np.abs(fast - slow).max() < 1e-4 * np.abs(slow).max()


@pytest.mark.slow
def test_keras_tuner_searches_the_family_as_any_other(tmp_path):
    rows = np.log1p(FRAME.to_numpy())
    tuner = keras_tuner.RandomSearch(
        families.ResVAE(50, tasks.Representation(), {"start_width": [8, 16], "latent": 2}),
        keras_tuner.Objective("val_loss", "min"), max_trials=2, directory=str(tmp_path), seed=1,
    )  # fmt: skip
    tuner.search(rows[:90], epochs=1, validation_data=(rows[90:],), verbose=0)
    (best,) = tuner.get_best_models(1)
    assert type(best) is ResVAE and best.encode(rows[:4])[0].shape == (4, 2)


def test_the_best_epoch_is_the_one_that_is_kept(finished):
    history = table(finished, "history.tsv")
    score = json.loads((finished.folder / "metrics.json").read_text())["validation"]["elbo"]
    # Other draws than in training, so equal but for chance.
    assert score["value"] == pytest.approx(-history["validation_loss"].min(), abs=1.0)


def test_latent_units_are_explained(finished):
    attributions = table(finished, "attributions.tsv")
    assert list(attributions) == ["feature", "rank", "total", "z1", "z2", "z3"]
    arrays = dict(np.load(finished.folder / "attributions.npz"))
    latent = finished.predict().set_index("sample").loc[arrays["samples"]]
    added = arrays["values"].sum(axis=1) + arrays["base_values"]
    assert added == pytest.approx(latent[["z1", "z2", "z3"]].to_numpy(), abs=1e-3)


@pytest.mark.slow
def test_latent_units_have_pairs_and_seeds_too(finished, tmp_path):
    folder = tmp_path / "t"
    shutil.copytree(finished.folder, folder)
    copy = ag.load(folder)
    asked = copy.config.explanation.model_copy(update={"repeats": 2})
    copy._session.config = copy.config.model_copy(update={"explanation": asked})
    copy.explain(interactions=3)
    pairs = table(copy, "interactions.tsv")
    assert len(pairs) == 3 and "q" not in pairs and list(pairs)[-3:] == ["z1", "z2", "z3"]
    assert len(table(copy, "stability.tsv")) == 50


@pytest.mark.slow
def test_the_model_loads_without_this_package(finished, tmp_path):
    np.save(tmp_path / "rows.npy", FRAME.to_numpy()[:5])
    code = (
        "import keras, numpy as np, sys\n"
        f"model = keras.models.load_model({str(finished.folder / 'model.keras')!r})\n"
        f"out = model(np.load({str(tmp_path / 'rows.npy')!r}))\n"
        f"np.save({str(tmp_path / 'z.npy')!r}, out['latent'])\n"
        "assert 'autogenome_tf' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    latent = finished.predict(FRAME.iloc[:5])[["z1", "z2", "z3"]].to_numpy()
    assert np.load(tmp_path / "z.npy") == pytest.approx(latent, abs=1e-5)


def test_what_was_saved_scores_the_same(finished):
    one = LatentModel.load(finished.folder / "model.keras")
    other = LatentModel.load(finished.folder / "model.keras")
    rows = FRAME.to_numpy()[:9]
    assert np.array_equal(one.bounds(rows, 3, draws=4), other.bounds(rows, 3, draws=4))
    back = type(one.autoencoder)
    assert back is keras.saving.get_registered_object("autogenome_tf>ResVAE")


def test_rows_are_drawn_and_decoded(finished):
    drawn = finished.sample(40, seed=1)
    assert list(drawn) == list(FRAME) and len(drawn) == 40
    assert finished.sample(40, seed=1).equals(drawn)
    assert not finished.sample(40, seed=2).equals(drawn)
    latent = table(finished, "latent.tsv")[["z1", "z2", "z3"]].to_numpy()
    told = table(finished, "reconstruction.tsv.gz").iloc[:, 2:].to_numpy()
    # Counts of a row of median depth, as a share of it.
    decoded = finished.decode(latent[:5]).to_numpy()
    depths = decoded.sum(axis=1, keepdims=True)
    shares = told[:5] / told[:5].sum(axis=1, keepdims=True)
    assert decoded / depths == pytest.approx(shares, abs=1e-4)
    assert depths[:, 0] == pytest.approx(np.median(DRAWN.values.sum(axis=1)), rel=0.1)
    assert drawn.mean().to_numpy() == pytest.approx(decoded.mean(axis=0), rel=1.0)


def test_what_are_no_latent_points_is_refused_with_its_shape(finished):
    annotated = pytest.importorskip("anndata").AnnData(np.zeros((5, 7), "float32"))
    for points in (np.zeros((5, 2)), np.zeros(3), [[0.0, 0.0]], annotated):
        with pytest.raises(InputError, match=r"latent: received shape .*; expected \(rows, 3\)"):
            finished.decode(points)
    with pytest.raises(InputError, match="latent: received values that are not finite"):
        finished.decode(np.full((2, 3), np.nan))
    with pytest.raises(InputError, match=r"covariates: received shape \(1, 2\); expected \(2, 0\)"):
        finished.decode(np.zeros((2, 3)), np.ones((1, 2)))
    for count in (0, -1, 2.5):
        with pytest.raises(InputError, match="count: expected an integer of at least 1"):
            finished.sample(count)


def run(folder, x, y=None, **changes):
    """A run without figures: the AutoGenome and its metrics."""
    automl = ag.AutoGenome(config_of(folder, **changes), data=(x, y))
    automl.train()
    return automl, automl.evaluate()


def graphs():
    """Graphs of compiled steps in this process."""
    gc.collect()
    return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())


def test_no_compiled_step_outlives_a_run_but_those_that_are_shared(tmp_path, steps):
    before = graphs()
    run(tmp_path, np.random.default_rng(0).normal(size=(30, 8)))
    steps.clear()
    assert graphs() <= before


def assert_likelihood(automl, likelihood):
    """The model has this likelihood, and the log names it."""
    assert automl._session.model().autoencoder.get_config()["likelihood"] == likelihood
    assert f"likelihood: {likelihood}" in (automl.folder / "log.txt").read_text()


def test_labels_are_not_needed(tmp_path):
    automl, found = run(tmp_path, np.log1p(FRAME))
    assert_likelihood(automl, "gaussian")
    assert METRICS <= set(found["test"]) and not OF_LABELS & set(found["test"])
    clusters = table(automl, "clusters.tsv")
    assert clusters["kmeans"].isna().all() and clusters["hdbscan"].notna().all()
    assert len(automl.explain()) == 50


@pytest.mark.parametrize("likelihood", ["negative_binomial", "zero_inflated"])
def test_counts_are_told_as_counts(likelihood, tmp_path):
    sparse = scipy.sparse.csr_matrix(DRAWN.values)
    family = {"likelihood": likelihood} if likelihood == "zero_inflated" else {}
    automl, found = run(tmp_path, sparse, family=family)
    assert_likelihood(automl, likelihood)
    assert np.isfinite(found["test"]["elbo"]["value"]) and found["test"]["explained"]["value"] > 0
    automl.predict()
    told = table(automl, "reconstruction.tsv.gz").iloc[:, 2:].to_numpy()
    assert (told >= 0).all()
    if likelihood == "negative_binomial":
        assert told.sum(axis=1) == pytest.approx(DRAWN.values.sum(axis=1), rel=1e-3)
    assert automl.sample(3, seed=1).to_numpy().sum(axis=1).max() <= 1.01 * np.median(
        DRAWN.values.sum(axis=1)
    )


@pytest.mark.parametrize(
    ("part", "is_told"), [(0.2, True), pytest.param(0.9, False, marks=pytest.mark.slow)]
)
def test_values_that_are_mostly_whole_may_be_expected_counts(part, is_told, tmp_path):
    random = np.random.default_rng(0)
    counts = random.poisson(random.lognormal(3, 1, (60, 12))).astype(float)
    counts[random.random(counts.shape) < part] *= 0.75
    automl, _ = run(tmp_path, counts)
    assert_likelihood(automl, "gaussian")
    told = [one["text"] for one in automl._session.run.read_json("warnings.json")]
    assert any("may be expected counts" in text for text in told) == is_told


def test_markers_are_told_as_chances(tmp_path):
    markers = (FRAME > FRAME.median()).astype("float32")
    automl, _ = run(tmp_path, markers)
    assert_likelihood(automl, "bernoulli")
    automl.predict()
    told = table(automl, "reconstruction.tsv.gz").iloc[:, 2:].to_numpy()
    assert (told >= 0).all() and (told <= 1).all()
    right = np.corrcoef(told.ravel(), markers.to_numpy().ravel())[0, 1]
    assert right > 0.2


@pytest.mark.parametrize(
    ("likelihood", "message"),
    [("bernoulli", "needs values that are 0 and 1; received"),
     ("negative_binomial", "needs values that are counts of at least 0; received -")],
)  # fmt: skip
def test_a_likelihood_that_does_not_fit_is_refused(likelihood, message, tmp_path):
    shifted = FRAME - 1000 * (likelihood != "bernoulli")
    with pytest.raises(InputError, match=f"families.resvae.likelihood: {likelihood} {message}"):
        run(tmp_path, shifted, family={"likelihood": likelihood}, data={"transform": "none"})


def batched():
    """Rows whose second batch lies elsewhere, and that batch beside the labels."""
    moved = FRAME.astype("float64")
    moved.loc[BATCH == "batch_2"] *= np.random.default_rng(1).uniform(0.2, 5.0, 50)
    return moved.round(), pd.DataFrame({"type": LABELS, "batch": BATCH}, index=LABELS.index)


def test_covariates_mix_batches(tmp_path):
    x, y = batched()
    automl, mixed = run(tmp_path, x, y, data={"covariates": ["batch"]})
    told = mixed["test"]["covariate_knn_accuracy"]["value"]
    assert mixed["test"]["pca_covariate_knn_accuracy"]["value"] == 1.0 and told < 0.85
    table_ = automl.explain()
    assert {"batch=batch_1", "batch=batch_2"} <= set(table_["feature"])
    new = x.iloc[:4].assign(batch=BATCH[:4])
    again = automl.predict(new)
    automl.predict()
    latent = table(automl, "latent.tsv").iloc[:4, 2:].to_numpy()
    assert again.iloc[:, 2:].to_numpy() == pytest.approx(latent, abs=1e-4)
    other = automl.predict(x.iloc[:4].assign(batch="other"))
    assert other.iloc[:, 2:].to_numpy() == pytest.approx(latent, abs=1e-4)
    with pytest.raises(InputError, match="data.covariates.*'batch'"):
        automl.predict(x.iloc[:4])
    assert "components after ComBat" in automl.report().read_text()
    assert not any("scib_" in name for name in mixed["test"])
    known = automl._session.rows.labelled
    scores = LatentSpace(automl._session.model(), *known, known[0], 0).scores()["evaluate"]
    before, after, corrected = (
        scores[f"{prefix}scib_ilisi"]["value"] for prefix in ("pca_", "", "combat_")
    )
    assert before < min(after, corrected) - 0.1, (before, after, corrected)
    assert scores["pca_scib_pcr"]["value"] == 0 and scores["scib_total"]["low"] is None


def test_an_alignment_needs_covariates_and_warns(tmp_path):
    x, y = batched()
    family = {"alignment": 0.5}
    with pytest.raises(InputError, match="families.resvae.alignment: .* received 0.5"):
        ag.AutoGenome(config_of(tmp_path / "none", family=family), data=(x, None)).train()
    given = config_of(tmp_path / "some", {"covariates": ["batch"]}, family)
    automl = ag.AutoGenome(given, data=(x, y))
    automl.train()
    (told,) = automl._session.run.read_json("warnings.json")
    assert told["about"] == "alignment" and "can merge types" in told["text"]
    assert automl._session.model().autoencoder.get_config()["alignment"] == 0.5


def test_covariates_come_from_files_too(tmp_path):
    x, y = batched()
    x.rename_axis("sample").to_csv(tmp_path / "x.tsv", sep="\t")
    y.rename_axis("sample").to_csv(tmp_path / "y.tsv", sep="\t")
    rows, columns = str(tmp_path / "x.tsv"), str(tmp_path / "y.tsv")
    data = {"features": rows, "evaluate": rows, "targets": columns, "target": "type"}
    data["covariates"] = ["batch"]
    automl = ag.AutoGenome(config_of(tmp_path, data))
    automl.train()
    found = automl.evaluate()
    assert set(found) == {"validation", "test", "evaluate"}
    data["covariates"] = ["btach"]
    with pytest.raises(InputError, match="data.covariates.*'btach'.*'batch'"):
        ag.AutoGenome(config_of(tmp_path / "other", data)).train()


@pytest.mark.slow
def test_genes_can_be_chosen_and_missing(tmp_path):
    some = FRAME.mask(np.random.default_rng(0).random(FRAME.shape) < 0.05)
    data = {"top_variable": 20, "missing": "mean"}
    automl, found = run(tmp_path, some, LABELS, data=data)
    assert np.isfinite(found["test"]["elbo"]["value"]) and automl.sample(2).shape == (2, 20)
    attributions = automl.explain().set_index("feature")["total"]
    assert (attributions > 0).sum() <= 20


@pytest.mark.slow
def test_folds_judge_every_row_and_all_rows_train_the_last(tmp_path):
    search = {"max_trials": 1, "epochs": 3, "folds": 3}
    automl, found = run(tmp_path, FRAME, LABELS, search=search)
    assert set(found) == {"test"} and "fold" in table(automl, "split.tsv")
    assert table(automl, "leaderboard.tsv")["error"][0] > 0


@pytest.mark.slow
def test_where_every_row_is_learned_from_nothing_is_scored(tmp_path, capsys, monkeypatch):
    monkeypatch.undo()  # maps are shown
    few = {"search": {"max_trials": 1, "epochs": 2, "folds": 2}, "training": {"epochs": 2}}
    given = config_of(tmp_path, {"split": {"test": 0.0}}, **few, output={"figures": False})
    automl = ag.AutoGenome(given, data=(FRAME, LABELS))
    automl.train()
    assert automl.evaluate() == {}
    _summary.show(automl.folder, automl.config)
    assert "no scores" in capsys.readouterr().out
    page = automl.report().read_text()
    assert "so there is no score." in page and "see data.split" in page


@pytest.mark.slow
def test_values_of_any_unit_are_told_again_in_theirs(tmp_path):
    values = np.random.default_rng(0).lognormal(size=(90, 12)) @ np.diag(np.linspace(1, 3, 12))
    explained = []
    for unit in (1.0, 1e-9, 1e9):
        given = config_of(tmp_path / str(unit), {"transform": "none"}, output={"figures": False})
        frame = pd.DataFrame(values * unit, FRAME.index[:90], [f"g{i}" for i in range(12)])
        automl = ag.AutoGenome(given, data=(frame, None))
        automl.train()
        explained.append(automl.evaluate()["test"]["explained"]["value"])
        told = automl.decode(np.zeros((1, 3))).to_numpy()[0] / unit
        np.testing.assert_allclose(told, values.mean(axis=0), rtol=0.5)
    assert explained == pytest.approx(explained[:1] * 3, abs=0.02)


def in_folds(family=(), **changes):
    """`AutoencoderCrossValidation` of the rows, three of them."""
    config = Config.of(config_of("x", {"features": "x.tsv"} | changes, family))
    rows = np.arange(len(FRAME))
    splits = [(rows[rows % 3 != fold], rows[rows % 3 == fold]) for fold in range(3)]
    values = FRAME.to_numpy("float32")
    task, truth = tasks.Representation(0), np.zeros(len(FRAME), "float32")
    return AutoencoderCrossValidation(
        values,
        truth,
        task,
        TrainingSettings.of(config),
        splits=splits,
        features=list(FRAME.columns),
    )


@pytest.mark.slow
def test_a_fit_does_not_hang_on_the_one_before_it(steps):
    values = SMALL | {"dropout": 0.3, "input_dropout": 0.3, "likelihood": "gaussian"}
    plan = Plan(2, learning_rate=0.01)
    in_folds().fit(Configuration("resvae", values), plan, seed=1)
    found = in_folds().fit(Configuration("resvae", values), plan, seed=2)
    (engine,) = steps
    assert engine._train.experimental_get_tracing_count() == 1
    steps.clear()
    fresh = in_folds().fit(Configuration("resvae", values), plan, seed=2)
    for first, second in zip(found.weights, fresh.weights, strict=True):
        np.testing.assert_array_equal(np.stack(first), np.stack(second))


def test_the_last_fit_has_a_rate_for_each_epoch_that_folds_ask_for(monkeypatch):
    lengths, fit = iter([2, 6, 9]), _loop.fit

    def other_lengths(*given):
        found, epochs = fit(*given), next(lengths)
        return dataclasses.replace(found, best_epoch=epochs, history=found.history * epochs)

    monkeypatch.setattr(_loop, "fit", other_lengths)
    found = in_folds().fit(Configuration("resvae", SMALL), Plan(1), seed=1)
    assert found.best_epoch == 6 and len(found.history) >= 6


@pytest.mark.slow
def test_folds_that_keep_other_genes_have_wirings_of_their_own(tmp_path):
    names = list(FRAME.columns)
    sets = "\n".join("\t".join([f"S{i}", "", *names[i::4]]) for i in range(4))
    (tmp_path / "sets.gmt").write_text(sets)
    family = {"gene_sets": str(tmp_path / "sets.gmt"), "min_genes": 1}
    search = {"max_trials": 1, "epochs": 2, "folds": 3}
    given = config_of(tmp_path, {"top_variable": 15}, search=search, training={"epochs": 2})
    given["families"]["resvae"] = {"start_width": 16, "layers": 2, **family}
    automl = ag.AutoGenome(given, data=(FRAME, LABELS))
    board = automl.train()
    assert list(board["status"]) == ["done"]
    assert list(automl.predict().columns[2:]) == ["S0", "S1", "S2", "S3", "z1"]


def test_the_same_config_repeats_the_run(finished, tmp_path):
    again, scores = run(tmp_path, FRAME, LABELS)
    boards = [table(automl, "leaderboard.tsv")["score"][0] for automl in (finished, again)]
    assert boards[0] == boards[1]
    assert scores == json.loads((finished.folder / "metrics.json").read_text())


@pytest.mark.slow
def test_several_configurations_are_searched(tmp_path):
    family = {"start_width": [8, 16], "skip": ["add", "concatenate"], "linear": ["pca", "none"]}
    search = {"max_trials": 3, "epochs": 2, "method": "random"}
    automl, _ = run(tmp_path, FRAME, family=family, search=search)
    board = table(automl, "leaderboard.tsv")
    assert len(board) == 3 and board["score"].is_monotonic_decreasing
    assert (board["status"] == "done").all()


WRONG = {
    "a family that predicts": ({"families": {"mlp": {}}}, "mlp is not for task.type represent"),
    "an ensemble": ({"ensemble": {"size": 3}}, "a representation is of one model"),
    "several transforms": ({"data": {"transform": ["none", "rank"]}}, "a representation has one"),
    "an objective": ({"search": {"objective": "r2"}}, "ranked by one of auto, elbo"),
    "several likelihoods": (
        {"families": {"resvae": {"likelihood": ["gaussian", "bernoulli"]}}},
        "expected a single value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name, tmp_path):
    changes, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        ag.AutoGenome(
            config_of(tmp_path, data=changes.pop("data", {})) | changes, data=(FRAME, None)
        )


def test_only_representations_have_covariates_and_draw():
    with pytest.raises(InputError, match="only task.type representation has covariates"):
        Config.of({"name": "t", "data": {"features": "x", "covariates": ["batch"]}})
    with pytest.raises(InputError, match="resvae is not for task.type classification"):
        ag.AutoGenome(
            {"name": "t", "data": {"features": "x", "target": "y"}, "families": {"resvae": {}}}
        )


def test_the_family_of_a_representation_need_not_be_named():
    config = Config.of({"name": "t", "data": {"features": "x"}, "task": {"type": "representation"}})
    assert set(config.families) == {"resvae"} and config.objective == "elbo"


def test_a_network_that_predicts_does_not_draw(simulated, tmp_path):
    named = {"features": str(simulated / "features.tsv.gz"), "target": "target",
             "targets": str(simulated / "targets.tsv")}  # fmt: skip
    config = {"name": "t", "output_dir": str(tmp_path), "data": named, "search": {"folds": 2}}
    automl = ag.AutoGenome(config | {"families": {"linear": {"l2": 1.0}}})
    automl.train()
    with pytest.raises(StageError, match="sample: only a run of task.type representation"):
        automl.sample(3)


@pytest.mark.slow
def test_clusters_in_many_dimensions_are_found_as_well_as_by_components(tmp_path):
    """Five groups in 50 dimensions behind a random map that is not linear (V-7)."""
    random = np.random.default_rng(5)
    truth = np.arange(600) % 5
    inner = 3 * random.normal(size=(5, 6))[truth] + random.normal(size=(600, 6))
    outer = np.tanh(inner @ random.normal(size=(6, 30)) / 3) @ random.normal(size=(30, 50))
    rows = outer + 0.5 * random.normal(size=outer.shape)
    longer = {"search": {"max_trials": 1, "epochs": 15}, "training": {"epochs": 40}}
    _, found = run(
        tmp_path, rows.astype("float32"), [f"group {k}" for k in truth],
        family={"latent": 5, "start_width": 64}, **longer,
    )  # fmt: skip
    test = found["test"]
    assert "covariate_knn_accuracy" not in test
    for name in ("knn_accuracy", "ari"):
        assert test[name]["value"] >= test[f"pca_{name}"]["value"] - 0.05, name
    assert test["knn_accuracy"]["value"] > 0.9


def test_distances_of_latent_rows_are_those_of_what_they_decode_to(finished):
    model, (dataset, split) = finished._session.model(), finished._session.rows.labelled
    train = model.outputs(dataset.rows(np.flatnonzero(split.part == "train")))
    assert model.reaches(train) == pytest.approx(np.ones(3), rel=0.05)
