"""The house: every room of the package, its floor and what it is for; `python tests/house.py`.

This is the one place that states the tree. The map in the architecture guide (`--map`) and the test
of the floors are made from it.
"""

import ast
import functools
import re
import sys
from pathlib import Path

PACKAGE = "autogenome_tf"
ROOT = Path(__file__).parents[1] / PACKAGE
MOST_ROOMS, MOST_FLOORS = 24, 8

# Room, floor (1 is the ground; imports point down), what it is for. The rooms of `OPEN` are open
# sets: a file dropped into the folder named there is a member.
ROOMS = (
    ("__main__", 8, "python -m autogenome_tf"),
    ("__init__", 7, "front door: AutoGenome, auto, load, Config, Dataset and public modules"),
    ("cli", 7, "one function a verb of the command line; JSON Schema; closing table"),
    ("estimators", 7, "scikit-learn estimators"),
    ("tl", 7, "AnnData in, AnnData out, for scanpy users"),
    ("automl", 6, "AutoGenome: order of the stages, locking, resumption; one file a stage"),
    ("search", 5, "trial loop, ranking, baseline, chief and workers"),
    ("ensemble", 5, "from ranked trials to the final model: refit, greedy selection, controls"),
    ("report", 5, "files of a run -> report.html; no TensorFlow"),
    ("training", 4, "cross-validation of one configuration: fold inputs, epoch loop, engines"),
    ("export", 4, "a model -> SavedModel and serving.json"),
    ("plots", 4, "figures: frames or a run in, a matplotlib figure out; no TensorFlow"),
    ("families", 3, "search spaces and the networks that they stand for"),
    ("models", 3, "fitted models: Predictor, LatentModel, their tables"),
    ("explainers", 3, "model and rows -> attributions, interactions, importance of gene sets"),
    ("run", 3, "run folder: atomic files, lock, resumption, log, console, AutoGenome's layout"),
    ("config", 2, "what was asked, frozen; messages; processes; the port of AutoGenome"),
    ("data", 2, "files -> Dataset and Split; matching by sample id; warnings about the rows"),
    ("preprocessing", 2, "transforms, imputation, scaling, ranks and row space, as Keras layers"),
    ("nn", 2, "Keras layers, vectorized networks, ResVAE, likelihoods, their mathematics"),
    ("simulation", 2, "planted truth: expression, pathways, fitness landscapes, contigs, reads"),
    ("metrics", 2, "metrics of a task with bootstrap intervals"),
    ("tasks", 1, "classification, regression, survival, representation: targets, losses, outputs"),
    ("core", 1, "errors, seeds, atomic files, matrices larger than memory"),
)  # fmt: skip
FLOOR = {room: floor for room, floor, _ in ROOMS}
OPEN = {
    "search methods": "search/methods",
    "figures": "plots",
    "families": "families",
    "explainers": "explainers",
    "readers": "data/readers",
}

FILES = {file.relative_to(ROOT): file.read_text("utf-8") for file in sorted(ROOT.rglob("*.py"))}


def room(file):
    """Return the room of a file given relative to the package."""
    return Path(file.parts[0]).stem


@functools.cache
def imports(text):
    """Return the dotted names of all imports of a source text, also those inside functions."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{'.' * node.level}{node.module or ''}.{a.name}" for a in node.names]
    return found


def imported_files(text):
    """Return the files of the package that a source text imports, relative to the package."""
    steps = (name.split(".") for name in imports(text))
    return [_found(rest) for package, *rest in steps if package == PACKAGE]


def _found(steps):
    """Return the file behind a dotted name: the deepest module on its way."""
    for end in range(len(steps), 0, -1):
        path = Path(*steps[:end])
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file in FILES:
                return file
    return Path("__init__.py")


def arrows():
    """Return the set of (room, imported room), rooms that differ."""
    pairs = {(room(file), room(to)) for file, text in FILES.items() for to in imported_files(text)}
    return {(own, other) for own, other in pairs if own != other}


def climbing():
    """Return the arrows that do not point to a lower floor."""
    return sorted((own, other) for own, other in arrows() if FLOOR[other] >= FLOOR[own])


def task_comparisons():
    """Return (file, line number) of comparisons with a task's type outside tasks/ and models/."""
    kinds = r"[\"'](classification|regression|representation|survival)[\"']"
    pattern = re.compile(
        rf"(task_type|task\.type|\bkind|\btask)\b *(==|!=|in\b|not in\b)|(==|!=) *{kinds}"
    )
    return [
        (file, number)
        for file, text in FILES.items()
        if room(file) not in ("tasks", "models")
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and re.search(kinds, line)
    ]


def guide_map():
    """Return the map of the architecture guide, as Markdown."""
    lines = ["| floor | room | what it is for |", "|--:|---|---|"]
    for name, floor, sentence in ROOMS:
        folder = (ROOT / name).is_dir()
        shown = f"{name}/" if folder else f"{name}.py"
        members = [kind for kind, place in OPEN.items() if place.split("/")[0] == name]
        note = f" (open: {', '.join(members)})" if members else ""
        lines.append(f"| {floor} | `{shown}` | {sentence}{note} |")
    return "\n".join(lines) + "\n"


def counts():
    """Return the counts that the house is held to, by name."""
    importers = {}
    for own, other in arrows():
        importers.setdefault(other, set()).add(own)
    return {
        "rooms": len(ROOMS),
        "floors": len(set(FLOOR.values())),
        "arrows": len(arrows()),
        "arrows that do not point down": len(climbing()),
        "rooms with a single importer": sum(len(who) == 1 for who in importers.values()),
        "files": len(FILES),
        "lines": sum(text.count("\n") for text in FILES.values()),
        "comparisons with a task's type outside tasks/ and models/": len(task_comparisons()),
        "longest file": max(text.count("\n") for text in FILES.values()),
    }


if __name__ == "__main__":
    if "--map" in sys.argv:
        sys.stdout.write(guide_map())
    else:
        for name, count in counts().items():
            print(f"{count:6d}  {name}")
        for own, other in climbing():
            print(f"        {own} -> {other}")
