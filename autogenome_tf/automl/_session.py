"""A run in this process: its config, rows, folder and model; lock, log and resumption."""

import contextlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autogenome_tf import data, families, plots, search
from autogenome_tf.automl._chosen_rows import ChosenRows, choose_rows
from autogenome_tf.automl._explained import Explained
from autogenome_tf.automl._lacking import LackingGenes
from autogenome_tf.automl._rows import Prepared, prepared, rows_of
from autogenome_tf.config import Config, Explanation
from autogenome_tf.core.errors import InputError, StageError
from autogenome_tf.core.files import version
from autogenome_tf.ensemble import Retraining
from autogenome_tf.models import LatentModel, Predictor
from autogenome_tf.run import Run, autogenome_layout, remembered, say_to, warned
from autogenome_tf.run.artifacts import OUTER
from autogenome_tf.run.trackers import check_trackers
from autogenome_tf.training import EngineError, WorkerCluster


class Session:
    """A run in this process, from what a user gives.

    Args:
        config: Path of a JSON config, a dict with its keys, or a `Config`.
        given: Rows in place of files, ``(X, y)``, or None.

    Attributes:
        config: The `Config`, its paths absolute.
        spaces: Search space of each family that it names.
        rows: The rows that it names; none is read before it is needed.
        run: The run folder, or None as long as there is none.
        earlier: Log records from before there was a folder.
        workers: Processes that train each network together, or None.

    Raises:
        InputError: At the first thing wrong in the config.
    """

    def __init__(self, config: Any, given: Any = None):
        self.earlier: list[logging.LogRecord] = []
        place = f"{config}: " if isinstance(config, (str, Path)) else ""
        self.config = config = self._read(config)
        if given is not None and not (isinstance(given, (tuple, list)) and len(given) == 2):
            raise InputError(f"data: expected (X, y); received {type(given).__name__}.")
        if not config.data.features and given is None:
            raise InputError("config: data.features: expected a file, or data=(X, y).")
        self.spaces = families.spaces(config, f"{place}families")
        search.method(config.search.method, f"{place}search.method")
        self.given, self.rows = given, rows_of(config)
        self.run: Run | None = None
        self.workers: WorkerCluster | None = None
        self._prepared: Prepared | None = None
        # By file names: the version of the file, and its model.
        self._models: dict[str, tuple] = {}
        self._is_opened = False

    def _read(self, config):
        if isinstance(config, (str, Path)):
            with remembered(self.earlier):
                return Config.load(config)
        return config if isinstance(config, Config) else Config.of(config).resolved(Path.cwd())

    @classmethod
    def existing(cls, folder: str | Path) -> "Session":
        """Open the folder of an earlier run, perhaps somebody else's.

        Args:
            folder: Path of the run folder.
        """
        run = Run.existing(folder)
        session = cls(run.config())
        session.run, session._is_opened = run, True
        # What a folder of a stranger names must not be read aloud in an error.
        session.rows = rows_of(session.config, run.check_data, run.check_split)
        return session

    def opened(self) -> Run:
        """Return the run folder.

        Raises:
            StageError: Where there is none yet.
        """
        if self.run is None:
            raise StageError("no run yet: call train() first, or open one with ag.load(folder).")
        return self.run

    def fitted(self) -> Run:
        """Return the folder of a run whose train stage is done.

        Raises:
            StageError: Where it is not.
        """
        run = self.opened()
        run.require("train")
        return run

    def begun(self, asked: Iterable[str]) -> Run:
        """Return the run, found or begun; wrong data is an error before a folder is made.

        Args:
            asked: Names of the stages that make it complete.
        """
        if "train" in asked:
            check_trackers(self.config.output.trackers)
            asked = (*asked, OUTER) if self.config.search.outer else asked
        with on_this_machine(f"{self.config.name}: begin"):
            if self.run is None:
                with remembered(self.earlier), self.as_file() as rows:
                    self.prepared()
                    self.run = Run.of(self.config, asked, rows)
                self.use(self.run.config())
                dataset, split = self.rows.labelled
                self.run.check_split(split.frame(dataset.samples))
            self.run.ask(asked)
        return self.run

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[dict[str, float]]:
        """Lock the run while a stage is done; log, figures and the note of its end belong to it.

        Args:
            name: Name of the stage.

        Yields:
            A dict for the stage's times in seconds.

        Raises:
            StageError: Where the train stage must come first, another process works on the run, a
                file cannot be written, or memory does not suffice.
        """
        run = self.opened() if name == "train" else self.fitted()
        # A copy: the log empties what it has written.
        kept = warned(run, name, tuple(self.earlier))
        said = say_to(run.path("log.txt"), self.earlier)
        here = on_this_machine(f"{run.folder}: {name}")
        # Warnings come before the note of the end: a stage that is done is not done again for them.
        with here, run.alone(), said, run.stage(name) as times, kept:
            yield times
            if self.config.output.figures:
                plots.draw(run, name)
            if self.config.output.layout == "autogenome":
                autogenome_layout.follow(run, name)

    def prepared(self) -> Prepared:
        """Return the rows to learn from and their cross-validation, made once."""
        if self._prepared is None:
            self._prepared = prepared(self.rows, self.config, self.workers)
            if self.config.search.outer:
                self._check_outer(self._prepared.cross_validation)
        return self._prepared

    def _check_outer(self, cross_validation):
        """Refuse outer folds of rows that cannot be divided, or that are read batch by batch."""
        if self.workers:
            raise InputError(
                "search.outer: processes that train one network together (TF_CONFIG) train one "
                "run; expected 0."
            )
        if not cross_validation.is_repeatable:
            raise InputError(
                "search.outer: needs the rows in memory, and they exceed data.memory; expected 0, "
                "or a larger data.memory."
            )
        self.rows.outer_splits(self.config.search.outer)

    def explained(self, settings: Explanation) -> Explained:
        """Return the model with rows to explain, a background, and a way to train networks anew.

        Args:
            settings: The config's `explanation` section, or one in its place.
        """
        run, config, model = self.fitted(), self.config, self.model()
        chosen = self.chosen_rows(model, settings)
        return Explained(run, model, chosen, settings, config.families, self.retraining())

    def retraining(self) -> Retraining:
        """Return the object that retrains trials; rows are prepared at its first use."""
        return Retraining(lambda: self.prepared().cross_validation, self.config.seed)

    def chosen_rows(self, model: Predictor, settings: Explanation) -> ChosenRows:
        """Return rows to explain and a background.

        Args:
            model: The model of the run.
            settings: The config's `explanation` section, or one in its place.
        """
        return choose_rows(self.fitted(), self.rows, model, settings, self.config.seed)

    def forget(self) -> None:
        """Free what training needed."""
        self._prepared = self.workers = None

    def model(self) -> Predictor:
        """Load the model of the run."""
        kind = Predictor if self.config.task.kind.has_targets else LatentModel
        return self._load(kind, "model.keras")

    def latent_model(self, asked: str) -> LatentModel:
        """Load the model of a representation.

        Args:
            asked: What it is needed for, for the message.

        Raises:
            StageError: Where the run is of another kind.
        """
        self.fitted()
        model = self.model()
        if not isinstance(model, LatentModel):
            raise StageError(f"{asked}: only a run of task.type representation has it.")
        return model

    def baseline(self) -> Predictor | None:
        """Load the linear model that the run's is compared with; None where there was none.

        Raises:
            InputError: Where its outputs are in validation.npz, and its file is gone.
        """
        run, name, outputs = self.opened(), "baseline.keras", "validation.npz"
        is_needed = run.has(outputs) and "baseline" in run.read_arrays(outputs)
        return self._load(Predictor, name) if is_needed or run.has(name) else None

    def lacking_genes(self, model: Predictor) -> LackingGenes:
        """Return the object that warns of genes that new rows lack.

        Args:
            model: The model of the run.
        """

        def of_folds():
            name = "folds.keras"
            return self._load(Predictor, name) if self.opened().has(name) else model

        return LackingGenes(model, of_folds, self.rows, self.config)

    def _load(self, kind, name):
        """Load a model of the run; keep it until its file changes.

        HDF5 that may be a stranger's is looked through first.
        """
        found = version(self.opened().path(name))
        known, model = self._models.get(name, (None, None))
        if model is None or known != found:
            with self.opened().intact(name) as path:
                if self._is_opened and zipfile.is_zipfile(path):
                    data.check_hdf5(str(path))
                model = kind.load(path)
            self._models[name] = found, model
        return model

    def use(self, config: Config) -> None:
        """Continue with an equal config whose files are at other places.

        Args:
            config: Config with the same keys except paths of files.
        """
        if config.ensemble != self.config.ensemble:
            self._prepared = None
        self.config, self.rows = config, self.rows.moved(config.data)

    @contextlib.contextmanager
    def as_file(self) -> Iterator[str | None]:
        """Write rows from memory to a temporary archive that the config names; None for files."""
        if self.given is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="autogenome_tf-") as folder:
            rows = os.path.join(folder, "rows.npz")
            options = data.ReadOptions.of(self.config.data)
            if options.matrix is not None:
                raise InputError(
                    f"config: data.matrix: received {options.matrix!r}, which is the name of a "
                    "matrix in a file; expected null for rows in memory, of which X is read. For a "
                    "layer of an AnnData set adata.X = adata.layers[...]."
                )
            x, y = self.given
            beside = self.config.data.target_names if y is None else []
            names = data.write_rows(rows, x, y, [*self.config.further, *beside], options)
            self.config = self.config.targeting(names).reading(rows)
            self.rows = rows_of(self.config)
            try:
                yield rows
            except InputError as error:
                raise InputError(str(error).replace(rows, "data")) from None


@contextlib.contextmanager
def on_this_machine(place: str) -> Iterator[None]:
    """Turn what the machine lacks, disk or memory or a permission, into a message on one line.

    Args:
        place: What was done, for the message.

    Raises:
        StageError: In place of errors of the system.
    """
    try:
        yield
    except (OSError, MemoryError, EngineError) as error:
        # TensorFlow's text goes on with where it was.
        first, *_ = str(error).splitlines() or [""]
        reason = first if isinstance(error, OSError) else f"{type(error).__name__}: {first}"
        raise StageError(
            f"{place}: {reason}. Finished work is kept: the same command continues the run."
        ) from error
