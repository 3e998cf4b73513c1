"""The whole of a run: what it leaves behind, that it repeats, and all that may be handed in."""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import scipy.special
from figures import drawn

import autogenome_tf as ag
from autogenome_tf import data, metrics
from autogenome_tf.automl import STAGES, AutoGenome, _train
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.ensemble import fit_final_model
from autogenome_tf.models import Predictor
from autogenome_tf.run import Run, artifacts

pytestmark = pytest.mark.usefixtures("few_learners")

NETWORK = {"families": {"mlp": {"layers": 1, "units": [8, 4], "dropout": 0.1}},
           "search": {"max_trials": 2, "epochs": 3, "folds": 2},
           "training": {"epochs": 4}}  # fmt: skip
QUICK = {"families": {"linear": {"l2": [1.0, 0.1]}}, "search": {"folds": 2}}
METRICS = {"accuracy", "balanced_accuracy", "f1_macro", "mcc", "roc_auc", "log_loss"}
CLASSES = ["class_1", "class_2", "class_3"]


def config_of(folder, features="features.tsv.gz", settings=QUICK, output=None, **data):
    """A config of the files of a folder."""
    named = {"features": features, "targets": "targets.tsv", "target": "target"} | data
    files = ("features", "targets", "evaluate", "predict")
    named = {k: str(folder / v) if k in files and v else v for k, v in named.items()}
    return {"name": "t", "output_dir": str(output or folder / "runs"), "data": named, **settings}


@contextlib.contextmanager
def spoken():
    """Let the package say what it says outside of tests, where nobody else has a handler."""
    logger = logging.getLogger("autogenome_tf")
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)


def table(folder, name, **options):
    """One of the tables of a run."""
    return pd.read_csv(folder / name, sep="\t", **options)


