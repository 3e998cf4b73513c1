"""The page that people read: whole, true, alone, and harmless whatever genes are called."""

import html.parser
import json
import re
import shutil
import subprocess
import types
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from dropped import folders_alone

import autogenome_tf as ag
from autogenome_tf import cli, tasks
from autogenome_tf.core import errors
from autogenome_tf.core.files import on_a_line
from autogenome_tf.report import _genes, _search, _warnings, report
from autogenome_tf.report._model import latent_scores
from autogenome_tf.run._run import Run

pytestmark = [pytest.mark.usefixtures("few_learners"), pytest.mark.figures]

HOSTILE = [
    "<script>alert(1)</script>", '"quoted" & \'quoted\'', "$\\frac{1}{0}$ costs $", "=1+1",
    "line\nbreak\ttab", "nul\x01", "../../etc/passwd", "NA", "x" * 10_000, "Ünïcödé 基因",
    "=cmd|' /C calc'!A0", "+1-1", "-2+3", "@SUM(A1)", "/", "a\\b",
]  # fmt: skip
KEYS = ("value", "low", "high")
VOID = {"meta", "link", "br", "img"}
SMALL = {
    "families": {"mlp": {"layers": 1, "units": 8}},
    "search": {"max_trials": 1, "epochs": 3, "folds": 2}, "training": {"epochs": 3},
    "explanation": {"samples": 6, "background": 10, "top": 4}, "output": {"figures": False},
}  # fmt: skip


class Page(html.parser.HTMLParser):
    """The words, tags and addresses of a page; open tags must be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.addresses, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [v for k, v in attributes if k in ("src", "href", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(folder):
    """The page of a run."""
    return Page((folder / "report.html").read_text("utf-8"))


def rows(count=60, genes=12, seed=0):
    """Genes of which the first tells the class."""
    values = np.random.default_rng(seed).normal(size=(count, genes))
    names = [f"gene_{gene}" for gene in range(genes)]
    frame = pd.DataFrame(values, [f"s{row}" for row in range(count)], names)
    labels = np.where(values[:, 0] > 0, "high", "low")
    return frame, pd.Series(labels, frame.index, name="kind")


@pytest.fixture(scope="module")
def classified(tmp_path_factory):
    """A whole run of a classification."""
    config = SMALL | {"name": "kinds", "output_dir": str(tmp_path_factory.mktemp("runs"))}
    automl = ag.AutoGenome(config, data=rows())
    automl.run()
    return automl


def test_a_model_that_was_moved_to_a_server_is_not_missed(classified, tmp_path):
    folder = tmp_path / "kinds"
    shutil.copytree(classified.folder, folder, ignore=shutil.ignore_patterns("saved_model"))
    page = page_of(ag.load(folder).report().parent)
    assert "saved_model/ holds no version any more" in page.text


@pytest.mark.parametrize("content", [b"", b"a\tb\nb", b"\ttumour\ntumour\tx\n", b"\xff\xfe"])
def test_a_damaged_confusion_matrix_is_named_with_a_way_out(classified, tmp_path, content):
    folder = tmp_path / "kinds"
    shutil.copytree(classified.folder, folder)
    (folder / "confusion_matrix.tsv").write_bytes(content)
    with pytest.raises(errors.InputError, match="confusion_matrix.tsv: .* Run the evaluate stage"):
        ag.load(folder).report()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A run whose genes, classes, samples and columns have the worst of names."""
    frame, _ = rows(genes=len(HOSTILE))
    frame.columns = HOSTILE
    frame.index = [f"{name[:200]}{row}" for row, name in enumerate((HOSTILE * 6)[:60])]
    classes = [HOSTILE[0], HOSTILE[2], HOSTILE[8], HOSTILE[10]]
    kinds = [classes[row % len(classes)] for row in range(60)]
    labels = pd.Series(kinds, frame.index, name=f"{HOSTILE[1]} kind")
    config = SMALL | {"name": "hostile", "output_dir": str(tmp_path_factory.mktemp("runs"))}
    config["explanation"] = config["explanation"] | {"top": len(HOSTILE)}
    automl = ag.AutoGenome(config | {"output": {"figures": True}}, data=(frame, labels))
    automl.run()
    return automl


