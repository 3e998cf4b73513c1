"""Every config that comes with the project is accepted and runs."""

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest

from autogenome_tf import cli, families
from autogenome_tf.automl import AutoGenome
from autogenome_tf.config._config import SCANPY_PREFIX, Config
from autogenome_tf.config._json import read_json

pytestmark = pytest.mark.usefixtures("few_learners")
CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.json"))
SHORT = ("search.max_trials=1", "search.epochs=1", "training.epochs=1", "search.enas.updates=1",
         "search.enas.samples=2", "search.enas.candidates=4",
         "explanation.samples=3", "explanation.background=5")  # fmt: skip


each_config = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
# Runs of the others take about ten seconds each.
SOON = ("linear", "regression")
RUNS = [pytest.param(path, marks=() if path.stem in SOON else pytest.mark.slow, id=path.stem)
        for path in CONFIGS]  # fmt: skip


def test_there_are_configs():
    assert "quickstart" in [path.stem for path in CONFIGS]


@each_config
def test_a_config_is_accepted(path):
    spaces = families.spaces(Config.load(path))
    assert spaces and all(spaces.values())


@each_config
def test_the_schema_of_editors_accepts_a_config(path, capsys):
    assert cli.main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    given = read_json(path)
    jsonschema.validate(given, schema)
    with pytest.raises(jsonschema.ValidationError, match="max_trial'"):
        jsonschema.validate(given | {"search": {"max_trial": 3}}, schema)


@pytest.mark.parametrize("path", RUNS)
def test_a_config_runs(path, tmp_path):
    config = Config.load(path, SHORT)
    if config.data.features.startswith(SCANPY_PREFIX) and not importlib.util.find_spec("scanpy"):
        pytest.skip("its data set comes with scanpy, which is not installed")
    automl = AutoGenome(config.model_copy(update={"output_dir": str(tmp_path)}))
    automl.run()
    assert json.loads((automl.folder / "metrics.json").read_text())["test"]
    is_latent = config.task.type == "representation"
    assert (automl.folder / ("latent.tsv" if is_latent else "predictions.tsv")).is_file()
    # The baseline and one trial, beside further linear learners; a representation has no baseline.
    networks = set(config.families) - {"linear"}
    board = automl.train()
    learners = board[(board["family"] == "linear") & (board["trial"] > 0)]
    assert bool(len(learners)) == ("linear" in config.families)
    assert len(board) - len(learners) == (not is_latent) + bool(networks)