def digests(folder):
    """Every file of a folder and its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(simulated):
    """A whole run of small networks."""
    automl = AutoGenome(config_of(simulated, settings=NETWORK))
    with spoken(), drawn():
        automl.run()
    return automl


@pytest.fixture(scope="module")
def folder(finished):
    """Its folder."""
    return finished.folder


def test_a_notebook_shows_the_folder_and_the_stages_done(finished, simulated):
    shown = f"AutoGenome('t', {finished.folder}, done: train, evaluate, predict, explain, export"
    assert repr(finished).startswith(shown)
    assert repr(AutoGenome(config_of(simulated))) == "AutoGenome('t', not trained)"


def test_a_training_killed_at_its_last_moment_judges_the_scores_of_the_search(
    simulated, tmp_path, caplog
):
    config, said = config_of(simulated, settings=NETWORK, output=tmp_path), []
    boards = []
    for _ in range(2):
        automl = AutoGenome(config | {"output": {"figures": False}})
        caplog.clear()
        with spoken():
            automl.train()
        said.append([line for line in caplog.messages if "networks a fold" in line])
        boards.append(table(automl.folder, "leaderboard.tsv").drop(columns="seconds"))
        # As a kill leaves it before the stage is noted.
        run = Run(automl.folder)
        environment = run.environment
        del environment["stages"]["train"]
        run.write_json("environment.json", environment)
    assert said[0] and said[0] == said[1]
    searched, judged = (
        board.set_index("trial")["score"].sort_index()
        for board in (table(automl.folder, "search/leaderboard.tsv"), boards[0])
    )
    assert (searched != judged).sum() == len(said[0])
    pd.testing.assert_frame_equal(*boards, check_exact=True)


# What a run leaves behind ----------------------------------------------------------------------


def test_all_files_of_the_contract_are_there(folder):
    found = set(digests(folder))
    assert found >= {
        "config.json", "environment.json", "split.tsv", "leaderboard.tsv", "history.tsv",
        "model.keras", "metrics.json", "predictions.tsv", "confusion_matrix.tsv",
        "confusion_matrix.png", "confusion_matrix.pdf", "plots/learning_curves.png",
        "plots/learning_curves.pdf", "plots/search_progress.png", "plots/search_progress.pdf",
        "log.txt",
    }  # fmt: skip
    assert not [name for name in found if "partial" in name]
    assert all((folder / name).stat().st_size > 0 for name in found)


def test_the_table_of_artifacts_knows_all_files_of_a_run(folder):
    files = {name for name in digests(folder) if name != ".lock"}
    files = {re.sub(r"outputs-\d+", "outputs-<n>", name) for name in files}
    drawn = {name for name in files if name.startswith("plots/") or name.endswith((".png", ".pdf"))}
    served = {name for name in files if name.startswith("saved_model/")}
    known = {artifact.name: artifact.optional for artifact in artifacts.ARTIFACTS}
    assert served and drawn and files - drawn - served <= known.keys()
    needed = {name for name, is_optional in known.items() if not is_optional}
    assert needed - files == {"saved_model/<version>/"}


def test_split_tsv_has_a_place_for_every_sample(folder, simulated):
    split = table(folder, "split.tsv")
    assert list(split.columns) == ["sample", "part", "fold"]
    assert list(split["sample"]) == list(table(simulated, "targets.tsv")["sample"])
    assert dict(split["part"].value_counts()) == {"train": 48, "test": 12}
    assert dict(split["fold"].value_counts()) == {1: 24, 2: 24, 0: 12}


def test_leaderboard_tsv_ranks_baseline_and_trials(folder):
    board = table(folder, "leaderboard.tsv")
    assert list(board.columns) == [
        "rank", "family", "trial", "score", "error", "epochs", "seconds", "parameters", "status",
        "hyperparameters",
    ]  # fmt: skip
    assert list(board["rank"]) == [1, 2, 3] and sorted(board["trial"]) == [0, 1, 2]
    assert board["score"].is_monotonic_increasing  # log loss
    assert set(board["status"]) == {"done"} and (board["error"] > 0).all()
    values = [json.loads(text) for text in board["hyperparameters"]]
    mlp = board["family"] == "mlp"
    assert all(v["layers"] == 1 and v["units"] in (4, 8) for v in np.array(values)[mlp])
    assert "l2" in values[int(np.argmax(board["trial"] == 0))]


def test_history_tsv_has_a_row_an_epoch(folder):
    history = table(folder, "history.tsv")
    assert list(history.columns)[:4] == ["epoch", "loss", "validation_loss", "learning_rate"]
    assert list(history["epoch"]) == [1, 2, 3, 4]
    assert np.isfinite(history["validation_loss"]).all()


def test_the_baseline_is_linear_and_saw_the_same_rows(folder, genes, labels):
    model = keras.models.load_model(folder / "baseline.keras")
    rows = genes.to_numpy("float32")
    seen, network = np.asarray(model.get_layer("preprocessing")(rows)), model.get_layer("network")
    between = np.asarray(network((seen[:20] + seen[20:40]) / 2))
    ends = np.asarray(network(seen[:20])) + np.asarray(network(seen[20:40]))
    assert between == pytest.approx(ends / 2, abs=1e-4)
    outputs = np.asarray(model(rows))
    told = json.loads((folder / "baseline.json").read_text())
    mine = json.loads((folder / "metrics.json").read_text())
    assert set(told) == set(mine) - {"validation_corrected"}
    assert set(told["test"]) == set(mine["test"])
    split = table(folder, "split.tsv")
    test = (split["part"] == "test").to_numpy()
    names = sorted(set(labels))
    right = np.array(names, object)[outputs[test].argmax(axis=1)] == labels[test].to_numpy()
    assert told["test"]["accuracy"]["value"] == pytest.approx(right.mean())
    apart = mine["test"]["accuracy"]["value"] - right.mean()
    assert told["test"]["accuracy"]["difference"]["value"] == pytest.approx(apart)
    board = table(folder, "leaderboard.tsv").set_index("trial")
    assert told["validation"]["log_loss"]["value"] == pytest.approx(board["score"][0], rel=1e-3)


@pytest.mark.parametrize("lost", ["baseline.keras", "outputs"])
def test_a_baseline_of_which_a_file_is_lost_is_named(folder, request, lost):
    # The copy stands beside the run, whose config names its files from there.
    run = Run(shutil.copytree(folder, folder.with_name("lost")))
    request.addfinalizer(lambda: shutil.rmtree(run.folder))
    if lost == "outputs":
        arrays = run.read_arrays("validation.npz")
        del arrays["baseline"]
        run.write_arrays("validation.npz", **arrays)
        said = "validation.npz: not as a run writes it: missing arrays: 'baseline'. Put a copy"
    else:
        run.remove(lost)
        said = "baseline.keras: no such file. Put a copy"
    with pytest.raises(InputError, match=said):
        ag.load(run.folder).evaluate()


def test_metrics_json_has_every_metric_with_its_interval(folder):
    found = json.loads((folder / "metrics.json").read_text())
    assert list(found) == ["validation", "validation_corrected", "test"]
    for part in found.values():
        assert set(part) == METRICS
        for metric in part.values():
            assert set(metric) == {"value", "low", "high"}
            assert metric["low"] <= metric["value"] <= metric["high"]


def test_predictions_tsv_has_every_row_and_chances_that_sum_to_1(folder, simulated):
    frame = table(folder, "predictions.tsv")
    columns = ["sample", "part", "target", "prediction", *(f"p_{name}" for name in CLASSES)]
    assert list(frame.columns) == [*columns, "set_90", "novelty_p"]
    assert list(frame["target"]) == list(table(simulated, "targets.tsv")["target"])
    assert list(frame["part"]) == list(table(folder, "split.tsv")["part"])
    chances = frame[columns[4:]].to_numpy()
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-8)
    assert list(frame["prediction"]) == [CLASSES[k] for k in chances.argmax(1)]


def test_predictions_tsv_has_9_significant_digits(finished, folder):
    frame = finished.predict()
    text = table(folder, "predictions.tsv", dtype=str)
    for name in CLASSES:
        assert list(text[f"p_{name}"]) == [f"{chance:.9g}" for chance in frame[f"p_{name}"]]


def test_test_metrics_are_those_of_the_predictions(folder):
    frame = table(folder, "predictions.tsv")
    test = frame[frame["part"] == "test"]
    logits = np.log(test[[f"p_{name}" for name in CLASSES]].to_numpy())
    truth = np.array([CLASSES.index(label) for label in test["target"]])
    values = metrics.classification(truth, logits)
    found = json.loads((folder / "metrics.json").read_text())["test"]
    for name in METRICS:
        assert found[name]["value"] == pytest.approx(values[name][0], abs=1e-6)


def test_the_confusion_matrix_counts_test_rows_true_by_predicted(folder):
    frame = table(folder, "predictions.tsv")
    test = frame[frame["part"] == "test"]
    counts = table(folder, "confusion_matrix.tsv", index_col=0)
    assert list(counts.index) == list(counts.columns) == CLASSES
    for true in CLASSES:
        for predicted in CLASSES:
            both = (test["target"] == true) & (test["prediction"] == predicted)
            assert counts.loc[true, predicted] == both.sum()


def test_environment_json_says_what_ran_on_what(folder, simulated):
    found = json.loads((folder / "environment.json").read_text())
    assert {"python", "keras", "keras-tuner", "numpy"} <= set(found["versions"])
    assert found["seed"] == 7 and set(found["stages"]) == set(STAGES)
    assert found["times"]["search"] > 0 and found["times"]["fit"] > 0
    for path, digest in found["data"].items():
        content = (folder / path).read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()
    named = {(folder / path).resolve().name for path in found["data"]}
    assert named == {"features.tsv.gz", "targets.tsv"}


def test_config_json_has_every_default_filled_in(finished, folder):
    found = json.loads((folder / "config.json").read_text())
    assert found["data"]["scale"] == "standard" and found["training"]["batch_size"] == "auto"
    assert Config.load(folder / "config.json") == finished.config


def test_log_txt_has_what_was_said(folder):
    said = (folder / "log.txt").read_text()
    assert "features.tsv.gz: tab-separated, 60 samples x 80 features" in said
    assert "transform: library_log1p (counts" in said
    assert re.search("baseline: linear.*trial 1/2: mlp.*trial 2/2: mlp.*final fit", said, re.S)


def test_log_txt_is_whole_where_a_program_has_its_own_logging(simulated, tmp_path):
    assert logging.getLogger().handlers  # pytest's, as after logging.basicConfig()
    automl = AutoGenome(config_of(simulated, output=tmp_path))
    automl.train()
    assert "final fit" in (automl.folder / "log.txt").read_text()


# Again -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def repeated(finished, folder):
    """The same run again, from its own config.json; and the first folder before it."""
    before = digests(folder)
    again = AutoGenome(str(folder / "config.json"))
    again.run()
    return again.folder, before


def test_a_finished_run_is_left_alone_and_the_next_gets_a_number(folder, repeated):
    assert repeated[0] == folder.with_name("t-2")
    assert digests(folder) == repeated[1]


def test_the_same_config_gives_the_same_leaderboard_and_metrics(folder, repeated):
    boards = [
        table(run, "leaderboard.tsv").drop(columns="seconds") for run in (folder, repeated[0])
    ]
    pd.testing.assert_frame_equal(*boards, check_exact=True)
    for name in ("metrics.json", "predictions.tsv", "split.tsv", "confusion_matrix.tsv"):
        assert (folder / name).read_bytes() == (repeated[0] / name).read_bytes()


@pytest.mark.slow
def test_another_seed_gives_another_leaderboard(folder, simulated, tmp_path):
    other = AutoGenome(config_of(simulated, settings=NETWORK | {"seed": 8}, output=tmp_path))
    scores = [set(board["score"]) for board in (other.train(), table(folder, "leaderboard.tsv"))]
    assert not scores[0] & scores[1]


# Ensembles -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_ensemble_is_saved_scored_and_drawn_like_a_network(simulated, tmp_path):
    search = NETWORK["search"] | {"repeats": 2, "max_trials": 4}
    changes = {"ensemble": {"size": "auto"}, "search": search}
    settings = NETWORK | changes
    automl = AutoGenome(
        config_of(simulated, settings=settings, output=tmp_path, transform=["none", "rank"])
    )
    with drawn():
        automl.run(("train", "evaluate", "predict"))
    board = table(automl.folder, "leaderboard.tsv")
    found = {json.loads(values)["transform"] for values in board["hyperparameters"]}
    assert found <= {"none", "rank"}
    assert set(automl.evaluate()) == {"validation", "validation_corrected", "test"}
    history = table(automl.folder, "history.tsv")
    assert 1 < history["trial"].nunique() and set(history["trial"]) <= set(board["trial"])
    assert (automl.folder / "plots" / "learning_curves.png").exists()
    model = keras.models.load_model(automl.folder / "model.keras")
    genes = table(simulated, "features.tsv.gz", index_col=0)
    frame = table(automl.folder, "predictions.tsv").set_index("sample").loc[genes.index]
    found = scipy.special.softmax(model.predict(genes.to_numpy("float32"), verbose=0), axis=1)
    chances = frame[[name for name in frame if name.startswith("p_")]]
    np.testing.assert_allclose(found, chances, atol=1e-5)


# Later, elsewhere ------------------------------------------------------------------------------

ELSEWHERE = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.modules["autogenome_tf"] = None  # importing it would raise
import keras, numpy as np, pandas as pd
folder, features = sys.argv[1:]
model = keras.models.load_model(folder + "/model.keras")
genes = pd.read_csv(features, sep="\\t", index_col=0).to_numpy("float32")
np.save("logits.npy", model.predict(genes, verbose=0))
del sys.modules["autogenome_tf"]
import autogenome_tf as ag
ag.load(folder).predict(features).to_csv("new.tsv", sep="\\t", index=False, float_format="%.17g")
"""


