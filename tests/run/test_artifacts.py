"""The table of a run's files: what reading, cleaning and documentation follow from."""

import pandas as pd
import pytest
from documents import GUIDES, between

from autogenome_tf import explainers
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.run import Run, artifacts


@pytest.fixture
def run(tmp_path):
    """A run in which the stages train and explain are done."""
    run = Run(tmp_path)
    run.write_text("config.json", '{"name": "t", "data": {"features": "x.tsv"}}')
    environment = {"versions": {}, "seed": 7, "began": "", "data": {}, "asked": [], "times": {}}
    run.write_json("environment.json", environment | {"stages": {"train": "", "explain": ""}})
    return run


def test_the_guide_shows_the_table():
    shown = between(GUIDES["run_folder.md"], "<!-- files of a run -->", "<!-- -->")
    assert shown == artifacts.markdown()


def test_names_come_once_and_stages_are_known():
    names = [artifact.name for artifact in artifacts.ARTIFACTS]
    assert len(set(names)) == len(names)
    known = {*artifacts.STAGES, artifacts.BEGIN, artifacts.ALWAYS}
    assert {artifact.stage for artifact in artifacts.ARTIFACTS} == known


def test_ids_stay_text_whatever_they_look_like(run):
    run.write_table("outer.tsv", pd.DataFrame({"sample": ["007", "NA"], "mean": [1.0, 2.0]}))
    assert list(run.read_table("outer.tsv")["sample"]) == ["007", "NA"]
    run.write_table("other.tsv", pd.DataFrame({"feature": ["007"]}))
    assert list(run.read_table("other.tsv")["feature"]) == [7]
    assert list(run.read_table("other.tsv", text=["feature"])["feature"]) == ["007"]


@pytest.mark.parametrize("content", [b"", b'a\tb\n1\t"2\n', b"a\n\xff\xfe\n", b"a\n1\n2\t3\t4\n"])
def test_a_damaged_table_is_named_with_a_way_out(run, content):
    run.path("leaderboard.tsv").write_bytes(content)
    with pytest.raises(
        InputError, match="(?s)leaderboard.tsv: not as a run .* delete the file and run the train"
    ):
        run.read_table("leaderboard.tsv")


def test_tables_of_explainers_are_in_the_table():
    assert set(explainers.further_tables()) <= set(artifacts.optional_files("explain"))


def test_a_repeated_stage_begins_without_what_it_may_not_write_again(run):
    for name in ("stability.tsv", "attributions.tsv", "gates.tsv", "mine.tsv", "other.tsv"):
        run.write_text(name, "feature\n")
    run.remove_optional("explain", ["mine.tsv"])
    assert [run.has(name) for name in ("stability.tsv", "mine.tsv")] == [False, False]
    assert all(run.has(name) for name in ("attributions.tsv", "gates.tsv", "other.tsv"))


def test_a_file_is_asked_for_by_its_stage(run):
    run.require("train")
    with pytest.raises(StageError, match="the evaluate stage is not done yet"):
        run.require("maps.tsv")
    with pytest.raises(StageError, match="no sets.tsv: this run, a classification, has none"):
        run.require("sets.tsv")
    with pytest.raises(StageError, match="no mine.tsv: this run"):
        run.require("mine.tsv")
    with pytest.raises(StageError, match="the report stage is not done yet"):
        run.require("report")
    with pytest.raises(StageError, match="the predict stage is not done yet"):
        run.require("mine.tsv", "predict")
    run.write_text("sets.tsv", "")
    run.require("sets.tsv")
