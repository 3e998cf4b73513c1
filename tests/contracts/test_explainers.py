"""What every explainer promises, and that a file dropped into `explainers/` is one."""

import ast
import inspect
import json

import keras
import numpy as np
import pandas as pd
import pytest
from dropped import dropped

import autogenome_tf as ag
from autogenome_tf import cli, explainers
from autogenome_tf.config._config import Config
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.open_sets import declared
from autogenome_tf.explainers import Explainer

NAME = "occluded"
DROPPED = '''
"""Occlusion: what an output loses when a gene has its mean over the background."""

import numpy as np
import pandas as pd

from autogenome_tf.explainers import Explainer


class Occlusion(Explainer):
    """Attribute to each gene the change of the output where its value is a mean."""

    summary = "what an output loses when the gene has its mean"
    compared_with = "the gene's mean over training samples"
    tolerance = None
    tables = ("occlusion.tsv",)

    def attribute(self, network, rows, background):
        """Replace one gene at a time."""
        before, found = np.asarray(network(rows)), []
        for gene, mean in enumerate(background.mean(axis=0)):
            without = rows.copy()
            without[:, gene] = mean
            found.append(before - np.asarray(network(without)))
        return np.stack(found, axis=1)

    def further_tables(self, model):
        """List the genes."""
        return {"occlusion.tsv": pd.DataFrame({"gene": model.features})}
'''
ATTRIBUTES = ("summary", "compared_with", "tolerance", "auto_order", "serves_interactions",
              "tables")  # fmt: skip
each_explainer = pytest.mark.parametrize("name", explainers.names())


@pytest.fixture
def file():
    """An explainer's file in the folder."""
    with dropped("explainers", NAME, DROPPED) as path:
        yield path


@pytest.fixture
def config(tmp_path):
    """A config of 40 rows that asks for the dropped explainer."""
    values = np.random.default_rng(0).normal(size=(40, 5))
    rows = [f"s{row}" for row in range(40)]
    frame = pd.DataFrame(values, rows, [f"gene{gene}" for gene in range(5)])
    labels = np.where(values[:, 0] > 0, "high", "low")
    frame.assign(kind=labels).to_csv(tmp_path / "x.tsv", sep="\t", index_label="sample")
    asked = {
        "name": "dropped", "output_dir": str(tmp_path / "runs"),
        "data": {"features": str(tmp_path / "x.tsv"), "target": "kind"},
        "families": {"mlp": {"layers": 1, "units": 4}},
        "search": {"max_trials": 1, "epochs": 1, "folds": 1}, "training": {"epochs": 2},
        "explanation": {"method": NAME, "samples": 4, "background": 9,
                        "interactions": {"genes": 3, "method": NAME, "null": 0}},
        "output": {"figures": False},
    }  # fmt: skip
    path = tmp_path / "config.json"
    path.write_text(json.dumps(asked))
    return path


def test_a_file_dropped_in_is_an_explainer_for_config_check_stage_and_report(file, config):
    assert cli.main(["check", str(config)]) == 0
    automl = ag.AutoGenome(str(config))
    assert automl.config.explanation.method == NAME
    automl.run(["train", "explain", "report"])
    folder = automl.folder
    genes = pd.read_csv(folder / "occlusion.tsv", sep="\t")["gene"]
    assert list(genes) == automl._session.model().features
    assert len(pd.read_csv(folder / "interactions.tsv", sep="\t")) == 3
    with np.load(folder / "attributions.npz") as found:
        assert str(found["method"]) == NAME and np.abs(found["values"]).max() > 0
    page = (folder / "report.html").read_text("utf-8")
    assert f"by the method {NAME}, compared with the gene&#39;s mean over training samples" in page
    assert (
        f"explanation: {NAME} of 4 rows against the gene's mean" in (folder / "log.txt").read_text()
    )
    # Another explanation leaves no table of this one.
    assert cli.main(["explain", str(folder), "--method", "knockout"]) == 0
    assert not (folder / "occlusion.tsv").exists()


def test_the_schema_names_and_describes_a_dropped_explainer(file, capsys):
    assert cli.main(["schema"]) == 0
    known = json.loads(capsys.readouterr().out)["$defs"]
    for section in ("Explanation", "Interactions"):
        assert NAME in known[section]["properties"]["method"]["enum"]
    told = known["Explanation"]["properties"]["method"]["description"]
    assert f"`{NAME}`, what an output loses when the gene has its mean" in told


def test_without_the_file_the_method_is_unknown_to_check(config, capsys):
    assert cli.main(["check", str(config)]) == 2
    said = capsys.readouterr().err
    assert "explanation.method: expected 'auto', 'deep_shap'" in said and NAME in said


def test_one_that_measures_no_interactions_is_refused_by_the_config(file):
    file.write_text(DROPPED.replace("tolerance = None", "serves_interactions = False"))
    asked = {"name": "t", "explanation": {"interactions": {"method": NAME}}}
    with pytest.raises(InputError, match="explanation.interactions.method: expected .*received"):
        Config.of(asked)
    asked["explanation"] = {"method": NAME}
    assert Config.of(asked).explanation.method == NAME


def test_what_the_dropped_file_imports_is_public():
    for node in ast.walk(ast.parse(DROPPED)):
        if isinstance(node, ast.ImportFrom):
            assert "._" not in f".{node.module}"
            assert all(name.name in explainers.__all__ for name in node.names)


def test_a_file_without_a_class_is_an_error_that_names_it(file):
    file.write_text('"""Nothing."""\n')
    with pytest.raises(InputError, match=rf"{NAME}\.py: expected a class derived from Explainer"):
        explainers.member(NAME)


@each_explainer
def test_an_explainer_says_what_it_is(name):
    explainer = explainers.member(name)
    assert isinstance(explainer, Explainer) and inspect.getdoc(type(explainer))
    assert explainer.summary and not explainer.summary.endswith(".")
    assert explainer.tolerance is None or 0 < explainer.tolerance < 0.1


@each_explainer
def test_what_is_read_without_importing_is_what_the_class_has(name):
    explainer, read = explainers.member(name), declared("explainers")[name]
    assert {key: getattr(explainer, key) for key in ATTRIBUTES} == {
        key: read[key] for key in ATTRIBUTES
    }


@pytest.mark.parametrize("name", [n for n in explainers.names() if n != "epistasis"])
def test_every_explainer_gives_a_value_for_each_gene_and_output(name):
    genes = keras.Input((6,))
    hidden = keras.layers.Activation("tanh")(keras.layers.Dense(5)(genes))
    network = keras.Model(genes, keras.layers.Dense(3)(hidden))
    rows = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    found = explainers.member(name).attribute(network, rows, rows + 1)
    assert found.shape == (4, 6, 3) and found.dtype == "float32" and np.isfinite(found).all()