def test_every_part_is_there_and_says_what_the_files_say(classified):
    page, folder = page_of(classified.folder), classified.folder
    metrics = json.loads((folder / "metrics.json").read_text())
    baseline = json.loads((folder / "baseline.json").read_text())
    for found in (metrics["validation"]["log_loss"], baseline["validation"]["log_loss"]):
        assert f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in page.text
    apart = baseline["validation"]["log_loss"]["difference"]
    assert f"{apart['value']:+.3f} ({apart['low']:+.3f} to {apart['high']:+.3f})" in page.text
    value, low, high = (f"{100 * metrics['test']['accuracy'][k]:.1f}" for k in KEYS)
    headline = f"Accuracy on 12 held-out samples: {value} % (95 % interval {low} to {high})"
    assert headline in page.text
    value, low, high = (f"{100 * baseline['test']['accuracy'][k]:.1f}" for k in KEYS)
    assert f"{value} % ({low} to {high})" in page.text
    predicted = pd.read_csv(folder / "predictions.tsv", sep="\t")
    novel = (predicted.loc[predicted["part"] == "test", "novelty_p"] < 0.01).sum()
    assert (
        f"Unlike all training samples (novelty_p in predictions.tsv below 0.01): {novel} of 12"
        in (page.text)
    )
    assert ("Do not trust their predictions" in page.text) == (novel > 0)
    for title in ("Summary", "Samples", "Search", "Scores", "Genes", "Serving"):
        assert title in page.words
    assert "60 samples x 12 genes" in page.text and "Which kind does a sample have" in page.text
    board = pd.read_csv(folder / "leaderboard.tsv", sep="\t")
    assert all(f"{score:.4f}" in page.words for score in board["score"])
    assert "autogenome-tf run config.json" in page.words
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["versions"]["keras"] in page.words
    assert "report" in environment["stages"]
    # Search, training, confusion matrix, two curves, calibration, importance, two classes.
    assert page.tags.count("svg") == 9


def test_classes_are_scored_one_by_one(classified):
    import sklearn.metrics

    page = page_of(classified.folder)
    frame = classified.predict().query("part == 'test'")
    for name in ("high", "low"):
        is_it = frame["target"] == name
        expected = [
            sklearn.metrics.recall_score(is_it, frame["prediction"] == name),
            sklearn.metrics.precision_score(is_it, frame["prediction"] == name),
        ]
        area = sklearn.metrics.roc_auc_score(is_it, frame[f"p_{name}"])
        told = f"{name} {is_it.sum()} {expected[0]:.3f} {expected[1]:.3f}"
        assert told in page.text and f"{area:.3f}" in page.words


def test_the_page_needs_no_network_no_script_and_no_other_file(classified):
    text = (classified.folder / "report.html").read_text("utf-8")
    page = Page(text)
    assert all(a.startswith(("#", "data:image/png;base64,")) for a in page.addresses)
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(page.tags)
    assert not re.search(r"url\((?!#)|@import", text)
    assert "default-src 'none'" in text


def test_pictures_are_drawings_whose_parts_are_told_apart(classified):
    text = (classified.folder / "report.html").read_text("utf-8")
    drawn = re.findall(r"<svg.*?</svg>", text, flags=re.S)
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names))
    for one in drawn:
        root = ElementTree.fromstring(one)
        own = {element.get("id") for element in root.iter()}
        links = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', one)
        assert {first or second for first, second in links} <= own
        assert root.get("viewBox") and "--width" in root.get("style")


def test_the_same_run_gives_the_same_page(classified):
    before = report(Run(classified.folder)).read_bytes()
    assert report(Run(classified.folder)).read_bytes() == before


