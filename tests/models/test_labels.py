"""Labels that shape a latent space: what they bring, what they must not, and where they appear."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import autogenome_tf as ag
from autogenome_tf import tasks
from autogenome_tf.cli import main
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.models import LatentModel

ROWS, GENES = 400, 40
SMALL = {"latent": 2, "start_width": 32, "layers": 1, "distance": "decoded"}
RANDOM = np.random.default_rng(3)
TRUTH = np.where(np.arange(ROWS) % 2, "case", "control").astype(object)
# Two strong factors fill the two units of a space that knows no label; labels move four genes.
FACTORS = 0.8 * RANDOM.normal(size=(ROWS, 2)) @ RANDOM.normal(size=(2, GENES))
VALUES = FACTORS + RANDOM.normal(size=(ROWS, GENES))
VALUES[:, :4] += np.where(TRUTH == "case", 1.5, -1.5)[:, None]
FRAME = pd.DataFrame(
    VALUES, [f"s{row}" for row in range(ROWS)], [f"g{gene}" for gene in range(GENES)]
)


def trained(folder, given, labels="semi", **data):
    """A run on the planted rows, and the metrics of its test part."""
    config = {
        "name": "t", "output_dir": str(folder), "data": {"transform": "none", **data},
        "task": {"type": "representation", "labels": labels},
        "families": {"resvae": SMALL},
        "search": {"max_trials": 1, "epochs": 15}, "training": {"epochs": 15},
        "output": {"figures": False},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(FRAME, pd.Series(given, FRAME.index, name="type")))
    automl.train()
    return automl, automl.evaluate().get("test")


@pytest.fixture(scope="module", autouse=True)
def _few_resamples():
    """Draw few rows anew for intervals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autogenome_tf.models._latent_space.RESAMPLES", 20)
        patch.setattr("autogenome_tf.models._latent_space.DRAWS", 2)
        yield


@pytest.fixture(scope="module")
def semi(tmp_path_factory):
    """A run that learns the labels; one in four is missing."""
    given = TRUTH.copy()
    given[::8], given[1::8] = None, "unknown"
    return trained(tmp_path_factory.mktemp("semi"), given)


def test_labels_separate_held_out_samples_that_nothing_else_separates(semi, tmp_path):
    _, found = semi
    _, without = trained(tmp_path, TRUTH, "none")
    assert without["knn_accuracy"]["value"] < 0.7 and "label_accuracy" not in without
    for name in ("knn_accuracy", "label_accuracy"):
        assert found[name]["value"] > 0.9, name
    assert found["silhouette"]["value"] > without["silhouette"]["value"] + 0.2


def test_labels_in_another_order_are_not_found_on_held_out_samples(tmp_path):
    _, found = trained(tmp_path, np.random.default_rng(0).permutation(TRUTH))
    for name in ("knn_accuracy", "label_accuracy"):
        # Two standard errors of 80 samples.
        assert abs(found[name]["value"] - 0.5) < 0.12, (name, found[name])
    assert found["silhouette"]["value"] < 0.05


def test_only_samples_whose_label_was_not_used_are_scored_by_it(semi):
    automl, found = semi
    validation = json.loads((automl.folder / "metrics.json").read_text())["validation"]
    assert {"elbo", "explained"} <= set(validation)
    assert not {"ari", "knn_accuracy", "label_accuracy", "pca_ari"} & set(validation)
    clusters = pd.read_csv(automl.folder / "clusters.tsv", sep="\t")
    is_test = clusters["part"] == "test"
    known = clusters["target"].notna() & is_test
    assert found["labels_held_out"]["value"] == known.sum() < is_test.sum()
    train = clusters[clusters["part"] == "train"]
    text = f"labels of {train['target'].notna().sum()} of {len(train)} training rows are learned"
    assert text in (automl.folder / "log.txt").read_text()
    history = pd.read_csv(automl.folder / "history.tsv", sep="\t")
    trained = history["cross_entropy"][1:]
    assert 0 < trained.iloc[-1] < trained.iloc[0] < np.log(2)
    assert history["cross_entropy"].isna()[0] and history["validation_cross_entropy"].notna().all()


@pytest.mark.parametrize(
    ("share", "is_told"), [pytest.param(0.0, True, marks=pytest.mark.slow), (0.2, False)]
)
def test_a_space_that_no_label_scores_is_told(semi, tmp_path, share, is_told):
    automl = semi[0] if share else trained(tmp_path, TRUTH, split={"test": 0.0})[0]
    warnings = json.loads((automl.folder / "warnings.json").read_text())
    told = [warning["text"] for warning in warnings if warning["about"] == "labels"]
    assert ["Set data.split.test" in text for text in told] == [True] * is_told


