"""Every tutorial runs from top to bottom, and was saved with the outputs of a whole run."""

import inspect
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client import KernelManager
from learners import draw_little, seed_little, solve_little

TUTORIALS = sorted((Path(__file__).parents[2] / "tutorials").glob("*.ipynb"))


@pytest.fixture(params=TUTORIALS, ids=lambda path: path.stem)
def notebook(request):
    """Each notebook in tutorials/."""
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    """Its cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_tutorials():
    assert TUTORIALS


def test_outputs_are_saved_and_name_no_place(notebook):
    ran = [cell for cell in code(notebook) if cell.execution_count]
    assert len(ran) == len(code(notebook))
    assert any(output.output_type == "execute_result" for cell in ran for output in cell.outputs)
    assert "/tmp/" not in str(notebook.cells) and "/home/" not in str(notebook.cells)


def search_little():
    """Limit trials, epochs and updates of every config, and maps; a kernel runs this first."""
    import scanpy

    from autogenome_tf.config._config import Config
    from autogenome_tf.models import _maps

    few = {
        "search": {
            "max_trials": 2,
            "top_k": 2,
            "epochs": 3,
            "outer": 2,
            "enas": {"updates": 2, "samples": 4, "candidates": 20},
        },
        "training": {"epochs": 4},
        "explanation": {"sets": 2, "interactions": {"null": 2}},
    }

    def less(given, limits):
        smaller = {
            key: less(given.get(key, {}), limit)
            if isinstance(limit, dict)
            else min(given.get(key, limit), limit)
            for key, limit in limits.items()
            # One is 0 where left out, the other no more than the trials.
            if key not in ("outer", "top_k") or key in given
        }
        return given | smaller

    of = Config.of
    Config.of = staticmethod(lambda given, place="config": of(less(given, few), place))
    # Each process would compile UMAP for 20 seconds.
    _maps._umap = lambda points, _: points[:, :2]
    scanpy.tl.umap = lambda cells, **_: cells.obsm.update(X_umap=cells.obsm["X_resvae"][:, :2])


def draw_what_is_shown(text):
    """Draw the figures of runs that a notebook shows; a kernel runs this first.

    Args:
        text: The code of the notebook.
    """
    import functools

    from autogenome_tf.plots import _figures

    # What an earlier notebook has left is not drawn from.
    every = getattr(_figures.figures, "__wrapped__", _figures.figures)

    @functools.wraps(every)
    def figures(run, stage):
        return (one for one in every(run, stage) if one[0].split("/")[-1] in text)

    _figures.figures = figures


@pytest.fixture(scope="module")
def kernel():
    """A kernel for all notebooks: TensorFlow is imported once."""
    manager = KernelManager()
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


def test_a_cell_that_fails_is_seen(kernel):
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), kernel)


def execute(notebook, kernel):
    """Run all cells, with no name of the notebook before."""
    client = nbclient.NotebookClient(notebook, km=kernel, timeout=600)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    client.execute()


@pytest.mark.slow
def test_a_tutorial_runs(notebook, kernel, tmp_path):
    little = search_little, solve_little, seed_little, draw_little
    calls = "; ".join(f"{function.__name__}()" for function in little)
    shown = f"draw_what_is_shown({str([cell.source for cell in code(notebook)])!r})"
    less = "\n".join(map(inspect.getsource, (*little, draw_what_is_shown)))
    first = f"import os\nos.chdir({str(tmp_path)!r})\n{less}\n{calls}\n{shown}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    execute(notebook, kernel)
    assert all(cell.execution_count for cell in code(notebook))