def test_a_page_of_training_alone_is_whole(classified, tmp_path, capsys):
    folder = shutil.copytree(classified.folder, tmp_path / "copy")
    left = ("config.json", "environment.json", "split.tsv", "leaderboard.tsv", "history.tsv",
            "model.keras", "validation.npz", "warnings.json", "data.npz", "log.txt")  # fmt: skip
    for path in folder.iterdir():
        if path.name not in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert cli.main(["report", str(folder), "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "report.html")
    page = page_of(folder)
    assert "Scores" not in page.words and page.tags.count("svg") == 2


def test_names_are_shown_and_harmless(hostile):
    text = (hostile.folder / "report.html").read_text("utf-8")
    page = Page(text)
    assert "script" not in page.tags
    for name in HOSTILE:
        assert " ".join(on_a_line(name).split()) in page.text
    assert "x" * 200 not in text and not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
    for drawn in re.findall(r"<svg.*?</svg>", text, flags=re.S):
        ElementTree.fromstring(drawn)
    assert list((hostile.folder / "plots").glob("*.png"))


def test_a_gene_called_na_keeps_its_name(hostile):
    run = Run(hostile.folder)
    assert set(run.read_table("attributions.tsv")["feature"]) == set(HOSTILE)
    assert set(run.read_table("predictions.tsv", text=["target"])["target"]) <= set(HOSTILE)


def test_tables_give_names_back_as_they_were(hostile):
    """Formula signs too: tables are read by programs, this one first."""
    run, samples = (
        Run(hostile.folder),
        [f"{n[:200]}{row}" for row, n in enumerate((HOSTILE * 6)[:60])],
    )
    assert sorted(run.read_table("predictions.tsv")["sample"]) == sorted(samples)
    assert sorted(run.read_table("split.tsv")["sample"]) == sorted(samples)
    assert set(run.read_table("effects.tsv")["feature"]) <= set(HOSTILE)
    again = ag.load(hostile.folder).predict()
    assert sorted(again["sample"]) == sorted(samples)


def test_names_lead_nowhere(hostile):
    """Files are called by letters that mean nothing, in the folder and its own folders."""
    found = [path.relative_to(hostile.folder) for path in hostile.folder.rglob("*")]
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]{1,200}", str(path)) for path in found)
    own = {"plots", "saved_model", "search"}
    assert {path.parts[0] for path in found if len(path.parts) > 1} <= own
    assert {path.name for path in hostile.folder.parent.iterdir()} <= {"hostile", ".lock"}


def test_what_is_to_be_doubted_stands_at_the_top(tmp_path):
    frame, labels = rows()
    frame.iloc[40:] = frame.iloc[:20].to_numpy()
    labels.iloc[40:] = labels.iloc[:20].to_numpy()
    config = SMALL | {"name": "leak", "output_dir": str(tmp_path)}
    config |= {"families": {"linear": {"loss": "logistic", "l2": 0.01}},
               "explanation": {"samples": 2, "top": 2}}  # fmt: skip
    automl = ag.AutoGenome(config, data=(frame, labels))
    automl.train()
    automl.evaluate()
    page = page_of(automl.report().parent)
    assert "held-out rows equal a training row in every gene" in page.text
    assert "The final model is itself linear" in page.text
    warnings = json.loads((automl.folder / "warnings.json").read_text())
    assert {"duplicates", "scores"} <= {warning["about"] for warning in warnings}
    assert all(page.text.count(warning["text"]) == 1 for warning in warnings)
    assert all(warning["text"] in (automl.folder / "log.txt").read_text() for warning in warnings)


def test_classes_that_are_in_every_prediction_set_are_named():
    from autogenome_tf.report._scores import _in_every_set

    fit = {"coverage": [0.8, 0.9], "kept": [[0.5] * 9, [0.5] * 8]}
    said = _in_every_set(["common", "rare"], fit)
    assert said.endswith(
        "fewer than 9 training samples cannot be excluded, so it is in every set: rare."
    )
    assert _in_every_set(["common", "rare"], fit | {"coverage": [0.8]}) == ""


def test_a_score_that_is_chance_or_perfect_is_said():
    from autogenome_tf.report._warnings import _of_scores

    def scores(low, value, high):
        told = {"value": value, "low": low, "high": high}
        return {"test": {"mcc": told, "log_loss": told}}

    (chance,) = _of_scores(scores(-0.1, 0.2, 0.4), tasks.Classification, "log_loss", {"test": 12})
    assert "may be that of guessing" in chance
    half = {"test": {"concordance": {"value": 0.6, "low": 0.45, "high": 0.7}}}
    (chance,) = _of_scores(half, tasks.Survival, "partial_log_likelihood", {"test": 12})
    assert "may be that of guessing: its interval includes 0.5" in chance
    (perfect,) = _of_scores(scores(1.0, 1.0, 1.0), tasks.Classification, "log_loss", {"test": 12})
    assert "perfect" in perfect and "the accuracy may be as low as 76\u00a0%" in perfect
    (perfect,) = _of_scores(scores(0.9, 1.0, 1.0), tasks.Classification, "log_loss", {"test": 12})
    assert "as low as" not in perfect
    assert not list(
        _of_scores(scores(0.3, 0.5, 0.7), tasks.Classification, "log_loss", {"test": 12})
    )
    worse = scores(0.8, 0.9, 1.0) | {"validation": scores(0.1, 0.2, 0.3)["test"]}
    (apart,) = _of_scores(worse, tasks.Classification, "log_loss", {"test": 12})
    assert "worse than the interval" in apart
    assert not list(_of_scores(worse, tasks.Classification, "mcc", {"test": 12}))


@pytest.mark.parametrize("named", [True, False])
def test_a_better_linear_model_is_said_with_what_can_be_done(named):
    from autogenome_tf.report._warnings import _of_baseline

    worse = {"value": -0.2, "low": -0.3, "high": -0.1}
    families = {"mlp": {}} | ({"linear": {}} if named else {})
    (said,) = _of_baseline({"test": {"mcc": {"difference": worse}}}, tasks.Classification, families)
    assert "a linear model is better" in said
    assert ("Add linear to families" in said) is not named


@pytest.mark.parametrize(
    ("low", "high", "apart", "verdict"),
    [
        (-0.1, 0.4, (0.1, 0.2), "may be no better than guessing."),
        (0.1, 0.4, (0.1, 0.2), "better than guessing and better than a linear model"),
        (0.1, 0.4, (-0.1, 0.2), "but not clearly different from a linear model"),
        (0.1, 0.4, (-0.2, -0.1), "but a linear model is better still (by balanced accuracy)."),
    ],
)
def test_the_verdict_follows_the_intervals(classified, tmp_path, low, high, apart, verdict):
    run = Run(shutil.copytree(classified.folder, tmp_path / "copy"))
    scores, linear = run.read_json("metrics.json"), run.read_json("baseline.json")
    scores["test"]["mcc"] = {"value": 0.2, "low": low, "high": high}
    changed = dict(zip(KEYS, (0.1, *apart), strict=True))
    linear["test"]["balanced_accuracy"]["difference"] = changed
    for name, content in (("metrics.json", scores), ("baseline.json", linear)):
        run.path(name).write_text(json.dumps(content))
    report(run)
    assert verdict in page_of(run.folder).text


@pytest.mark.parametrize("power", [None, 0.0, 2.0])
def test_gene_power_is_said_beside_the_ranking(power):
    values = {"l2": 0.1} if power is None else {"l2": 0.1, "gene_power": power}
    tables = {
        "leaderboard.tsv": pd.DataFrame({"trial": [0, 3], "hyperparameters": json.dumps(values)}),
        "history.tsv": pd.DataFrame({"trial": [3, 3]}),
    }
    said = " ".join(_genes._weighed(types.SimpleNamespace(read_table=tables.get)))
    assert ("with gene power (2)" in said) == bool(power) and bool(said) == bool(power)


@pytest.mark.slow
@pytest.mark.parametrize("folds", [1, 2])
def test_a_regression_has_a_page(tmp_path, folds):
    frame, _ = rows()
    targets = pd.DataFrame({"IC50 <a>": frame["gene_0"], "b & c": frame["gene_1"] * 1000})
    config = SMALL | {"name": "r", "output_dir": str(tmp_path), "task": {"type": "regression"}}
    config["search"] = config["search"] | {"folds": folds}
    config["data"] = {"split": {"test": 0.0, "validation": 0.3}}
    automl = ag.AutoGenome(config, data=(frame, targets))
    automl.run()
    page = page_of(automl.folder)
    assert (
        "How large is IC50 <a> and b & c" in page.text and "No test part was held out" in page.text
    )
    assert "Each target in the validation part." in page.words
    assert {"true IC50 <a>", "predicted b & c"} <= set(page.words)


@pytest.mark.slow
def test_a_representation_has_a_page(tmp_path):
    frame, labels = rows()
    config = {key: SMALL[key] for key in ("explanation", "output", "training")}
    config |= {"name": "z", "output_dir": str(tmp_path), "task": {"type": "representation"}}
    config |= {"families": {"resvae": {"latent": 2, "layers": 1, "start_width": 8}}}
    config["search"] = {"max_trials": 1, "epochs": 2}
    automl = ag.AutoGenome(config, data=(frame, labels))
    automl.run()
    page = page_of(automl.folder)
    assert "Latent space" in page.words and "principal components" in page.words
    assert "Scores" not in page.words
    assert ag.plots.latent_space(automl).axes


@pytest.mark.parametrize(
    ("likelihood", "is_judged"), [("gaussian", True), ("negative_binomial", False)]
)
def test_explained_variance_judges_the_latent_spaces_of_gaussians_alone(likelihood, is_judged):
    run = types.SimpleNamespace(model_names=lambda: {"autoencoder": {"likelihood": likelihood}})
    worse, better = ({"value": v, "low": v - 0.1, "high": v + 0.1} for v in (0.2, 0.8))
    scores = {"test": {"explained": worse, "pca_explained": better}}
    assert bool([*_warnings._of_latent(scores, latent_scores(run))]) == is_judged
    scores["test"] |= {"knn_accuracy": worse, "pca_knn_accuracy": better}
    assert len([*_warnings._of_latent(scores, latent_scores(run))]) == 1 + is_judged


def test_the_page_is_drawn_by_a_browser(hostile, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no chromium on this machine")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr", "--dump-dom", (hostile.folder / "report.html").as_uri(),
    ]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "Repeat it" in told.stdout and told.stdout.count("<svg") > 5
    assert "CONSOLE" not in told.stderr, told.stderr


FROM_RUN = {
    "calibration": {}, "confusion_matrix": {}, "importance_bar": {"output": "high"},
    "importance_dot": {"output": "low", "top": 2}, "importance_total": {},
    "importance_violin": {"output": "low"}, "learning_curves": {}, "precision_recall_curves": {},
    "roc_curves": {}, "search_progress": {},
}  # fmt: skip


@pytest.mark.parametrize("name", FROM_RUN)
def test_a_figure_takes_a_run_its_folder_or_its_automl(classified, name):
    draw, options = getattr(ag.plots, name), FROM_RUN[name]
    pictures = {
        draw(source, **options)._repr_png_()
        for source in (
            classified,
            classified.folder,
            str(classified.folder),
            Run(classified.folder),
        )
    }
    assert len(pictures) == 1


def test_the_front_of_size_against_score_is_a_table():
    run = types.SimpleNamespace(has=lambda file: True, config=lambda: ag.Config.of({"name": "t"}))
    lines = {"arc": ["[0, 1, 1]"], "shared_score": [0.25], "parameters": [12345]}
    run.read_table = lambda file: pd.DataFrame(lines)
    (table,) = _search._front(run)
    assert table.rows == [["12,345", "0.2500", "[0, 1, 1]"]]
    assert "log loss with shared weights" in table.head[1].lower()
    run.has = lambda file: False
    assert _search._front(run) == []


def test_contributions_of_decisions_are_a_table_that_says_how_far_to_trust_it():
    run = types.SimpleNamespace(has=lambda file: True)
    lines = {"decision": ["dropout", "skip_1_3", "interactions"], "share": [0.5, 0.2, 0.3]}
    for known, said in ((0.62, "explains 62 % of scores it has not seen"), (-0.1, "noise")):
        run.read_table = lambda *_, known=known: pd.DataFrame(lines | {"forest_r2": known})
        (table,) = _search._contributions(run)
        assert table.rows == [
            ["dropout", "50.0 %"],
            ["skip_1_3", "20.0 %"],
            ["interactions", "30.0 %"],
        ]
        assert said in table.caption
    run.read_table = lambda *_: pd.DataFrame(lines | {"share": float("nan"), "forest_r2": 0.0})
    assert _search._contributions(run) == []


def test_every_figure_can_be_drawn_from_a_run():
    others = {"importance_sets", "imputation", "latent_space", "predicted_vs_true", "shared_search"}
    others |= {"size_front", "sample_size"}
    others |= {"variance_by_order", "brier_curve", "kaplan_meier_curves", "survival_calibration"}
    # A figure that another process drops in would be one more.
    with folders_alone():
        assert set(FROM_RUN) | others == set(ag.plots.names()) <= set(ag.plots.__all__)


def test_a_figure_that_a_run_does_not_have_is_refused(classified, tmp_path):
    with pytest.raises(errors.InputError, match="unknown name 'hihg'.*Did you mean 'high'"):
        ag.plots.importance_dot(classified, output="hihg")
    with pytest.raises(errors.InputError, match="not a run folder"):
        ag.plots.roc_curves(tmp_path)
    with pytest.raises(TypeError, match="by name"):
        ag.plots.importance_dot(classified, "high")
    with pytest.raises(errors.StageError, match="a classification, has none"):
        ag.plots.latent_space(classified)
    with pytest.raises(errors.InputError, match="regression"):
        ag.plots.predicted_vs_true(classified)
    (tmp_path / "config.json").write_text((classified.folder / "config.json").read_text())
    parts = ("versions", "data", "stages", "times")
    (tmp_path / "environment.json").write_text(
        json.dumps({"began": "", "seed": 1, "asked": []} | dict.fromkeys(parts, {}))
    )
    with pytest.raises(errors.StageError, match="the explain stage is not done yet"):
        ag.plots.importance_dot(tmp_path, output="high")


@pytest.mark.slow
@pytest.mark.parametrize(
    "classes", [["true", "total", "rank", "part", "_a"], ["status", "feature", "10", "9"]]
)
def test_classes_may_be_called_as_columns_are(tmp_path, classes):
    frame, _ = rows()
    labels = pd.Series(
        [classes[row % len(classes)] for row in range(60)], frame.index, name="prediction"
    )
    config = SMALL | {"name": "t", "output_dir": str(tmp_path)}
    automl = ag.AutoGenome(config, data=(frame, labels))
    automl.run()
    page = page_of(automl.folder)
    assert all(page.words.count(name) > 3 for name in classes)
    said = ag.plots.roc_curves(automl).legends[0].get_texts()
    assert sorted(text.get_text().split(" (")[0] for text in said) == sorted(classes)
    total = ag.plots.importance_total(automl).legends[0].get_texts()
    assert sorted(text.get_text() for text in total) == sorted(classes)


@pytest.mark.parametrize("label", ["a\rb", "a\0b"])
def test_labels_that_no_table_can_hold_are_refused(tmp_path, label):
    frame, labels = rows()
    labels.iloc[3] = label
    config = SMALL | {"name": "t", "output_dir": str(tmp_path)}
    with pytest.raises(errors.InputError, match="kind.* no carriage"):
        ag.AutoGenome(config, data=(frame, labels)).train()


@pytest.mark.slow
def test_rows_to_predict_may_repeat_ids_where_nothing_is_held_out(tmp_path):
    frame, labels = rows()
    frame.to_csv(tmp_path / "x.csv")
    labels.to_csv(tmp_path / "y.csv", index_label="sample")
    frame.iloc[:5].to_csv(tmp_path / "new.csv")
    files = {"features": "x.csv", "targets": "y.csv", "target": ["kind"], "predict": "new.csv"}
    data = {
        name: file if name == "target" else str(tmp_path / file) for name, file in files.items()
    }
    config = SMALL | {"name": "t", "output_dir": str(tmp_path)}
    automl = ag.AutoGenome(config | {"data": data | {"split": {"test": 0.0}}})
    automl.run()
    assert "Which kind does a sample have" in page_of(automl.folder).text


@pytest.mark.slow
def test_another_explanation_takes_what_belongs_to_the_last(classified, tmp_path):
    automl = ag.load(shutil.copytree(classified.folder, tmp_path / "copy"))
    automl.explain(interactions=2, samples=3)
    assert (automl.folder / "interactions.tsv").exists()
    automl.explain(method="knockout", samples=3)
    assert not (automl.folder / "interactions.tsv").exists()
    automl.report()
    page = page_of(automl.folder)
    assert (
        "where the gene is not expressed" in page.text and "Interactions of genes" not in page.words
    )


def test_figures_keep_words_that_look_like_ids(tmp_path):
    counts = pd.DataFrame(np.eye(2, dtype=int), ['a id="x"', "url(#p)"], ['a id="x"', "url(#p)"])
    drawn = ag.plots.svg(ag.plots.confusion_matrix(counts), "n")
    words = [text.text for text in ElementTree.fromstring(drawn).iter() if text.text]
    assert words.count('a id="x"') == 2 and words.count("url(#p)") == 2


def test_a_frame_with_a_column_called_folder_is_a_frame():
    counts = pd.DataFrame(np.eye(2, dtype=int), ["folder", "b"], ["folder", "b"])
    assert ag.plots.confusion_matrix(counts).axes
