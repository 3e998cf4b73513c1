"""A run: where results live, and how an interrupted one is found again."""

import contextlib
import functools
import logging
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from autogenome_tf.config import Config
from autogenome_tf.core.errors import InputError, StageError, cannot_write, some
from autogenome_tf.core.files import replacing, version
from autogenome_tf.core.trust import check_links
from autogenome_tf.metrics import in_order
from autogenome_tf.run import _environment, _lock, artifacts
from autogenome_tf.run._as_written import changed
from autogenome_tf.run._folder import Folder

log = logging.getLogger(__name__)

DATA, ENVIRONMENT, SPLIT = "data.npz", "environment.json", "split.tsv"
METRICS, BASELINE = "metrics.json", "baseline.json"
# Default of `training.batch_size` before it was "auto".
BATCH_OF_BEFORE = 64


@functools.lru_cache(8)
def _config(path, _version):
    """Read a config; reports and figures ask for it nearly a hundred times a run."""
    return Config.load(path)


def _as_begun(config, known):
    """Return a config as a run takes it that may be of an earlier version.

    These trained a single network, by batches of 64 where nothing else was asked.

    Args:
        config: `Config`.
        known: That in the folder of the run, where all defaults of its version are filled in.
    """
    if config.training.batch_size == "auto" and known.training.batch_size == BATCH_OF_BEFORE:
        training = config.training.model_copy(update={"batch_size": BATCH_OF_BEFORE})
        config = config.model_copy(update={"training": training})
    is_of_before = "ensemble" in known.model_fields_set
    is_of_before &= "seeds" not in known.ensemble.model_fields_set
    if not is_of_before or config.ensemble.seeds != "auto":
        return config
    single = config.ensemble.model_copy(update={"seeds": 1})
    return config.model_copy(update={"ensemble": single})


