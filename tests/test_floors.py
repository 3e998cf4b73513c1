"""The architecture: imports point down, and what is foreign stays behind one file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autogenome_tf

# Each file or folder (a room) on its floor, lowest first; a room imports from lower floors only.
FLOORS = (
    # no import of this package
    (
        "errors",
        "seeds",
        "files",
        "console",
        "metrics",
        "stacked",
        "rowspace",
        "ranks",
        "likelihoods",
        "ppca",
        "walsh",
    ),
    # rows, also more than memory holds; rows that nobody measured; one process among many; folders
    # of strangers
    ("matrix", "genotypes", "roles", "trust"),
    # one noun each: rows, a task, the parts of a network, its sets of weights; wrong configs
    (
        "problems",
        "legacy",
        "sections",
        "data",
        "tasks",
        "layers",
        "preprocessing",
        "replicas",
        "simulation",
    ),
    # a network that is more than layers in a row; sets of genes, read and drawn
    ("resvae", "genesets", "landscape", "pathways"),
    # what was asked; search spaces and networks; a fitted model; its training; figures
    ("config", "families", "predictor", "training", "simulate", "audit"),
    # a folder on disk; rows as each fold sees them; what is known of a model; processes that step
    # together
    ("run", "views", "evaluation", "explainers", "final", "embedding", "cluster"),
    # rows as folds to train on
    ("folds",),
    # the same for autoencoders
    ("generative",),
    # which trial is best; the rows of a config; a run's files as a table, or under other names
    ("search", "rows", "summary", "layout", "plots"),
    # a run's files as a page
    ("report",),
    # the final model: the best trial, trained for as long as it gains, or an average of several
    ("refit", "ensemble"),
    # what a latent space is worth, and sets of genes to a network
    ("representation", "set_importance"),
    # what a model's predictions rest on; a model as a graph, and as files for a server
    ("explanation", "served"),
    ("export",),
    # what may stand in a config
    ("reference",),
    # the order of the stages
    ("automl",),
    # for scikit-learn's users and scanpy's
    ("estimators", "tl"),
    # the front door (autogenome_tf/__init__.py)
    ("autogenome_tf",),
    # verbs
    ("cli",),
    ("__main__",),
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}

# What may be imported without waiting for TensorFlow; the members of a room are in it.
LIGHT = (
    "autogenome_tf", "errors", "seeds", "files", "console", "problems", "legacy", "sections",
    "config", "run", "roles", "trust",
    "data", "genesets", "metrics", "rowspace", "simulation", "landscape", "pathways", "simulate",
    "families", "plots", "summary", "audit", "report", "reference", "evaluation", "layout", "cli",
)  # fmt: skip

# Foreign packages, and the only files that may import them (a folder: any file in it).
FENCES = {
    "keras_tuner": {"families/_base.py", "search/_keras_tuner"},
    "keras_tuner.engine": {"search/_keras_tuner"},
    "keras_tuner.src": {"search/_keras_tuner"},
    "grpc": {"search/_keras_tuner"},
    "tensorflow": {
        "layers.py",
        "likelihoods.py",
        "resvae.py",
        "generative.py",
        "cluster.py",
        "replicas",
        "stacked.py",
        "walsh.py",
        "genotypes.py",
        "search/_enas",
        "explainers",
        "served.py",
        "export.py",
    },
    "tensorflow_serving": {"export.py"},
    "shap": {"explainers"},
    "matplotlib": {"plots"},
    "rich": {"console.py", "summary.py"},
    "pydantic": {"config.py", "sections.py"},
    "jinja2": {"report"},
    "json5": {"config.py"},
}

ROOT = Path(autogenome_tf.__file__).parent
FILES = {file.relative_to(ROOT): file.read_text("utf-8") for file in sorted(ROOT.rglob("*.py"))}


def room(file):
    """The room that a file (relative to the package) belongs to."""
    return "autogenome_tf" if str(file) == "__init__.py" else Path(file.parts[0]).stem


def imports(text):
    """Dotted names of all imports of a source text, also those inside functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{a.name}" for a in node.names)


def imported_files(text):
    """Files of this package that a source text imports, relative to it."""
    for name in imports(text):
        package, *steps = name.split(".")
        if package == "autogenome_tf":
            yield found(steps)


def found(steps):
    """The file behind a dotted name: the deepest module on its way."""
    for end in range(len(steps), 0, -1):
        path = Path(*steps[:end])
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file in FILES:
                return file
    return Path("__init__.py")


def is_private(file):
    """Whether a file is part of a room without being a member of it."""
    return any(part.startswith("_") for part in file.parts)


def faults(file, text):
    """What is wrong with the imports of a file, in words."""
    for target in imported_files(text):
        own, other = room(file), room(target)
        if own == other:
            if not (is_private(file) or is_private(target)):
                yield f"{file} imports its neighbour {target}"
        elif HEIGHT[other] >= HEIGHT[own]:
            yield f"{file} (floor {HEIGHT[own]}) imports {target} (floor {HEIGHT[other]})"
        elif is_private(target) and target.name != "__init__.py":
            yield f"{file} reaches into another room for {target}"


# Floors ------------------------------------------------------------------------------------


def test_every_room_has_its_floor():
    assert {room(file) for file in FILES} == set(HEIGHT)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_point_down(file):
    assert list(faults(file, FILES[file])) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("seeds.py", "def f():\n    from autogenome_tf.config._config import Config", "floor 4"),
        ("tasks.py", "from autogenome_tf import layers", "(floor 2) imports layers.py (floor 2)"),
        ("config.py", "from autogenome_tf import __version__", "imports __init__.py"),
        ("config.py", "import autogenome_tf.cli", "imports cli.py"),
        ("families/mlp.py", "from autogenome_tf.families import resnet", "its neighbour"),
        ("cli.py", "from autogenome_tf.families._space import COMMON", "reaches into"),
    ],
)
def test_an_import_that_climbs_would_be_seen(file, text, fault):
    (said,) = faults(Path(file), text)
    assert fault in said


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
        if room(file) in LIGHT and file != Path("families/_base.py"):
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
