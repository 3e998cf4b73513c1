"""What every figure promises, and that a file dropped into `plots/` is one."""

import ast
import inspect

import numpy as np
import pandas as pd
import pytest
from dropped import dropped, folders_alone

import autogenome_tf as ag
from autogenome_tf import plots, tasks
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.plots import Figure

pytestmark = [pytest.mark.usefixtures("few_learners"), pytest.mark.figures]

NAME = "margins"
DROPPED = '''
"""Histogram of the highest probability of each row."""

import numpy as np

from autogenome_tf.plots import PALETTE, Figure, blank


class Margins(Figure):
    """Draw how sure the predictions of a run are."""

    stage = "predict"
    files = ("predictions.tsv",)
    of_tasks = "has_classes"
    place = "predictions"
    caption = "Rows by the probability of their prediction."

    def read(self, run):
        """Return the highest probability of each row."""
        table = run.read_table("predictions.tsv")
        columns = [name for name in table if name.startswith("p_")]
        return {"highest": table[columns].to_numpy().max(axis=1)}

    def draw(self, highest, *, bins=10):
        """Draw a histogram."""
        figure, ((panel,),) = blank(4, 3)
        panel.hist(highest, bins=bins, color=PALETTE[0])
        panel.set_xlabel("how sure")
        return figure
'''
each_figure = pytest.mark.parametrize("name", plots.names())


@pytest.fixture
def file():
    """A figure's file in the folder."""
    with dropped("plots", NAME, DROPPED) as path:
        yield path


def of(folder, kind):
    """A run of 40 rows whose first gene tells the target."""
    values = np.random.default_rng(0).normal(size=(40, 5))
    frame = pd.DataFrame(values, columns=[f"gene{gene}" for gene in range(5)])
    targets = {
        "has_classes": np.where(values[:, 0] > 0, "high", "low"),
        "has_units": values[:, 0],
        "has_times": pd.DataFrame({"time": np.exp(values[:, 0]), "event": values[:, 1] > -1}),
        "is_of_several": pd.DataFrame(
            {"level": np.where(values[:, 0] > 0, "high", "low"), "value": values[:, 1]}
        ),
    }
    targets = next(own for name, own in targets.items() if getattr(tasks.kind_of(kind), name))
    config = {
        "name": kind, "output_dir": str(folder), "task": {"type": kind},
        "families": {"linear": {"l2": 0.1}}, "search": {"max_trials": 1, "epochs": 1},
        "training": {"epochs": 2}, "explanation": {"samples": 3, "background": 5, "top": 3},
    }  # fmt: skip
    return ag.AutoGenome(config, data=(frame, targets))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of all stages but the report of each kind of task that has targets."""
    made = {kind: of(tmp_path_factory.mktemp("runs"), kind) for kind in tasks.types("has_targets")}
    # A figure that another process drops in would be drawn too.
    with folders_alone():
        for automl in made.values():
            automl.run(["train", "evaluate", "predict", "explain"])
    return made


def test_a_file_dropped_in_is_drawn_by_the_stage_and_shown_in_the_report(file, tmp_path):
    automl = of(tmp_path, "classification")
    automl.train()
    with pytest.raises(StageError, match="the predict stage is not done yet"):
        getattr(plots, NAME)(automl)
    automl.predict()
    for suffix in ("png", "pdf"):
        assert (automl.folder / "plots" / f"{NAME}.{suffix}").stat().st_size > 1000
    automl.evaluate()
    page = automl.report().read_text("utf-8")
    assert "Rows by the probability of their prediction." in page and "how sure" in page


def test_a_dropped_figure_is_a_function_of_the_module(file):
    assert NAME in plots.names()
    draw = getattr(plots, NAME)
    assert list(inspect.signature(draw).parameters) == ["highest", "bins"]
    (panel,) = draw([0.5, 0.9], bins=3).axes
    assert len(panel.patches) == 3


def test_a_dropped_figure_is_not_drawn_of_other_tasks(file, runs):
    folder = runs["regression"].folder
    drawn = [path for path, _ in plots.figures(ag.load(folder)._session.run, "predict")]
    assert drawn and not any(NAME in path for path in drawn)
    with pytest.raises(InputError, match="expected a run of task.type classification"):
        getattr(plots, NAME)(folder)


def test_without_the_file_there_is_no_such_figure():
    with pytest.raises(AttributeError, match=NAME):
        getattr(plots, NAME)


def test_a_place_that_the_report_does_not_have_is_refused(file):
    file.write_text(DROPPED.replace('place = "predictions"', 'place = "end"'))
    with pytest.raises(TypeError, match=f"{NAME}: place: expected one of search, .*received 'end'"):
        plots.member(NAME)


def test_what_the_dropped_file_imports_is_public():
    for node in ast.walk(ast.parse(DROPPED)):
        if isinstance(node, ast.ImportFrom):
            assert "._" not in f".{node.module}"
            assert all(name.name in plots.__all__ for name in node.names)


@each_figure
def test_a_figure_says_what_it_shows(name):
    figure = plots.member(name)
    assert isinstance(figure, Figure) and figure.name == name and inspect.getdoc(type(figure))
    assert figure.stage in ("train", "evaluate", "predict", "explain") and figure.files
    assert bool(figure.caption) == bool(figure.place)
    assert not figure.of_tasks or hasattr(tasks.Task, figure.of_tasks)


@each_figure
def test_a_figure_is_a_function_with_the_arguments_of_draw(name):
    draw, figure = getattr(plots, name), plots.member(name)
    assert draw.__name__ == name and draw.__doc__ == type(figure).draw.__doc__
    assert inspect.signature(draw) == inspect.signature(figure.draw)
    # Options of a run that are arguments of `draw` too would be hidden.
    chosen = [p.name for p in inspect.signature(figure.read).parameters.values()][1:]
    assert set(chosen) <= {"output", "level", "target"}


def test_a_stage_draws_every_figure_that_a_run_has(runs):
    for automl in runs.values():
        drawn = {p.relative_to(automl.folder).with_suffix("") for p in automl.folder.rglob("*.pdf")}
        stages = ("train", "evaluate", "predict", "explain")
        run = automl._session.run
        with folders_alone():
            told = {path for stage in stages for path, _ in plots.figures(run, stage)}
        assert {str(path) for path in drawn} == told
        kinds = {
            "confusion_matrix": "classification", "plots/predicted_vs_true_target": "regression",
            "plots/kaplan_meier_curves": "survival", "confusion_matrix_level": "mixed",
            "plots/roc_curves_level": "mixed", "plots/predicted_vs_true_value": "mixed",
        }  # fmt: skip
        own = {name for name, kind in kinds.items() if kind == automl.config.name}
        assert told & set(kinds) == own


def test_every_place_has_a_figure():
    assert {plots.member(name).place for name in plots.names()} == {"", *plots.PLACES}