@pytest.mark.slow
def test_another_process_predicts_the_same_bytes_with_and_without_this_package(
    finished, folder, simulated, tmp_path
):
    features = str(simulated / "features.tsv.gz")
    environment = os.environ | {"PYTHONPATH": str(Path(ag.__file__).parents[1])}
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(folder), features], cwd=tmp_path, env=environment,
        check=True, capture_output=True,
    )  # fmt: skip
    finished.predict(features).to_csv(
        tmp_path / "here.tsv", sep="\t", index=False, float_format="%.17g"
    )
    assert (tmp_path / "new.tsv").read_bytes() == (tmp_path / "here.tsv").read_bytes()
    chances = scipy.special.softmax(np.load(tmp_path / "logits.npy").astype("float64"), axis=1)
    expected = table(folder, "predictions.tsv")[[f"p_{name}" for name in CLASSES]]
    np.testing.assert_allclose(chances, expected, atol=1e-6)


def test_stages_can_be_repeated_alone_from_a_run_that_has_moved(folder, simulated, tmp_path):
    shutil.copytree(simulated, tmp_path / "moved")
    moved = tmp_path / "moved" / folder.relative_to(simulated)
    for name in ("metrics.json", "predictions.tsv", "confusion_matrix.tsv"):
        (moved / name).unlink()
    ag.load(moved).evaluate()
    assert not (moved / "predictions.tsv").exists()
    ag.load(moved).predict()
    for name in ("metrics.json", "predictions.tsv", "confusion_matrix.tsv"):
        assert (moved / name).read_bytes() == (folder / name).read_bytes()


