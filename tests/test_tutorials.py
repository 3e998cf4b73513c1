"""Every tutorial runs from top to bottom, and was saved with the outputs of such a run."""

from pathlib import Path

import nbclient
import nbformat
import pytest

TUTORIALS = sorted((Path(__file__).parents[1] / "tutorials").glob("*.ipynb"))


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


@pytest.mark.slow
def test_a_tutorial_runs(notebook, tmp_path):
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    assert all(cell.execution_count for cell in code(notebook))
