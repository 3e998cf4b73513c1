"""The architecture: imports point down, and what is foreign stays behind one file."""

import subprocess
import sys
from pathlib import Path

import pytest
from house import (
    FILES,
    FLOOR,
    MOST_FLOORS,
    MOST_ROOMS,
    OPEN,
    counts,
    imported_files,
    imports,
    room,
)

# Rooms that may be imported without waiting for TensorFlow; the files of a room are in it.
LIGHT = ("__init__", "cli", "config", "core", "data", "families", "metrics", "plots", "report",
         "run", "simulation", "tasks")  # fmt: skip
HEAVY_FILES = {
    Path("families/_hypermodel.py"), Path("tasks/_cox_loss.py"), Path("tasks/_focal_loss.py"),
}  # fmt: skip

# Foreign packages, and the only files that may import them (a folder: any file in it).
FENCES = {
    "keras_tuner": {"families/_hypermodel.py", "search/_keras_tuner"},
    "keras_tuner.engine": {"search/_keras_tuner"},
    "keras_tuner.src": {"search/_keras_tuner"},
    "grpc": {"search/_keras_tuner"},
    "tensorflow": {
        "nn",
        "training",
        "search/_enas",
        "explainers",
        "export",
        "tasks/_cox_loss.py",
    },
    "tensorflow_serving": {"export"},
    "shap": {"explainers/_shap.py"},
    "matplotlib": {"plots"},
    "rich": {"run/_console.py", "cli/_summary.py"},
    "pydantic": {"config"},
    "jinja2": {"report"},
    "json5": {"config"},
}


def is_private(file):
    """Whether a file is part of a room without being a member of it."""
    return any(part.startswith("_") for part in file.parts)


def faults(file, text):
    """What is wrong with the imports of a file, in words."""
    for target in imported_files(text):
        own, other = room(file), room(target)
        if own == other:
            if {str(file.parent), str(target.parent)} <= set(OPEN.values()) and not (
                is_private(file) or is_private(target) or target.name == "__init__.py"
            ):
                yield f"{file} imports its neighbour {target}"
        elif FLOOR[other] >= FLOOR[own]:
            yield f"{file} (floor {FLOOR[own]}) imports {target} (floor {FLOOR[other]})"
        elif is_private(target) and target.name != "__init__.py":
            yield f"{file} reaches into another room for {target}"


# Floors ------------------------------------------------------------------------------------


def test_every_room_has_its_floor():
    assert {room(file) for file in FILES} == set(FLOOR)


def test_the_house_is_as_small_as_it_says():
    found = counts()
    assert found["rooms"] <= MOST_ROOMS
    assert found["floors"] <= MOST_FLOORS
    assert found["arrows that do not point down"] == 0


def test_an_open_set_lies_where_the_tree_says():
    for folder in OPEN.values():
        assert Path(folder, "__init__.py") in FILES, folder


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_point_down(file):
    assert list(faults(file, FILES[file])) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("core/seeds.py", "def f():\n    from autogenome_tf.config import Config", "floor 2"),
        (
            "metrics.py",
            "from autogenome_tf import nn",
            "(floor 2) imports nn/__init__.py (floor 2)",
        ),
        ("config/_config.py", "from autogenome_tf import __version__", "imports __init__.py"),
        ("config/_config.py", "import autogenome_tf.cli", "imports cli/__init__.py"),
        ("families/mlp.py", "from autogenome_tf.families import resnet", "its neighbour"),
        ("cli/__init__.py", "from autogenome_tf.families._space import COMMON", "reaches into"),
    ],
)
def test_an_import_that_climbs_would_be_seen(file, text, fault):
    (said,) = faults(Path(file), text)
    assert fault in said


def test_no_files_import_each_other_in_a_circle():
    # Doors only hand names on, and are imported by all that look into their room.
    inside = {file: text for file, text in FILES.items() if file.name != "__init__.py"}
    waiting = {file: set(imported_files(text)) & inside.keys() for file, text in inside.items()}
    while free := [file for file, needs in waiting.items() if not needs & waiting.keys()]:
        for file in free:
            del waiting[file]
    assert not waiting


def test_no_import_is_relative():
    assert [str(f) for f, text in FILES.items() if any(n[0] == "." for n in imports(text))] == []


# Waiting -----------------------------------------------------------------------------------

WAITS = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    heavy = {"tensorflow", "keras", "keras_tuner", "shap"} & sys.modules.keys()
    if heavy:
        sys.exit(f"{name} imports {sorted(heavy)}")
"""


def light_modules():
    """Dotted names of the modules of the light rooms; the HyperModels themselves need Keras."""
    for file in FILES:
        if room(file) in LIGHT and file not in HEAVY_FILES:
            parts = ("autogenome_tf", *file.with_suffix("").parts)
            yield ".".join(part for part in parts if part != "__init__")


def test_what_needs_no_tensorflow_does_not_wait_for_it():
    names = list(light_modules())
    for expected in ("", ".cli", ".config", ".run", ".data", ".families", ".families.mlp"):
        assert f"autogenome_tf{expected}" in names
    done = subprocess.run([sys.executable, "-c", WAITS, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_waiting_would_be_seen(tmp_path):
    (tmp_path / "keras.py").touch()
    (tmp_path / "heavy.py").write_text("import keras")
    command = [sys.executable, "-c", WAITS, "json", "heavy"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr.strip()) == (1, "heavy imports ['keras']")


# Fences ------------------------------------------------------------------------------------


def is_of(name, package):
    """Whether a dotted name is a package or inside it."""
    return f"{name}.".startswith(f"{package}.")


@pytest.mark.parametrize("package", FENCES)
def test_a_foreign_package_stays_behind_its_fence(package):
    importers = {f for f, text in FILES.items() if any(is_of(n, package) for n in imports(text))}
    allowed = {f for f in FILES if {f.as_posix(), *map(str, f.parents)} & FENCES[package]}
    assert importers <= allowed
    assert importers, f"nothing imports {package}; its fence can go"
