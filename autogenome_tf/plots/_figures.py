"""The figures that there are, and those of a run, drawn from its files alone."""

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from autogenome_tf.core.files import on_a_line
from autogenome_tf.core.open_sets import PACKAGE, classes, members
from autogenome_tf.plots._base import Figure
from autogenome_tf.plots._paper import Drawing
from autogenome_tf.plots._save import save
from autogenome_tf.run import Run

FOLDER = "plots"


def names() -> tuple[str, ...]:
    """List the kinds of figures, sorted."""
    return members(FOLDER)


def member(name: str) -> Figure:
    """Import a kind of figure by its name; the package has its function from then on.

    Args:
        name: Name of a figure.
    """
    found = classes(FOLDER, name, Figure)[0]()
    package = sys.modules[f"{PACKAGE}.{FOLDER}"]
    # The import of a file gives its name in the package to the module, which nobody calls.
    if not callable(getattr(package, name, None)):
        setattr(package, name, found.function())
    return found


def figures(run: Run, stage: str) -> Iterator[tuple[str, Callable[[], Drawing]]]:
    """Yield the figures of a stage of a run.

    Args:
        run: The run.
        stage: Name of the stage.

    Yields:
        A pair for each figure: the path of its file in the folder, without a suffix, and a
        function without arguments that draws it.
    """
    for figure in _of(run, "stage", stage):
        for name, options in figure.drawings(run).items():
            path = f"{figure.folder}/{name}" if figure.folder else name
            yield path, functools.partial(figure.of_run, run, **options)


def placed(run: Run, place: str, **chosen: Any) -> Iterator[tuple[str, Drawing, str]]:
    """Draw the figures that a place of the report shows.

    Args:
        run: The run.
        place: One of `PLACES`.
        **chosen: Options of the place, such as the output; none: every drawing of each figure.

    Yields:
        For each drawing the name of its figure or file, the drawing, and its caption.
    """
    for figure in _of(run, "place", place):
        drawings = {figure.name: chosen} if chosen else figure.drawings(run)
        for name, options in drawings.items():
            target = options.get("target")
            caption = f"{on_a_line(target)}: {figure.caption}" if target else figure.caption
            yield name, figure.of_run(run, **options), caption


def draw(run: Run, stage: str) -> None:
    """Draw the figures of a stage of a run into its folder.

    Args:
        run: A run.
        stage: Name of the stage.
    """
    for path, make in figures(run, stage):
        save(make(), run.path(path))


def _of(run, attribute, value):
    """Return the kinds of figures that a run has, of one stage or place, in order."""
    known = [member(name) for name in names()]
    asked = [one for one in known if getattr(one, attribute) == value and one.is_of(run)]
    return sorted(asked, key=lambda figure: (figure.order, figure.name))