def test_a_trained_run_is_not_trained_again(finished, folder):
    before = digests(folder)
    board = ag.load(folder).train()
    assert digests(folder) == before
    assert list(board["trial"]) == list(table(folder, "leaderboard.tsv")["trial"])


@pytest.mark.parametrize("stage", ["evaluate", "predict"])
def test_no_stage_before_train(simulated, tmp_path, stage):
    automl = AutoGenome(config_of(simulated, output=tmp_path))
    with pytest.raises(StageError, match="train"):
        getattr(automl, stage)()
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_run_cannot_be_loaded(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        ag.load(tmp_path)


# New rows --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def genes(simulated):
    """The matrix as a frame."""
    return pd.read_csv(simulated / "features.tsv.gz", sep="\t", index_col=0)


def test_a_model_is_read_once_until_its_file_changes(folder, genes, monkeypatch):
    loaded, load = [], Predictor.load
    monkeypatch.setattr(Predictor, "load", lambda path: loaded.append(path) or load(path))
    again, path = ag.load(folder), folder / "model.keras"
    before = os.stat(path)
    for _ in range(2):
        again.predict(genes.iloc[:2])
    assert loaded.count(path) == 1
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    again.predict(genes.iloc[:2])
    assert loaded.count(path) == 2


def test_new_rows_are_predicted_alike_whatever_the_order_of_their_genes(finished, folder, genes):
    expected = table(folder, "predictions.tsv").iloc[:9, 3:]
    for rows in (genes.iloc[:9], genes.iloc[:9, ::-1], genes.iloc[:9].astype("Sparse[int]")):
        found = finished.predict(rows)
        assert list(found["sample"]) == list(genes.index[:9]) and set(found["part"]) == {"new"}
        pd.testing.assert_frame_equal(found.iloc[:, 3:], expected, check_exact=False, rtol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
def test_new_rows_without_names_are_taken_in_the_order_of_training(finished, genes, form):
    found = finished.predict(form(genes.to_numpy()))
    pd.testing.assert_frame_equal(found.iloc[:, 3:], finished.predict(genes).iloc[:, 3:])


def test_new_rows_without_some_genes_are_refused_with_few_names_and_the_count(finished, genes):
    with pytest.raises(InputError, match="lacks 7 of the 80 genes") as caught:
        finished.predict(genes.iloc[:, 7:])
    assert all(repr(name) in str(caught.value) for name in genes.columns[:5])
    assert repr(genes.columns[5]) not in str(caught.value)


def test_rows_unlike_all_training_rows_are_a_warning(finished, genes, caplog, monkeypatch):
    finished.predict(genes[:20])
    assert "unlike all training rows" not in caplog.text
    novelty = finished._session.model().conformal.novelty
    # Four of twenty rows lie farther away than all training rows.
    far = [1.0] * 16 + [0.001] * 4
    monkeypatch.setattr(type(novelty), "p_values", lambda self, outputs: np.array(far))
    finished.predict(genes[:20])
    names = ", ".join(genes.index[16:19])
    assert "4 of 20 rows are unlike all training rows (novelty_p below 0.01" in caplog.text
    assert f"such as {names}" in caplog.text


def test_extra_genes_are_ignored_and_said(finished, genes, caplog):
    extra = genes.assign(NEW1=1.0, NEW2=2.0)
    with caplog.at_level(logging.INFO, "autogenome_tf"):
        found = finished.predict(extra)
    assert "columns that the model does not use are ignored: 2 ('NEW1', 'NEW2')" in caplog.text
    pd.testing.assert_frame_equal(found, finished.predict(genes))


def test_new_rows_with_another_number_of_unnamed_columns_are_refused(finished, genes):
    with pytest.raises(InputError, match="79 unnamed columns; expected 80"):
        finished.predict(genes.to_numpy()[:, 1:])


def test_a_missing_value_in_new_rows_is_refused_with_its_place(finished, genes):
    holed = genes.copy()
    holed.iloc[3, 5] = np.nan
    with pytest.raises(InputError, match=f"{genes.index[3]}.*{genes.columns[5]}"):
        finished.predict(holed)


# Rows from memory ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labels(simulated):
    """The targets as a series."""
    return table(simulated, "targets.tsv", index_col=0)["target"]


def in_memory(kind, genes, labels):
    """Rows and labels as somebody has them in a notebook."""
    if kind == "frame":
        return genes, labels.sample(frac=1, random_state=0)  # matched by index
    if kind == "array":
        return genes.to_numpy(), labels.to_numpy()
    if kind == "sparse":
        return scipy.sparse.csr_matrix(genes.to_numpy()), list(labels)
    anndata = pytest.importorskip("anndata")
    return anndata.AnnData(genes, labels.to_frame("cell type")), "cell type"


@pytest.mark.parametrize("kind", ["frame", "array", "sparse", "anndata"])
def test_rows_from_memory_give_the_run_of_the_same_file(kind, genes, labels, quick, tmp_path):
    config = {"name": "memory", "output_dir": str(tmp_path), **QUICK}
    automl = AutoGenome(config, data=in_memory(kind, genes, labels))
    automl.train()
    assert automl.evaluate() == json.loads((quick / "metrics.json").read_text())
    known = json.loads((automl.folder / "config.json").read_text())["data"]
    assert known["features"] == "data.npz" and (automl.folder / "data.npz").is_file()
    assert (automl.folder / "log.txt").read_text().count("npz, 60 samples") == 1
    shutil.move(automl.folder, tmp_path / "elsewhere")
    later = ag.load(tmp_path / "elsewhere")
    assert len(later.predict()) == 60


@pytest.fixture(scope="module")
def quick(simulated, tmp_path_factory):
    """Folder of a linear run of the simulated files."""
    automl = AutoGenome(config_of(simulated, output=tmp_path_factory.mktemp("quick")))
    automl.train()
    automl.evaluate()
    return automl.folder


def test_rows_from_memory_can_be_run_again_from_their_folder(genes, labels, tmp_path):
    config = {"name": "memory", "output_dir": str(tmp_path), **QUICK}
    first, second = (AutoGenome(config, data=(genes, labels)) for _ in range(2))
    boards = [automl.train()["score"].tolist() for automl in (first, second)]
    third = AutoGenome(str(first.folder / "config.json"))
    assert boards[0] == boards[1] == third.train()["score"].tolist()
    assert [automl.folder.name for automl in (first, second, third)] == [
        "memory", "memory-2", "memory-3"
    ]  # fmt: skip


def test_warnings_about_rows_from_memory_name_a_file_that_stays(genes, labels, tmp_path):
    config = {"name": "memory", "output_dir": str(tmp_path), **QUICK}
    automl = AutoGenome(config, data=(genes, labels.where(np.arange(60) > 3)))
    automl.train()
    texts = [one["text"] for one in json.loads((automl.folder / "warnings.json").read_text())]
    (said,) = [text for text in texts if "have no label" in text]
    assert said.startswith(f"{automl.folder / 'data.npz'}: ")


def test_as_many_labels_as_rows_are_expected(genes, labels, tmp_path):
    automl = AutoGenome({"name": "m", "output_dir": str(tmp_path)}, data=(genes, list(labels)[1:]))
    with pytest.raises(InputError, match="60 rows, y has 59"):
        automl.train()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.zeros((60, 2, 2)), r"y: received ndarray of shape \(60, 2, 2\)"),
        (3, r"y: received int of shape \(\)"),
        (scipy.sparse.eye(60), "y: received .* of shape"),
        (pd.DataFrame(np.zeros((60, 2)), columns=["a", "a"]), "duplicate column 'a'"),
    ],
)
def test_targets_of_other_shapes_are_refused(genes, tmp_path, y, said):
    with pytest.raises(InputError, match=said):
        AutoGenome({"name": "m", "output_dir": str(tmp_path)}, data=(genes, y)).train()