class Run(Folder):
    """A folder of results with the config that ran and the stages that are done.

    Args:
        folder: The folder; it need not exist yet.
    """

    @classmethod
    def of(cls, config: Config, asked: Iterable[str], rows: str | None = None) -> "Run":
        """Find the unfinished run of a config, or take a new folder beside finished ones.

        Args:
            config: `Config` with absolute paths.
            asked: Names of the stages that make this run complete.
            rows: Path of an archive of rows from memory; it becomes data.npz in the folder.

        Raises:
            InputError: Where the folder cannot be made.
        """
        base = Path(config.output_dir) / config.name
        checksums = {path: _environment.checksum(path) for path in config.files}
        with _lock.one_at_a_time(base.parent):
            return cls._found(base, config, list(asked), rows, checksums)

    @classmethod
    def _found(cls, base, config, asked, rows, checksums):
        number = 0
        while True:
            number += 1
            run = cls(base if number == 1 else base.with_name(f"{base.name}-{number}"))
            own, sums = run._own(config, rows, checksums)
            if not run.has(ENVIRONMENT):
                run._begin(own, sums, asked, rows)
                return run
            if run._is_same(own, sums) and not run._is_complete(asked):
                log.info("%s: resuming the unfinished run of this config", run.folder)
                return run

    @classmethod
    def existing(cls, folder: str | Path) -> "Run":
        """Open a folder that holds a run, perhaps somebody else's.

        Args:
            folder: Path of the run folder.

        Raises:
            InputError: Where it does not, or leads out of itself.
        """
        run = cls(folder)
        if not (run.folder / "config.json").is_file():
            raise InputError(f"{folder}: not a run folder; expected a config.json in it.")
        check_links(run.folder)
        return run

    @classmethod
    def begun(cls, name: str, began: str, config: Config, rows: str | None = None) -> "Run":
        """Open the run that another process has begun in a folder that both see.

        Args:
            name: The folder's, in our `output_dir`.
            began: When it began, as the other says.
            config: `Config` with absolute paths.
            rows: As in `of`.

        Raises:
            InputError: Where it is not there, or of another config or other data.
        """
        run = cls(Path(config.output_dir) / name)
        environment = run.read_json(ENVIRONMENT) if run.has(ENVIRONMENT) else {}
        if environment.get("began") != began:
            raise InputError(
                f"{run.folder}: not the run of the chief, which started at {began}; chief and "
                "workers need the same output_dir on a shared file system."
            )
        checksums = {path: _environment.checksum(path) for path in config.files}
        config, checksums = run._own(config, rows, checksums)
        differing = config.differing(run.config())
        known, ours = environment["data"], _environment.relative(checksums, run.folder)
        differing += [path for path in known.keys() & ours if known[path] != ours[path]]
        if differing:
            raise InputError(
                f"{run.folder}: the chief searches with another config or other data; these keys "
                f"differ: {some(sorted(differing))}."
            )
        return run

    @property
    def place(self) -> str:
        """Return the folder's name; of an outer fold, its path from that of the run it is of."""
        above = self.folder.parents
        if self.folder.parent.name == artifacts.OUTER and (above[1] / ENVIRONMENT).is_file():
            return f"{above[1].name}/{artifacts.OUTER}/{self.folder.name}"
        return self.folder.name

    def _own(self, config, rows, checksums):
        """Return config and checksums as this folder has them, where rows come from memory."""
        kept = str(self.path(DATA).resolve())
        sums = {kept if path == rows else path: digest for path, digest in checksums.items()}
        return config.reading(kept) if rows else config, sums

    def _begin(self, config, checksums, asked, rows):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if rows:
                with replacing(self.path(DATA)) as path:
                    shutil.copyfile(rows, path)
            self.write_text("config.json", config.relative(self.folder).as_json())
        except OSError as error:
            raise cannot_write(self.folder, error) from None
        data = _environment.relative(checksums, self.folder)
        self.write_json(ENVIRONMENT, _environment.new_environment(config.seed, data, asked))

    def _is_same(self, config, checksums):
        with contextlib.suppress(InputError, OSError, ValueError):
            known = self.read_json(ENVIRONMENT).get("data", {})
            ours = _environment.relative(checksums, self.folder)
            same = self.config() == _as_begun(config, self._known_config())
            return same and known == ours
        return False

    def _is_complete(self, asked):
        """Return whether all stages are done that are asked for, now or ever."""
        return {*asked, *self.environment["asked"]} <= set(self.stages)

    def config(self) -> Config:
        """Return the config that ran, with absolute paths."""
        known = self._known_config()
        return _as_begun(known, known)

    def _known_config(self):
        path = self.folder / "config.json"
        return _config(path, version(path))

    @property
    def environment(self) -> dict[str, Any]:
        """Read environment.json.

        Raises:
            InputError: Where the file is not as a run writes it.
        """
        return self.read_json(ENVIRONMENT)

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Read metrics.json: the metrics of each part; nothing before they are written.

        Raises:
            InputError: The file is not as a run writes it.
        """
        if not self.has(METRICS):
            return {}
        found, kind = self.read_json(METRICS), self.config().task.kind
        needed = {*kind.headlines, kind.skill} if kind.has_targets else set()
        self._check_metrics(METRICS, found, dict.fromkeys(in_order(found), needed))
        return found

    def baseline_metrics(self) -> dict[str, dict[str, Any]]:
        """Read baseline.json: the linear model's metrics of each part; nothing without one.

        Raises:
            InputError: The file is not as a run writes it.
        """
        if not self.has(BASELINE):
            return {}
        found = self.read_json(BASELINE)
        self._check_metrics(BASELINE, found, self.metrics())
        return found

    def _check_metrics(self, name, found, needed):
        """Refuse a file whose parts lack metrics that others show beside them."""
        for part in found.keys() & needed:
            missing = sorted(set(needed[part]).difference(found[part]))
            if missing:
                raise changed(self.path(name), name, f"{part}: missing metrics: {some(missing)}")

    @property
    def searched(self) -> str:
        """Return the name of the table of trials with the scores that they had in the search.

        An interrupted training goes on from it: leaderboard.tsv has other scores once the best
        trials are judged anew, and the search would take another way by these.
        """
        return artifacts.SEARCHED if self.has(artifacts.SEARCHED) else "leaderboard.tsv"

    @property
    def stages(self) -> dict[str, str]:
        """Return the stages that are done, each with the time of its end."""
        return self.environment["stages"]

    @property
    def has_all_folds(self) -> bool:
        """Return whether no outer fold of the config is missing."""
        environment = self.environment
        return (
            artifacts.OUTER in environment["stages"] or artifacts.OUTER not in environment["asked"]
        )

    def check_data(self) -> None:
        """Refuse data files other than those that the run was trained on.

        Raises:
            InputError: Naming the file.
        """
        known = self.environment["data"]
        ours = {path: _environment.checksum(path) for path in self.config().files}
        for path, digest in _environment.relative(ours, self.folder).items():
            if digest and known.get(path) != digest:
                raise InputError(
                    f"{self.path(path).resolve()}: not the file that {self.folder} was trained "
                    "on: its checksum differs. Put that one back, or run the config again, which "
                    "makes a new run."
                )

    def check_split(self, frame: pd.DataFrame) -> None:
        """Refuse another split than the one that the run was trained with.

        Scores of rows that the model was trained on would pass for those of held-out rows.

        Args:
            frame: The split that config and data give now, as split.tsv has it.

        Raises:
            InputError: Naming a sample that has another part or fold.
        """
        if "train" not in self.stages or not self.has(SPLIT):
            return
        ours, known = frame.set_index("sample"), self.read_table(SPLIT).set_index("sample")
        both = known.reindex(ours.index)
        columns = ours.columns.intersection(known.columns)
        is_other = (both[columns] != ours[columns]).any(axis=1).to_numpy()
        if is_other.any() or len(known) != len(ours):
            such = f", such as {ours.index[is_other][0]!r}" if is_other.any() else ""
            raise InputError(
                f"{self.path(SPLIT)}: the run was trained with this split, and its config.json "
                f"and data now give another one: {max(is_other.sum(), 1)} of {len(ours)} samples"
                f"{such} differ in part or fold. Undo the change of either file, or run the "
                "changed config under another name."
            )

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[dict[str, float]]:
        """Mark a stage as done when the block ends without an error.

        Args:
            name: Name of the stage.

        Yields:
            A dict for its times in seconds.
        """
        times: dict[str, float] = {}
        yield times
        environment = self.environment
        environment["stages"][name] = _environment.now()
        environment["times"] |= {key: round(value, 3) for key, value in times.items()}
        self.write_json(ENVIRONMENT, environment)

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other processes from this run while the block runs.

        Raises:
            StageError: Where another process is working on it. The lock of one that died is gone.
        """
        return _lock.alone(self.folder)

    def ask(self, stages: Iterable[str]) -> None:
        """Add stages to those that make this run complete.

        Args:
            stages: Names of stages.

        Raises:
            StageError: See `alone`.
        """
        if set(stages) <= set(self.environment["asked"]):
            return
        with self.alone():
            environment = self.environment
            environment["asked"] = list(dict.fromkeys([*environment["asked"], *stages]))
            self.write_json(ENVIRONMENT, environment)

    def require(self, name: str, stage: str | None = None) -> None:
        """Refuse to go on before a stage is done, or before a file of it is there.

        Args:
            name: Of a stage, or of a file.
            stage: The stage that writes the file, where the table of artifacts does not know it.

        Raises:
            StageError: Naming the stage, or that this run has no such file.
        """
        is_stage = name in artifacts.STAGES
        if name in self.stages if is_stage else self.has(name):
            return
        stage = name if is_stage else artifacts.stage_of(name) or stage
        if stage in artifacts.STAGES and stage not in self.stages:
            raise StageError(f"{self.folder}: the {stage} stage is not done yet; run it first.")
        kind = self.config().task.type
        raise StageError(f"{self.folder}: no {name}: this run, a {kind}, has none.")
