"""Every tutorial runs from top to bottom, and was saved with the outputs of a whole run."""

import inspect
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client import KernelManager
from learners import solve_little

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
    """Limit trials, epochs and updates of every config; a kernel runs this first."""
    from autogenome_tf.config._config import Config
    from autogenome_tf.models import _maps

    few = {
        "search": {
            "max_trials": 5,
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
            if key != "outer" or key in given  # which is 0 where left out
        }
        return given | smaller

    of = Config.of
    Config.of = lambda given, place="config": of(less(given, few), place)
    _maps._umap = lambda points, _: points[:, :2]  # else compiled for 20 seconds


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
    less = "\n".join(map(inspect.getsource, (search_little, solve_little)))
    first = f"import os\nos.chdir({str(tmp_path)!r})\n{less}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(f"{first}\nsearch_little()\nsolve_little()"))
    execute(notebook, kernel)
    assert all(cell.execution_count for cell in code(notebook))
