"""Types at the doors between rooms: all are annotated, and a type checker finds no fault."""

import subprocess
import sys
from pathlib import Path

import pytest
from doors import doors, unannotated
from dropped import folders_alone

CONFIGURATION = Path(__file__).parent / "types" / "pyrightconfig.json"


def checked(configuration):
    """Run pyright; return its exit status and what it said."""
    command = [sys.executable, "-m", "pyright", "-p", str(configuration)]
    command += ["--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_type_checker_finds_no_fault():
    with folders_alone():
        status, said = checked(CONFIGURATION)
    assert status == 0, said


def test_a_fault_would_be_found(tmp_path):
    (tmp_path / "wrong.py").write_text("def double(x: int) -> str:\n    return 2 * x\n")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "basic"}')
    status, said = checked(tmp_path)
    assert status == 1 and "wrong.py:2:12" in said


def test_doors_are_annotated():
    assert unannotated() == []


DOOR = "from autogenome_tf.data._new import Kind\n__all__ = ['Kind']"


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("class Kind:\n    def read(self, path: str): ...", ".read -> ?"),
        ("class Kind:\n    def __init__(self, path): ...", ".__init__(path)"),
        ("def Kind(*, count, _: int) -> None: ...", "(count)"),
        ("class Kind:\n    def _own(self, path): ...", None),
    ],
)
def test_a_door_without_annotations_would_be_found(text, lacking):
    files = {Path("data/__init__.py"): DOOR, Path("data/_new.py"): text}
    expected = [] if lacking is None else [f"data/_new.py: Kind{lacking}"]
    assert unannotated(files) == expected


def test_what_a_private_file_keeps_is_no_door():
    assert not doors({Path("data/_new.py"): "def read(path): ..."})
