"""The contract of a figure: a class in a file of `plots/` draws one kind of figure of a run."""

import abc
import functools
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from autogenome_tf.core.errors import InputError, unknown
from autogenome_tf.core.files import safe_names
from autogenome_tf.plots._paper import Drawing, label
from autogenome_tf.plots._source import opened
from autogenome_tf.plots._target import TargetRun
from autogenome_tf.run import Run
from autogenome_tf.tasks import kind_of, types

# Places of report.html that show figures. Those of "output" and "level" are drawn anew for each
# output or level of gene sets, with an option of that name.
PLACES = (
    "search", "scores", "predictions", "latent", "genes", "output", "level", "epistasis",
)  # fmt: skip


class Figure(abc.ABC):
    """Draw one kind of figure, of frames or of a run.

    A class that derives from this one, in a file of `plots/`, is a member of the open set by the
    name of its file: the stage draws it into the run folder, report.html shows it, and
    ``autogenome_tf.plots.NAME`` is a function with the arguments of `draw`, or with a run in their
    place.

    Attributes:
        stage: Stage of a run that draws the figure when it ends.
        files: Files of the run folder that it shows; it is drawn of runs that have all of them.
        of_tasks: Attribute of `tasks.Task` that is true of the tasks it is drawn of, such as
            "has_classes"; "" for all.
        folder: Folder of the drawings in the run folder; "" for the run folder itself.
        place: One of `PLACES`; "" for a figure that the report does not show.
        order: Order among the figures of a stage and of a place, lowest first.
        caption: What it shows and how to read it, for the report.
    """

    stage: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    of_tasks: ClassVar[str] = ""
    folder: ClassVar[str] = "plots"
    place: ClassVar[str] = ""
    order: ClassVar[int] = 100
    caption: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.place not in ("", *PLACES):
            raise TypeError(
                f"{cls.__module__}: place: expected one of {', '.join(PLACES)}; "
                f"received {cls.place!r}."
            )

    @abc.abstractmethod
    def draw(self, *arguments: Any, **options: Any) -> Drawing:
        """Draw the figure of frames and arrays.

        Args:
            *arguments: Frames and arrays of the figure.
            **options: Options of the figure.
        """

    @abc.abstractmethod
    def read(self, run: Run, **options: Any) -> dict[str, Any]:
        """Return the arguments of `draw`, from the files of a run.

        Args:
            run: A run that has `files`.
            **options: Those that choose among the drawings of a run, by name and with a default.
        """

    def variants(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return the drawings of a run: name of the file without suffix to options of `read`.

        Args:
            run: A run that has `files`.
        """
        return {self.name: {}}

    @property
    def name(self) -> str:
        """Return the name of the file that the class is in."""
        return type(self).__module__.rpartition(".")[2]

    def is_of(self, run: Run) -> bool:
        """Return whether a run has what the figure shows.

        Args:
            run: A run.
        """
        return all(map(run.has, self.files)) and self._is_of_task(run)

    def drawings(self, run: Run) -> dict[str, dict[str, Any]]:
        """Return the options of `of_run` by names of files, as `variants`.

        Where targets are of several kinds, a figure of tasks has a drawing of each that fits.

        Args:
            run: A run that has `files`.
        """
        targets = self._targets(run)
        if targets is None:
            return self.variants(run)
        each = zip(safe_names(targets), targets, strict=True)
        return {f"{self.name}_{end}": {"target": target} for end, target in each}

    def of_run(self, run: Run, **options: Any) -> Drawing:
        """Draw the figure of a run.

        Args:
            run: The run.
            **options: Those of `read`, and arguments of `draw` in place of what the run has; where
                targets are of several kinds, `target` is the name of one.

        Raises:
            StageError: Before the stage that writes `files`.
            InputError: Where the run's task has no such figure.
        """
        for file in self.files:
            run.require(file, self.stage)
        if not self._is_of_task(run):
            expected = " or ".join(types(self.of_tasks))
            raise InputError(f"{run.folder}: expected a run of task.type {expected}.")
        targets = self._targets(run)
        if targets is None:
            return self._drawn(run, options)
        target = options.pop("target", targets[0] if len(targets) == 1 else None)
        if target not in targets:
            raise unknown(f"{run.folder}: target", target, targets)
        drawing = self._drawn(TargetRun(run, target), options)
        # Not of the figure: a legend may stand above the panels.
        drawing.axes[0].set_title(label(target))
        return drawing

    def _drawn(self, run, options):
        known = inspect.signature(self.read).parameters
        picked = {name: options.pop(name) for name in known if name in options}
        return self.draw(**(self.read(run, **picked) | options))

    def function(self) -> Callable[..., Drawing]:
        """Return `draw` as a function that takes a run in place of the arguments.

        Its first argument may be a `Run`, the path of a run folder, or an `AutoGenome`.
        """

        @functools.wraps(self.draw)
        def drawn(*arguments: Any, **options: Any) -> Drawing:
            run = opened(arguments[0]) if arguments else None
            if run is None:
                return self.draw(*arguments, **options)
            if len(arguments) > 1:
                raise TypeError(f"{self.name}: behind a run, expected arguments by name.")
            return self.of_run(run, **options)

        drawn.__name__ = drawn.__qualname__ = self.name
        return drawn

    def _is_of_task(self, run):
        targets = self._targets(run)
        if targets is not None:
            return bool(targets)
        return not self.of_tasks or getattr(run.config().task.kind, self.of_tasks)

    def _targets(self, run):
        """Return the targets that the figure is drawn of; None unless they are of several kinds."""
        if not (self.of_tasks and run.config().task.kind.is_of_several):
            return None
        parts = run.model_names()["parts"]
        return [one["name"] for one in parts if getattr(kind_of(one["task"]), self.of_tasks)]