def test_rows_and_targets_are_a_pair(genes, labels):
    for given in ((genes, labels, labels), genes):
        with pytest.raises(InputError, match=r"data: expected \(X, y\)"):
            AutoGenome({"name": "m"}, data=given)


def test_labels_of_cells_may_be_a_list(genes, labels, tmp_path):
    anndata = pytest.importorskip("anndata")
    cells = anndata.AnnData(genes.to_numpy("float32"), obs=pd.DataFrame({"known": list(labels)}))
    for y, names in ((list(labels), ["target"]), (["known"], ["known"]), ("known", ["known"])):
        assert data.write_rows(tmp_path / "x.npz", cells, y) == names
    with pytest.raises(InputError, match="'unknown' is not a column of obs"):
        data.write_rows(tmp_path / "x.npz", cells, ["unknown"])


def test_memory_that_ends_before_the_first_stage_is_said(genes, labels, tmp_path, monkeypatch):
    def folds(*_):
        raise MemoryError("no room")

    monkeypatch.setattr("autogenome_tf.automl._session.prepared", folds)
    automl = AutoGenome({"name": "m", "output_dir": str(tmp_path)}, data=(genes, labels))
    with pytest.raises(StageError, match="^m: begin: MemoryError: no room. Finished work is kept"):
        automl.train()


