"""Scales of values through whole runs: training, new rows, the report."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.automl._rows import rows_of
from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.models import FoldNetworks, Predictor
from autogenome_tf.report import _warnings
from autogenome_tf.run import Run

pytestmark = pytest.mark.usefixtures("few_learners")

ROWS, GENES = 80, 20
GENE_NAMES = [f"gene_{gene}" for gene in range(GENES)]
LABELS = pd.Series(np.where(np.arange(ROWS) % 2, "Basal", "LumA"), [f"s{i}" for i in range(ROWS)])


def z_scores(seed=0):
    """Z-scores of two classes that three genes tell apart."""
    values = np.random.default_rng(seed).normal(size=(ROWS, GENES))
    values[:, :3] += np.where(np.arange(ROWS) % 2, 2.0, -2.0)[:, None]
    return pd.DataFrame(values / values.std(axis=0), LABELS.index, GENE_NAMES)


def trained(folder, features, **data):
    """A linear model, trained; figures are not the subject."""
    config = {
        "name": "scales", "output_dir": str(folder), "data": data,
        "families": {"linear": {"loss": "logistic", "l2": 0.1}}, "search": {"folds": 2},
        "output": {"figures": False}, "explanation": {"samples": 3},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(features, LABELS))
    automl.train()
    return automl


def logs(rows=ROWS, seed=1):
    """Expression on a log2 scale of two classes that three genes tell apart, up to about 13."""
    random = np.random.default_rng(seed)
    values = np.random.default_rng(0).normal(6, 2, GENES).clip(2, 10) + random.normal(
        0, 0.7, (rows, GENES)
    )
    values[:, :3] += np.where(np.arange(rows) % 2, 1.5, -1.5)[:, None]
    return pd.DataFrame(values.clip(0), [f"s{i}" for i in range(rows)], GENE_NAMES)


def warnings_of(automl):
    """The warnings of a run: what each is about, its stage and text."""
    return json.loads((automl.folder / "warnings.json").read_text("utf-8"))


# Training ----------------------------------------------------------------------------------


def test_z_scores_with_outliers_score_as_those_without(tmp_path):
    features = z_scores()
    features.iloc[4, 5], features.iloc[30, 9] = 75.0, 120.0
    automl = trained(tmp_path, features)
    assert automl.evaluate()["test"]["accuracy"]["value"] == 1.0
    assert "transform: none (z-scores" in (automl.folder / "log.txt").read_text()


def test_an_age_among_z_scores_leaves_them_as_they_are(tmp_path):
    features = z_scores().assign(age=np.random.default_rng(3).integers(20, 90, ROWS))
    assert trained(tmp_path, features).evaluate()["test"]["accuracy"]["value"] == 1.0


def test_a_floor_above_nearly_all_values_is_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(InputError, match="makes 20 of 20 genes constant"):
        trained(tmp_path, z_scores(), transform="log2", log2_floor=20.0)
    assert not (tmp_path / "scales").exists()


def test_a_floor_above_a_part_of_the_genes_is_a_warning_once(tmp_path):
    features = np.exp(z_scores() * 0.5 + 5)
    features.iloc[:, 10:] = np.exp(z_scores(1).iloc[:, 10:] * 0.3)
    automl = trained(tmp_path, features, transform="log2", log2_floor=20.0)
    automl.explain()
    (found,) = [one for one in warnings_of(automl) if one["about"] == "transform"]
    assert "makes 10 of 20 genes constant" in found["text"] and found["stage"] == "train"
    assert found["text"] in (automl.folder / "log.txt").read_text()
    assert found["text"] in _warnings.of_run(Run.existing(automl.folder))
    again = ag.load(automl.folder)
    again.explain()
    assert warnings_of(again) == warnings_of(automl)


# New rows ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_logs(tmp_path_factory):
    """A model of values on a log scale."""
    return trained(tmp_path_factory.mktemp("logs"), logs())


def test_new_rows_of_the_same_scale_are_predicted_without_a_word(of_logs, caplog):
    with caplog.at_level("WARNING", "autogenome_tf"):
        assert len(of_logs.predict(logs(30, 2))) == 30
    assert not caplog.records


def test_counts_for_a_model_of_logs_are_refused_by_predict(of_logs, tmp_path):
    (2 ** logs(30, 2)).round().to_csv(tmp_path / "counts.tsv", sep="\t", index_label="sample")
    with pytest.raises(InputError, match=r"counts.tsv: values of another order of magnitude"):
        ag.load(of_logs.folder).predict(tmp_path / "counts.tsv")


def test_a_single_row_of_another_scale_is_a_warning(of_logs, caplog):
    with caplog.at_level("WARNING", "autogenome_tf"):
        assert len(of_logs.predict((2 ** logs(1, 2)).round())) == 1
    assert "1 of 1 rows are outside the range of the training rows" in caplog.text


def of_files(folder, predict=None, evaluate=None, limit=0.05, **settings):
    """A run of files with further rows, trained."""
    logs().to_csv(folder / "x.tsv", sep="\t", index_label="sample")
    LABELS.to_frame("kind").to_csv(folder / "y.tsv", sep="\t", index_label="sample")
    data = {"features": str(folder / "x.tsv"), "targets": str(folder / "y.tsv"), "target": "kind"}
    data["missing_genes"] = limit
    for name, rows in (("predict", predict), ("evaluate", evaluate)):
        if rows is not None:
            rows = rows.set_axis([f"new{row}" for row in range(len(rows))])
            rows.to_csv(folder / f"{name}.tsv", sep="\t", index_label="sample")
            data[name] = str(folder / f"{name}.tsv")
    if evaluate is not None:
        labels = pd.Series(LABELS.to_numpy()[: len(rows)], rows.index, name="kind")
        labels.to_csv(folder / "z.tsv", sep="\t", index_label="sample")
        data["evaluate_targets"] = str(folder / "z.tsv")
    automl = ag.AutoGenome({
        "name": "files", "output_dir": str(folder), "data": data,
        "families": {"linear": {"loss": "logistic", "l2": 0.1}}, "search": {"folds": 2},
        "output": {"figures": False}, **settings,
    })  # fmt: skip
    automl.train()
    return automl


def test_what_is_to_be_doubted_of_rows_to_predict_stands_in_the_report(tmp_path):
    automl = of_files(tmp_path, predict=logs(30, 2) / 3.32)
    before = warnings_of(automl)
    automl.predict()
    (found,) = [one for one in warnings_of(automl) if one not in before]
    assert (found["about"], found["stage"]) == ("scale", "predict")
    assert "predict.tsv: 30 of 30 rows are outside" in found["text"]
    assert found["text"] in (automl.folder / "log.txt").read_text()
    assert found["text"] in _warnings.of_run(Run.existing(automl.folder))
    automl.predict()
    assert len(warnings_of(automl)) == len(before) + 1


def test_rows_to_evaluate_of_another_scale_are_warned_of_or_refused(tmp_path):
    (tmp_path / "near").mkdir()
    automl = of_files(tmp_path / "near", evaluate=logs(30, 2) / 3.32)
    automl.evaluate()
    found = [one["about"] for one in warnings_of(automl) if one["stage"] == "evaluate"]
    assert [about for about in found if about != "scores"] == ["scale", "coverage"]
    (tmp_path / "far").mkdir()
    with pytest.raises(InputError, match="evaluate.tsv: values of another order of magnitude"):
        of_files(tmp_path / "far", evaluate=(2 ** logs(30, 2)).round()).evaluate()


# Genes that new rows lack ------------------------------------------------------------------


def test_genes_that_lack_are_filled_and_the_cost_is_the_score_without_them(of_logs, caplog):
    predictor, (dataset, parts) = of_logs._session.model(), of_logs._session.rows.labelled
    shares = predictor.importance
    gene = GENE_NAMES[int(np.argmax(np.where(shares < 0.05, shares, 0)))]
    learn = dataset.rows(np.flatnonzero(parts.fold > 0))
    fold = parts.fold[parts.fold > 0] - 1
    values = learn.values.copy()
    values[:, GENE_NAMES.index(gene)] = np.nan
    position = [predictor.task.classes.index(label) for label in learn.targets]
    networks = FoldNetworks(Predictor.load(of_logs.folder / "folds.keras"), 2)
    outputs = networks.outputs(values, fold).astype("float64")
    logs_of = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    expected = -np.mean([row[place] for row, place in zip(logs_of, position, strict=True)])
    new = logs(30, 2)
    with caplog.at_level("WARNING", "autogenome_tf"):
        found = of_logs.predict(new.drop(columns=gene).iloc[:, ::-1])
    (record,) = caplog.records
    assert record.about == "genes"
    assert f"the given rows: lacks 1 of the 20 genes of training ({gene!r})" in record.message
    assert "filled with training means" in record.message
    assert f"Without these genes, log_loss is {expected:.3g} (" in record.message
    assert f": the out-of-fold score of {len(learn)} training rows." in record.message
    whole = of_logs.predict(new)
    assert (found["prediction"] == whole["prediction"]).all()
    assert not found.equals(whole)


def test_a_run_of_an_earlier_version_is_measured_on_its_test_rows(of_logs, tmp_path, caplog):
    before = shutil.copytree(of_logs.folder, tmp_path / "before")
    (before / "folds.keras").unlink()
    gene = GENE_NAMES[int(np.argmin(of_logs._session.model().importance))]
    with caplog.at_level("WARNING", "autogenome_tf"):
        ag.load(before).predict(logs(30, 2).drop(columns=gene))
    assert "): the score of 16 test rows." in caplog.text


def test_an_average_of_networks_is_measured_on_its_folds_itself(tmp_path, caplog):
    automl = of_files(tmp_path, ensemble={"size": 2})
    assert not (automl.folder / "folds.keras").exists()
    gene = GENE_NAMES[int(np.argmin(automl._session.model().importance))]
    with caplog.at_level("WARNING", "autogenome_tf"):
        automl.predict(logs(30, 2).drop(columns=gene))
    assert "): the out-of-fold score of 64 training rows." in caplog.text


def test_without_folds_validation_rows_are_measured(tmp_path, caplog):
    automl = of_files(tmp_path, search={"folds": 1})
    gene = GENE_NAMES[int(np.argmin(automl._session.model().importance))]
    with caplog.at_level("WARNING", "autogenome_tf"):
        automl.predict(logs(30, 2).drop(columns=gene))
    rows = (pd.read_csv(automl.folder / "split.tsv", sep="\t")["part"] == "validation").sum()
    assert f"): the score of {rows} validation rows." in caplog.text


def test_rows_to_evaluate_may_lack_genes_as_rows_to_predict(tmp_path):
    new = logs(30, 2)
    automl = of_files(
        tmp_path, evaluate=new.drop(columns="gene_12"),
        families={"mlp": {"layers": 1, "units": 8}}, training={"epochs": 30},
        search={"folds": 2, "max_trials": 1}, limit=0.3,
    )  # fmt: skip
    found = automl.evaluate()["evaluate"]
    (said,) = [one for one in warnings_of(automl) if one["about"] == "genes"]
    assert said["stage"] == "evaluate" and "evaluate.tsv: lacks 1 of the 20" in said["text"]
    model = automl._session.model()
    gaps = new.assign(gene_12=np.nan)[GENE_NAMES].to_numpy("float32")
    right = np.array(model.task.classes)[model.outputs(gaps).argmax(1)] == LABELS[:30]
    assert found["accuracy"]["value"] == pytest.approx(right.mean())
    beside = json.loads((automl.folder / "baseline.json").read_text("utf-8"))
    assert set(beside["evaluate"]) == set(found)


def test_rows_to_evaluate_may_not_lack_genes_that_matter(tmp_path):
    automl = of_files(tmp_path, evaluate=logs(30, 2).drop(columns="gene_0"))
    with pytest.raises(InputError, match="evaluate.tsv: lacks 1 of the 20 .* importance"):
        automl.evaluate()


def test_a_representation_lacks_no_gene(tmp_path):
    logs().to_csv(tmp_path / "x.tsv", sep="\t", index_label="sample")
    rows = rows_of(Config.of({
        "name": "t", "data": {"features": str(tmp_path / "x.tsv")},
        "task": {"type": "representation"},
    }))  # fmt: skip
    with pytest.raises(InputError, match="lacks 1 of the 20 genes of training: 'gene_3'.$"):
        rows.new(logs(30, 2).drop(columns="gene_3"), GENE_NAMES)


def test_genes_that_matter_may_not_lack(of_logs):
    with pytest.raises(InputError, match="lacks 1 of the 20 .*'gene_0'.*data.missing_genes allows"):
        of_logs.predict(logs(30, 2).drop(columns="gene_0"))
    with pytest.raises(InputError, match="lacks 15 of the 20 genes of training"):
        of_logs.predict(logs(30, 2).iloc[:, :5])


def test_a_gap_in_a_gene_that_is_there_stays_an_error(of_logs):
    gene = GENE_NAMES[int(np.argmin(of_logs._session.model().importance))]
    new = logs(30, 2).drop(columns=gene)
    new.iloc[3, 4] = np.nan
    with pytest.raises(InputError, match="sample 's3', gene .*: missing"):
        of_logs.predict(new)


def test_without_a_limit_new_rows_have_all_genes(tmp_path):
    automl = trained(tmp_path, logs(), missing_genes=0)
    gene = GENE_NAMES[int(np.argmin(automl._session.model().importance))]
    with pytest.raises(InputError, match="lacks 1 of the 20 genes of training: '[a-z_0-9]+'.$"):
        automl.predict(logs(30, 2).drop(columns=gene))


def test_rows_to_predict_that_lack_genes_are_in_the_report(tmp_path):
    automl = of_files(tmp_path, predict=logs(30, 2).iloc[:, 1:])
    with pytest.raises(InputError, match="predict.tsv: lacks 1 of the 20"):
        automl.predict()
    automl = of_files(tmp_path, predict=logs(30, 2).drop(columns="gene_12"))
    assert automl._session.model().share(["gene_12"]) < 0.05
    automl.predict()
    (found,) = [one for one in warnings_of(automl) if one["about"] == "genes"]
    assert found["stage"] == "predict" and "predict.tsv: lacks 1 of the 20 genes" in found["text"]


def test_a_cost_that_cannot_be_measured_is_not_known(tmp_path, caplog):
    automl = of_files(tmp_path)
    predictor = automl._session.model()
    gene = GENE_NAMES[int(np.argmin(predictor.importance))]
    (tmp_path / "x.tsv").unlink()
    with caplog.at_level("WARNING", "autogenome_tf"):
        found = ag.load(automl.folder).predict(logs(30, 2).drop(columns=gene))
    assert len(found) == 30 and "The effect on the scores is not known: " in caplog.text
