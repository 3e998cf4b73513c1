"""Tables of a run that somebody has changed are refused by their name, with what is wrong."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.run import Run

FINISHED = Path(__file__).parents[1] / "whole" / "before" / "finished"


@pytest.fixture
def run(tmp_path):
    """Return a finished run of classes."""
    return Run(shutil.copytree(FINISHED / "classes", tmp_path / "classes"))


def test_predictions_keep_names_of_classes_that_look_like_numbers(run):
    frame = pd.read_csv(run.path("predictions.tsv"), sep="\t")
    run.write_table("predictions.tsv", frame.assign(target=1, prediction=1))
    assert set(run.predictions()["target"]) == set(run.predictions()["prediction"]) == {"1"}


@pytest.mark.parametrize("column", ["sample", "part", "target", "prediction", "p_"])
def test_a_report_names_the_columns_that_predictions_lack(run, column):
    frame = run.predictions()
    missing = [name for name in frame if name.startswith(column)]
    run.write_table("predictions.tsv", frame.drop(columns=missing))
    with pytest.raises(InputError, match=r"predictions\.tsv: .*missing: .*Run predict") as caught:
        ag.load(run.folder).report()
    assert all(repr(name) in str(caught.value) for name in missing)