def test_a_run_is_not_done_before_all_that_it_was_ever_asked_for(simulated, tmp_path, monkeypatch):
    given = config_of(simulated, settings=NETWORK, output=tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(AutoGenome, "explain", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            AutoGenome(given).run(("train", "explain"))
    again = AutoGenome(given)
    again.train()
    assert again.folder.name == "t" and not list(tmp_path.glob("t-*"))
    # Who is refused changes nothing of what the other is at.
    run = again._session.run
    before = run.environment
    with run.alone(), pytest.raises(StageError, match="another process is working on this run"):
        run.ask(["report"])
    assert run.environment == before


# Names of classes ------------------------------------------------------------------------------

NAMES = {
    "text": ["B/T cell", "β-ζελλ 'x'", "Mono 14+, new"],
    "integers": [10, 2, 3],
    "booleans": [True, False, True],
    "floats": [1.0, 2.0, 3.0],
    "traps": ["NA", "nan", "None"],
}
ORDERED = {
    "text": ["B/T cell", "Mono 14+, new", "β-ζελλ 'x'"],
    "integers": ["2", "3", "10"],
    "booleans": ["False", "True"],
    "floats": ["1", "2", "3"],
}


@pytest.mark.parametrize("kind", ORDERED)
def test_names_of_classes_are_kept_to_the_end(kind, genes, labels, tmp_path):
    y = labels.map(dict(zip(CLASSES, NAMES[kind], strict=True)))
    automl = AutoGenome({"name": "t", "output_dir": str(tmp_path), **QUICK}, data=(genes, y))
    automl.run()
    frame = table(automl.folder, "predictions.tsv", dtype=str)
    names = ORDERED[kind]
    assert list(frame.columns[4:]) == [*(f"p_{name}" for name in names), "set_90", "novelty_p"]
    whole = [str(int(name)) if isinstance(name, float) else str(name) for name in y]
    assert list(frame["target"]) == whole and set(frame["prediction"]) <= set(names)
    counts = table(automl.folder, "confusion_matrix.tsv", dtype=str)
    assert list(counts.columns[1:]) == list(counts["true"]) == names
    assert ag.load(automl.folder).predict(genes.iloc[:3])["prediction"].isin(names).all()


def test_names_that_stand_for_missing_values_are_refused_or_kept(genes, labels, tmp_path):
    y = labels.map(dict(zip(CLASSES, NAMES["traps"], strict=True)))
    automl = AutoGenome({"name": "t", "output_dir": str(tmp_path), **QUICK}, data=(genes, y))
    try:
        automl.run()
    except InputError as error:
        assert "missing" in str(error)
    else:
        frame = table(automl.folder, "predictions.tsv", keep_default_na=False)
        assert list(frame["target"]) == list(y)


# Regression ------------------------------------------------------------------------------------


def numbers(genes, targets):
    """Targets far from 0 and of unequal units, each a sum of some genes."""
    logs = np.log1p(genes.to_numpy())
    sums = [logs[:, 10 * k : 10 * k + 3].sum(1) for k in range(targets)]
    return np.stack([1000 + 50 * (s - s.mean()) * 100**-k for k, s in enumerate(sums)], axis=1)


@pytest.mark.parametrize("targets", [1, 2])
def test_regression_answers_in_the_units_of_its_targets(targets, genes, tmp_path):
    names = [f"t{k}" for k in range(targets)]
    y = pd.DataFrame(numbers(genes, targets), genes.index, names)
    ridge = {"loss": "ridge", "l2": [0.1, 0.01]}
    settings = {"task": {"type": "regression"}, "families": {"linear": ridge},
                "search": {"folds": 2}}  # fmt: skip
    config = {"name": "t", "output_dir": str(tmp_path), **settings}
    automl = AutoGenome(config, data=(genes, y if targets > 1 else y["t0"]))
    automl.run()
    frame = table(automl.folder, "predictions.tsv")
    suffixes = [""] if targets == 1 else [f"_{name}" for name in names]
    columns = [f"{kind}{suffix}" for kind in ("target", "prediction") for suffix in suffixes]
    ends = [f"{end}_90{suffix}" for end in ("low", "high") for suffix in suffixes]
    assert list(frame.columns) == ["sample", "part", *columns, *ends]
    np.testing.assert_allclose(frame[columns[:targets]], y, rtol=1e-6)
    learned = frame[frame["part"] == "train"]
    for suffix in suffixes:
        truth, predicted = learned[f"target{suffix}"], learned[f"prediction{suffix}"]
        assert np.corrcoef(truth, predicted)[0, 1] > 0.9
        assert abs((truth - predicted).mean()) < 0.1 * truth.std()
    found = json.loads((automl.folder / "metrics.json").read_text())["test"]
    assert set(found) >= {"r2", "pearson", "spearman", "rmse", "mae"}
    if targets == 1:
        test = frame[frame["part"] == "test"]
        error = np.sqrt(((test["target"] - test["prediction"]) ** 2).mean())
        assert found["rmse"]["value"] == pytest.approx(error, rel=1e-4)
    assert not (automl.folder / "confusion_matrix.tsv").exists()


def test_regression_trains_networks(genes, tmp_path):
    search = {"max_trials": 1, "epochs": 2, "folds": 1}
    settings = NETWORK | {"task": {"type": "regression"}, "search": search}
    automl = AutoGenome({"name": "t", "output_dir": str(tmp_path), **settings},
                        data=(genes, numbers(genes, 2)))  # fmt: skip
    automl.run()
    board = table(automl.folder, "leaderboard.tsv")
    assert board["score"].is_monotonic_decreasing  # r2


# Files that a config names ---------------------------------------------------------------------


def test_groups_stay_together(simulated, genes, labels, tmp_path):
    patients = [f"p{k % 20}" for k in range(60)]
    frame = pd.DataFrame({"target": labels, "patient": patients}).rename_axis("sample")
    frame.to_csv(tmp_path / "grouped.tsv", sep="\t")
    config = config_of(simulated, output=tmp_path, split={"group": "patient"})
    config["data"]["targets"] = str(tmp_path / "grouped.tsv")
    automl = AutoGenome(config)
    automl.train()
    split = table(automl.folder, "split.tsv").assign(patient=patients)
    assert (split.groupby("patient")[["part", "fold"]].nunique() == 1).all(axis=None)
    assert set(split["part"]) == {"train", "test"}


@pytest.fixture(scope="module")
def three_files(simulated, genes, labels, tmp_path_factory):
    """Rows to learn from, to score and to predict, each with its target and a patient inside."""
    folder = tmp_path_factory.mktemp("files")
    whole = genes.assign(target=labels, patient=[f"p{k % 20}" for k in range(60)])
    whole.iloc[:40].to_csv(folder / "learn.tsv", sep="\t")
    whole.iloc[40:50, ::-1].to_csv(folder / "score.tsv", sep="\t")  # genes in another order
    genes.iloc[50:].assign(extra=1.0).to_csv(folder / "new.tsv", sep="\t")
    return folder


def test_further_files_are_scored_and_predicted(three_files, tmp_path):
    split = {"test": 0.0, "group": "patient"}
    config = config_of(three_files, "learn.tsv", output=tmp_path, targets=None, split=split,
                       evaluate="score.tsv")  # fmt: skip
    automl = AutoGenome(config)
    automl.train()
    assert list(automl.evaluate()) == ["validation", "validation_corrected", "evaluate"]
    counts = table(automl.folder, "confusion_matrix.tsv", index_col=0)
    assert counts.to_numpy().sum() == 10


def test_a_group_column_is_no_gene_of_further_files(three_files, tmp_path):
    split = {"test": 0.0, "group": "patient"}
    config = config_of(three_files, "learn.tsv", output=tmp_path, targets=None, split=split,
                       evaluate="score.tsv")  # fmt: skip
    automl = AutoGenome(config)
    automl.train()
    assert len(automl.predict()) == 50


@pytest.fixture
def predicted(three_files, tmp_path):
    """predictions.tsv of rows to learn from, to score and to predict."""
    frames = {}
    for name in ("learn", "score"):
        frame = table(three_files, f"{name}.tsv", index_col=0).drop(columns="patient")
        frame.to_csv(tmp_path / f"{name}.tsv", sep="\t")
        frames[name] = frame
    shutil.copy(three_files / "new.tsv", tmp_path)
    config = config_of(tmp_path, "learn.tsv", targets=None, split={"test": 0.0},
                       evaluate="score.tsv", predict="new.tsv")  # fmt: skip
    automl = AutoGenome(config)
    automl.run()
    return table(automl.folder, "predictions.tsv"), frames


@pytest.mark.filterwarnings("error::FutureWarning")
def test_values_are_predicted_beside_rows_without_them(three_files, tmp_path):
    genes = table(three_files, "new.tsv", index_col=0)
    config = config_of(tmp_path) | {"task": {"type": "regression"}}
    config["data"] = {"predict": str(three_files / "new.tsv")}
    rows = np.random.default_rng(1).normal(genes.mean(), 1.0, size=(60, len(genes.columns)))
    frame = pd.DataFrame(rows, [f"r{row}" for row in range(60)], genes.columns)
    automl = AutoGenome(config, data=(frame, 2 * frame.iloc[:, 0].to_numpy()))
    automl.train()
    predicted = automl.predict()
    assert predicted["target"].dtype == float and predicted["target"].notna().sum() == 60
    assert list(predicted.columns[:4]) == ["sample", "part", "target", "prediction"]


def test_predictions_of_further_files_stand_below(predicted):
    frame, _ = predicted
    assert list(frame["part"]) == ["train"] * 40 + ["evaluate"] * 10 + ["predict"] * 10
    assert frame["prediction"].isin(CLASSES).all()
    assert frame.loc[50:, "target"].isna().all()


def test_known_targets_of_further_files_are_shown(predicted):
    frame, frames = predicted
    assert list(frame.loc[40:49, "target"]) == list(frames["score"]["target"])


def test_without_test_rows_the_validation_rows_speak(simulated, tmp_path):
    automl = AutoGenome(config_of(simulated, output=tmp_path, split={"test": 0.0}))
    automl.run()
    parts = json.loads((automl.folder / "metrics.json").read_text())
    assert list(parts) == ["validation", "validation_corrected"]
    assert table(automl.folder, "confusion_matrix.tsv", index_col=0).to_numpy().sum() == 60
    assert set(table(automl.folder, "split.tsv")["part"]) == {"train"}


def test_a_split_file_is_followed_and_repeats_the_run(quick, simulated, tmp_path):
    config = config_of(simulated, output=tmp_path, split=str(quick / "split.tsv"))
    automl = AutoGenome(config)
    automl.train()
    assert automl.evaluate() == json.loads((quick / "metrics.json").read_text())


# Options of data -------------------------------------------------------------------------------


def test_top_variable_keeps_the_genes_that_vary_most_on_training_rows(simulated, genes, tmp_path):
    config = config_of(simulated, output=tmp_path, top_variable=5, transform="log1p")
    automl = AutoGenome(config)
    automl.train()
    train = table(automl.folder, "split.tsv")["part"] == "train"
    spread = np.log1p(genes[train.to_numpy()]).var()
    kept = spread.nlargest(5).index
    changed = genes.copy()
    changed.loc[:, ~genes.columns.isin(kept)] = 3.0
    rows = [automl.predict(frame).filter(regex="^p_") for frame in (genes, changed)]
    pd.testing.assert_frame_equal(*rows)
    changed.loc[:, kept[0]] += 100
    assert np.abs(automl.predict(changed).filter(regex="^p_") - rows[0]).max(axis=None) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["mean", "median", "zero"])
def test_missing_values_are_filled_from_training_rows(missing, genes, labels, tmp_path):
    holed = genes.where(np.random.default_rng(0).random(genes.shape) > 0.05)
    data = {"missing": missing, "transform": "log1p"}
    config = {"name": "t", "output_dir": str(tmp_path), "data": data, **QUICK}
    automl = AutoGenome(config, data=(holed, labels))
    automl.run()
    chances = automl.predict(holed).filter(regex="^p_")
    assert np.isfinite(chances).all(axis=None)
    train = (table(automl.folder, "split.tsv")["part"] == "train").to_numpy()
    logs = np.log1p(holed)
    fill = logs[train].agg(missing) if missing != "zero" else 0.0
    by_hand = automl.predict(np.expm1(logs.fillna(fill))).filter(regex="^p_")
    np.testing.assert_allclose(by_hand, chances, atol=1e-4)


def test_test_rows_influence_nothing_but_the_test_metrics(genes, labels, tmp_path):
    settings = NETWORK | {"search": {"max_trials": 1, "epochs": 2, "folds": 2}}
    config = {"name": "t", "output_dir": str(tmp_path), **settings}
    first = AutoGenome(config, data=(genes, labels))
    board = first.train().drop(columns="seconds")
    test = (table(first.folder, "split.tsv")["part"] == "test").to_numpy()
    wild = genes.copy()
    wild[test] = 7 * wild[test] + 1000
    second = AutoGenome(config, data=(wild, labels))
    pd.testing.assert_frame_equal(second.train().drop(columns="seconds"), board, check_exact=True)
    found = [automl.evaluate() for automl in (first, second)]
    assert found[0]["validation"] == found[1]["validation"]
    assert found[0]["test"] != found[1]["test"]


def test_little_time_still_ends_in_a_model(simulated, tmp_path):
    settings = NETWORK | {"search": {"max_seconds": 0.01, "folds": 2}}
    settings["families"] = NETWORK["families"] | {"linear": {}}
    automl = AutoGenome(config_of(simulated, settings=settings, output=tmp_path))
    assert list(automl.train()["trial"]) == [0]
    assert len(automl.predict()) == 60


def test_the_model_of_the_baseline_is_hardly_late(simulated, tmp_path, monkeypatch):
    settings = NETWORK | {"search": {"max_seconds": 2, "max_trials": 1, "folds": 2}}
    left = []

    def late(*given, deadline, **known):
        if not left:
            time.sleep(max(0.0, deadline - time.monotonic()))
        left.append(deadline - time.monotonic())
        return fit_final_model(*given, deadline=deadline, **known)

    monkeypatch.setattr(_train, "fit_final_model", late)
    automl = AutoGenome(config_of(simulated, settings=settings, output=tmp_path))
    automl.train()
    assert len(left) == 2 and left[1] <= _train.LATE * 2
    automl.evaluate()
    found = json.loads((automl.folder / "baseline.json").read_text("utf-8"))
    assert found["test"]["accuracy"]["value"] > 0.5


def test_little_time_still_ends_in_a_network_where_no_baseline_may_win(simulated, tmp_path):
    settings = NETWORK | {"search": {"max_seconds": 0.01, "folds": 2}}
    automl = AutoGenome(config_of(simulated, settings=settings, output=tmp_path))
    assert sorted(automl.train()["trial"]) == [0, 1]
    assert len(automl.predict()) == 60


# Real cells ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_main_job_on_real_cells(tmp_path):
    pytest.importorskip("scanpy")
    settings = {
        "name": "cells",
        "output_dir": str(tmp_path),
        "data": {"features": "scanpy:pbmc68k_reduced", "target": "bulk_labels"},
        "families": {"linear": {}, "mlp": {"layers": 1, "units": 32}},
        "search": {"max_trials": 2, "epochs": 5, "folds": 2},
        "training": {"epochs": 10},
    }
    automl = AutoGenome(settings)
    automl.run()
    found = json.loads((automl.folder / "metrics.json").read_text())
    assert found["test"]["accuracy"]["value"] > 0.7
    frame = table(automl.folder, "predictions.tsv")
    assert len(frame) == 700 and len(frame.columns) == 4 + 10 + 2
    assert "p_CD4+/CD45RO+ Memory" in frame.columns and frame.columns[-2] == "set_90"
