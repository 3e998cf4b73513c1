"""The table of a run's files: what reading, cleaning and documentation follow from."""

import numpy as np
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


AGAIN, ANEW = (
    "Run the evaluate stage again",
    "Put a copy of it back, or move this folder away and run its",
)
CUT = b"a\tb\n1\t2\n3"


@pytest.mark.parametrize(
    "content", [None, b"", b'a\tb\n1\t"2\n', b"a\n\xff\xfe\n", b"a\n1\n2\t3\t4\n", CUT]
)
@pytest.mark.parametrize(
    ("name", "way_out"), [("leaderboard.tsv", ANEW), ("coverage.tsv", AGAIN), ("mine.tsv", ANEW)]
)
def test_a_damaged_table_is_named_with_a_way_out(run, name, content, way_out):
    assert_refused(run, "read_table", name, content, way_out)


@pytest.mark.parametrize("content", [None, b"", b"\x80\x04hello", b"PK\x03\x04", CUT])
def test_a_damaged_archive_is_named_with_a_way_out(run, content):
    assert_refused(run, "read_arrays", "validation.npz", content, ANEW)
    run.write_arrays("validation.npz", outputs=np.arange(10))
    whole = run.path("validation.npz").read_bytes()
    assert_refused(run, "read_arrays", "validation.npz", whole[: len(whole) // 2], ANEW)
    # Bytes of the middle turned over.
    turned = whole[:60] + bytes(255 - byte for byte in whole[60:90]) + whole[90:]
    assert_refused(run, "read_arrays", "validation.npz", turned, ANEW)


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\x00"])
def test_damaged_json_is_named_with_a_way_out(run, content):
    assert_refused(run, "read_json", "metrics.json", content, AGAIN)


def test_a_folder_in_the_place_of_a_file_is_named(run):
    run.path("metrics.json").mkdir()
    with pytest.raises(InputError, match="metrics.json: a folder. Run the evaluate stage again"):
        run.read_json("metrics.json")


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_model_is_named_with_a_way_out(run, content):
    if content is not None:
        run.path("model.keras").write_bytes(content)
    with pytest.raises(InputError, match=f"(?s)model.keras: .*{ANEW}"):
        run.model_names()


def assert_refused(run, read, name, content, way_out):
    """Assert that one message names the file and what to do."""
    if content is not None:
        run.path(name).write_bytes(content)
    with pytest.raises(InputError, match=f"(?s){name}: .*{way_out}"):
        getattr(run, read)(name)


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