def test_probabilities_of_labels_are_the_same_wherever_they_appear(semi):
    automl, _ = semi
    whole = automl.predict()
    assert list(whole) == ["sample", "part", "z1", "z2", "prediction", "p_case", "p_control"]
    assert whole["p_case"].to_numpy() + whole["p_control"].to_numpy() == pytest.approx(1)
    assert (whole["prediction"] == "case").equals(whole["p_case"] > 0.5)
    new = automl.predict(FRAME.iloc[:5, ::-1])
    pd.testing.assert_frame_equal(
        new.drop(columns="part"), whole.iloc[:5].drop(columns="part"), atol=1e-5
    )
    model = LatentModel.load(automl.folder / "model.keras")
    points = model.outputs(FRAME.to_numpy())
    logits = np.asarray(model.autoencoder.classifier(points))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert chances[:, 0] == pytest.approx(whole["p_case"].to_numpy(), abs=1e-5)
    served = tf.saved_model.load(str(automl.export()))
    values = tf.constant(FRAME.to_numpy("float32")[:5])
    answer = served.signatures["serving_default"](values=values)
    assert answer["probabilities"].numpy() == pytest.approx(chances[:5], abs=1e-5)
    about = json.loads((automl.folder / "serving.json").read_text())
    assert about["classes"] == ["case", "control"]


@pytest.mark.slow
def test_rows_beyond_memory_have_the_same_labels(tmp_path):
    seen, streamed = (
        trained(tmp_path / str(memory), TRUTH, memory=memory)[0] for memory in (1.0, 2e-5)
    )
    assert streamed._session.prepared().cross_validation.is_streamed
    chances = [automl.predict()["p_case"].to_numpy() for automl in (seen, streamed)]
    assert chances[0] == pytest.approx(chances[1], abs=1e-3)


def test_the_report_says_that_labels_shaped_the_space(semi):
    page = semi[0].report().read_text()
    assert "Labels of training samples shaped the latent space." in page
    assert "whose labels were not used" in page and "accuracy of predicted labels" in page
    assert "used for these scores only" not in page


def test_the_estimator_predicts_labels():
    given = np.where(np.arange(ROWS) < 100, None, TRUTH)
    quick = {"families": {"resvae": SMALL}, "search": {"epochs": 10}, "training": {"epochs": 10}}
    fitted = ag.ResVAE(labels="semi", config=quick).fit(VALUES, given)
    assert list(fitted.classes_) == ["case", "control"]
    assert (fitted.predict(VALUES[:100]) == TRUTH[:100]).mean() > 0.85
    assert fitted.predict_proba(VALUES[:3]).shape == (3, 2)
    assert not hasattr(ag.ResVAE(), "predict")
    with pytest.raises(InputError, match="labels 'semi' needs y with 400 labels; received none"):
        ag.ResVAE(labels="semi").fit(VALUES)


def test_cells_without_a_label_get_one(tmp_path):
    anndata = pytest.importorskip("anndata")
    given = pd.Categorical(np.where(np.arange(ROWS) < 100, None, TRUTH))
    cells = anndata.AnnData(FRAME.astype("float32"), pd.DataFrame({"type": given}, FRAME.index))
    quick = {
        "output_dir": str(tmp_path), "data": {"transform": "none"}, "search": {"epochs": 15},
        "training": {"epochs": 15}, "families": {"resvae": SMALL},
    }  # fmt: skip
    ag.tl.resvae(cells, key="type", config=quick, labels="semi")
    assert cells.obsm["X_resvae"].shape == (ROWS, 2)
    assert (cells.obs["type_predicted"][:100] == TRUTH[:100]).mean() > 0.85
    assert cells.obs["type_confidence"].between(0.5, 1).all()
    assert cells.obs["type"][:100].isna().all()


def test_missing_and_unseen_labels_have_no_position():
    task = tasks.Representation(classes=("a", "b"))
    assert task.encode(np.array(["b", "", "c", "a"], object)).tolist() == [1, -1, -1, 0]


def test_a_space_that_labels_cannot_shape_is_refused(tmp_path, capsys):
    with pytest.raises(InputError, match="labels is for representation; the type is 'classific"):
        Config.of({"name": "t", "data": {"features": "x"}, "task": {"labels": "semi"}})
    with pytest.raises(InputError, match="task.labels: semi needs .* 2 labels or more; received a"):
        trained(tmp_path, np.where(TRUTH == "case", "a", None))
    given = {"name": "t", "data": {"features": "x.tsv"}}
    given["task"] = {"type": "representation", "labels": "semi"}
    (tmp_path / "t.json").write_text(json.dumps(given))
    assert main(["check", str(tmp_path / "t.json")]) == 2
    assert "data.target: expected the name of a column" in capsys.readouterr().err
    with pytest.raises(InputError, match="task.labels: semi learns from labels.*received none"):
        ag.AutoGenome(given | {"output_dir": str(tmp_path)}, data=(FRAME, None)).train()
