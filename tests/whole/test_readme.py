"""The README says what is true: its examples run, its tables are those of the guides."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from documents import GUIDES, README, block, blocks

import autogenome_tf  # noqa: F401 (the examples import it)
from autogenome_tf.run import artifacts

pytestmark = pytest.mark.usefixtures("few_learners")

QUICK = {
    "families": {"mlp": {"layers": 1, "units": 8}},
    "search": {"max_trials": 1, "epochs": 1},
    "training": {"epochs": 1},
}
LATENT = QUICK | {"families": {"resvae": {"latent": 2, "start_width": 8, "layers": 2}}}


def test_it_is_short():
    assert len(README.splitlines()) < 200


@pytest.mark.slow
def test_the_python_session_runs(tmp_path, monkeypatch, quick_config):
    monkeypatch.chdir(tmp_path)
    session = block(README, "python", "automl.export()")
    session = session.replace("configs/quickstart.json", str(quick_config))
    session = session.replace("runs/quickstart", str(tmp_path / "runs" / "quick"))
    names = {}
    exec(session, names)
    assert names["later"].predict().equals(names["automl"].predict())


@pytest.mark.slow
def test_the_estimator_is_cross_validated():
    text = block(README, "python", "cross_val_score")
    random = np.random.default_rng(0)
    names = {"X": random.normal(size=(40, 6)), "y": np.arange(40) % 2}
    names["X"][:, 0] += 4 * names["y"]
    exec(text.replace('["linear", "mlp"], max_trials=5', '["linear"], max_trials=1'), names)
    assert names["scores"].shape == (5,) and names["scores"].mean() > 0.8


@pytest.mark.slow
def test_cells_are_classified_and_get_a_latent_space(tmp_path, monkeypatch):
    anndata = pytest.importorskip("anndata")
    monkeypatch.chdir(tmp_path)
    text = block(README, "python", "ag.tl.classify")
    text = text.replace('"cell_type")', '"cell_type", QUICK)').replace("(adata)", "(adata, **FEW)")
    cells = np.random.default_rng(0).poisson(5, (60, 8)).astype("float32")
    obs = pd.DataFrame({"cell_type": np.array(["T", "B"])[np.arange(60) % 2]}, map(str, range(60)))
    adata = anndata.AnnData(cells, obs)
    exec(text, {"adata": adata, "QUICK": QUICK, "FEW": {"latent": 2, "config": LATENT}})
    (named,) = re.findall(r"# obs: (.*)", text)
    assert set(named.split(", ")) <= set(adata.obs)
    assert adata.obsm["X_resvae"].shape == (60, 2)


def test_the_files_are_those_of_a_run():
    named = re.findall(r"^\| `(.*?)` \|", README, re.M)
    assert len(named) == 8
    assert set(named) <= {artifact.name for artifact in artifacts.ARTIFACTS}


def test_the_results_are_those_of_the_guide():
    rows = re.findall(r"^\| [\w ,]+ \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", README, re.M)
    every = re.findall(r"^\| mean .*? \| (.*) \|$", GUIDES["results.md"], re.M)
    means = [line for line in every if line.count("|") == 4][:4]
    assert len(rows) == 5
    assert [" | ".join(column) for column in zip(*rows, strict=True)] == means


def test_every_guide_has_its_link():
    assert set(re.findall(r"\]\(tutorials/(\w+\.md)", README)) == set(GUIDES)


def test_the_smallest_config_names_three_files_keys_and_a_name():
    shown = json.loads(blocks(README, "json")[0])
    assert set(shown) == {"name", "data"} and len(shown["data"]) == 3


@pytest.fixture
def quick_config(tmp_path):
    pytest.importorskip("scanpy", reason="the example's data ships inside scanpy")
    data = {"features": "scanpy:pbmc68k_reduced", "target": "bulk_labels"}
    explanation = {"samples": 3, "background": 5}
    path = tmp_path / "quick.json"
    path.write_text(json.dumps({"name": "quick", "data": data, "explanation": explanation} | QUICK))
    return path
