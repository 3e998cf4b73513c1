"""The run folder: where results live, how an interrupted run is found again, how files are written.

Every file is written to a temporary name and renamed, so that a killed run leaves whole files only.
"""

import contextlib
import datetime
import fcntl
import gzip
import hashlib
import importlib.metadata
import io
import itertools
import json
import logging
import os
import platform
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from autogenome_tf.config import Config, read_json
from autogenome_tf.core.errors import InputError, StageError, some
from autogenome_tf.core.files import model_names, partial, replacing
from autogenome_tf.core.trust import check_links

log = logging.getLogger(__name__)

PACKAGES = (
    "tensorflow-cpu",
    "autogenome_tf",
    "tensorflow",
    "keras",
    "keras-tuner",
    "numpy",
    "pandas",
    "scikit-learn",
)


DATA = "data.npz"
# What environment.json holds at least.
ENVIRONMENT = {
    "versions": dict, "seed": int, "began": str, "data": dict, "asked": list, "stages": dict,
    "times": dict,
}  # fmt: skip
LOCK = ".lock"
# Columns that hold ids and names, whatever these look like, by the table.
TEXT = {
    "split.tsv": ("sample", "part"),
    "predictions.tsv": ("sample", "part", "prediction"),
    "latent.tsv": ("sample", "part"),
    "clusters.tsv": ("sample", "part"),
    "maps.tsv": ("sample", "part"),
    "leaderboard.tsv": ("family", "status"),
    "attributions.tsv": ("feature",),
    "effects.tsv": ("output", "feature"),
    "stability.tsv": ("feature",),
    "gene_sets.tsv": ("set", "source", "status", "lost"),
    "sets.tsv": ("level", "set"),
    "gates.tsv": ("feature",),
    "interactions.tsv": ("feature_1", "feature_2"),
    "epistasis.tsv": ("output", "sites"),
    "epistasis_orders.tsv": ("output",),
}


class Run:
    """A folder of results.

    Args:
        folder: The folder; it need not exist yet.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    @classmethod
    def of(cls, config, asked, rows=None):
        """Find the unfinished run of a config, or take a new folder beside finished ones.

        Args:
            config: `Config` with absolute paths.
            asked: Names of the stages that make this run complete.
            rows: Path of an archive of rows from memory; it becomes data.npz in the folder.

        Raises:
            InputError: Where the folder cannot be made.
        """
        base = Path(config.output_dir) / config.name
        checksums = {path: checksum(path) for path in config.files}
        with _chosen_alone(base.parent):
            return cls._found(base, config, asked, rows, checksums)

    @classmethod
    def _found(cls, base, config, asked, rows, checksums):
        for number in itertools.count(1):
            run = cls(base if number == 1 else base.with_name(f"{base.name}-{number}"))
            own, sums = run._own(config, rows, checksums)
            if not run.has("environment.json"):
                run._begin(own, sums, asked, rows)
                return run
            if run._is_same(own, sums) and not run._is_complete(asked):
                log.info("%s: resuming the unfinished run of this config", run.folder)
                return run

    @classmethod
    def existing(cls, folder):
        """Open a folder that holds a run, perhaps somebody else's.

        Raises:
            InputError: Where it does not, or leads out of itself.
        """
        run = cls(folder)
        if not (run.folder / "config.json").is_file():
            raise InputError(f"{folder}: not a run folder; expected a config.json in it.")
        check_links(run.folder)
        return run

    @classmethod
    def begun(cls, name, began, config, rows=None):
        """The run that another process has begun in a folder that both see.

        Args:
            name: The folder's, in our `output_dir`.
            began: When it began, as the other says.
            config: `Config` with absolute paths.
            rows: As in `of`.

        Raises:
            InputError: Where it is not there, or of another config or other data.
        """
        run = cls(Path(config.output_dir) / name)
        is_there = run.has("environment.json")
        environment = run.read_json("environment.json") if is_there else {}
        if environment.get("began") != began:
            raise InputError(
                f"{run.folder}: not the run of the chief, which began at {began}; chief and "
                "workers need one output_dir on a file system that they share."
            )
        checksums = {path: checksum(path) for path in config.files}
        config, checksums = run._own(config, rows, checksums)
        differing = config.differing(run.config())
        known, ours = environment["data"], run._relative(checksums)
        differing += [path for path in known.keys() & ours if known[path] != ours[path]]
        if differing:
            raise InputError(
                f"{run.folder}: the chief searches with another config or other data; "
                f"these differ: {some(sorted(differing))}."
            )
        return run

    def _own(self, config, rows, checksums):
        """A config and its checksums as this folder has them, where rows come from memory."""
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
            raise InputError(f"{self.folder}: cannot write here: {error.strerror}.") from None
        environment = {
            "versions": {"python": platform.python_version(), **_versions()},
            "platform": platform.platform(),
            "seed": config.seed,
            "began": _now(),
            "data": self._relative(checksums),
            "asked": list(asked),
            "stages": {},
            "times": {},
        }
        self.write_json("environment.json", environment)

    def _is_same(self, config, checksums):
        with contextlib.suppress(InputError, OSError, ValueError):
            known = self.read_json("environment.json").get("data", {})
            return self.config() == config and known == self._relative(checksums)
        return False

    def _is_complete(self, asked):
        """Whether all stages are done that are asked for, now or ever."""
        return {*asked, *self.environment["asked"]} <= set(self.stages)

    def _relative(self, checksums):
        return {os.path.relpath(path, self.folder): digest for path, digest in checksums.items()}

    def config(self):
        """The config that ran, with absolute paths."""
        return Config.load(self.folder / "config.json")

    @property
    def environment(self):
        """What environment.json says.

        Raises:
            InputError: Where that is not what is written here.
        """
        found = self.read_json("environment.json")
        for key, kind in ENVIRONMENT.items():
            if not isinstance(found, dict) or not isinstance(found.get(key), kind):
                place = self.path("environment.json")
                raise InputError(f"{place}: {key}: expected {kind.__name__}, as a run writes it.")
        return found

    @property
    def stages(self):
        """Stages done."""
        return self.environment["stages"]

    def check_data(self):
        """Refuse data files other than those that the run was trained on.

        Raises:
            InputError: Naming the file.
        """
        known = self.environment["data"]
        for path, digest in self._relative({p: checksum(p) for p in self.config().files}).items():
            if digest and known.get(path) != digest:
                raise InputError(
                    f"{self.path(path).resolve()}: not the file that {self.folder} was trained on: "
                    "its checksum is another one."
                )

    @contextlib.contextmanager
    def stage(self, name):
        """Note a stage as done when the block ends well.

        Yields:
            A dict for its times in seconds.
        """
        times = {}
        yield times
        environment = self.environment
        environment["stages"][name] = _now()
        environment["times"] |= {key: round(value, 3) for key, value in times.items()}
        self.write_json("environment.json", environment)

    @contextlib.contextmanager
    def alone(self):
        """Keep other processes from this run while the block runs.

        Raises:
            StageError: Where another process is working on it. The lock of one that died is gone.
        """
        with open(self.path(LOCK), "a+", encoding="utf-8") as lock:
            try:
                _take(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise StageError(
                    f"{self.folder}: another process works on this run ({lock.read() or '?'}); "
                    "wait for it, or give this run another name or output_dir."
                ) from None
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {platform.node()}")
            lock.flush()
            yield

    def ask(self, stages):
        """Add stages to those that make this run complete.

        Raises:
            StageError: See `alone`.
        """
        if set(stages) <= set(self.environment["asked"]):
            return
        with self.alone():
            environment = self.environment
            environment["asked"] = list(dict.fromkeys([*environment["asked"], *stages]))
            self.write_json("environment.json", environment)

    def path(self, name):
        """Path of a file in the folder."""
        return self.folder / name

    def has(self, name):
        """Whether a file is there."""
        return self.path(name).is_file()

    def require(self, stage, name=None):
        """Refuse to go on before a stage is done, or before a file of it is there.

        Raises:
            StageError: Naming the stage.
        """
        if name and stage in self.stages and not self.has(name):
            kind = self.config().task.type
            raise StageError(f"{self.folder}: no {name}: this run, a {kind}, has none.")
        if not self.has(name) if name else stage not in self.stages:
            raise StageError(f"{self.folder}: the {stage} stage is not done yet; run it first.")

    def remove(self, name):
        """Remove a file, and what a killed process left of it half written."""
        for path in (self.path(name), partial(self.path(name))):
            path.unlink(missing_ok=True)

    def write_text(self, name, text):
        """Write UTF-8 text."""
        with replacing(self.path(name)) as path:
            path.write_text(text, encoding="utf-8")

    def write_json(self, name, value):
        """Write JSON, indented."""
        self.write_text(name, json.dumps(value, indent=2, allow_nan=False) + "\n")

    def read_json(self, name):
        """Read JSON."""
        return read_json(self.path(name))

    def write_table(self, name, frame, digits=9, index=False):
        """Write tab-separated text; numbers with so many significant digits, None for all."""
        form = None if digits is None else f"%.{digits}g"
        text = io.StringIO()
        frame.to_csv(text, sep="\t", index=index, float_format=form, lineterminator="\n")
        self.write_text(name, text.getvalue())

    def write_compressed(self, name, frame, digits=6):
        """Write tab-separated text, compressed; the same frame gives the same bytes."""
        with replacing(self.path(name)) as path, open(path, "wb") as raw:
            # Neither name nor time in the header.
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream:
                frame.to_csv(stream, sep="\t", index=False, float_format=f"%.{digits}g")

    def read_table(self, name, text=()):
        """Read tab-separated text; ids, names and the columns of `text` stay text.

        Only an empty cell is missing: there are genes and classes of the names NA and nan.
        """
        options = {"keep_default_na": False, "na_values": [""], "float_precision": "round_trip"}
        kinds = dict.fromkeys([*TEXT.get(name, ()), *text], str)
        return pd.read_csv(self.path(name), sep="\t", dtype=kinds, **options)

    def model_names(self):
        """What the model of the run goes by: task, features, classes or targets, sources."""
        return model_names(self.path("model.keras"))

    def write_arrays(self, name, is_compressed=True, **arrays):
        """Write a NumPy archive without pickled objects."""
        write = np.savez_compressed if is_compressed else np.savez
        with replacing(self.path(name)) as path, open(path, "wb") as stream:
            write(stream, **arrays)

    def read_arrays(self, name):
        """Read a NumPy archive."""
        with np.load(self.path(name), allow_pickle=False) as archive:
            return dict(archive)


@contextlib.contextmanager
def _chosen_alone(folder):
    """One process at a time chooses a folder among those in another."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "a", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: cannot write here: {error.strerror}.") from None
    with lock:
        _take(lock, fcntl.LOCK_EX)
        yield


def _take(lock, how):
    """Lock a file; where the file system has no locks (some of clusters), go on without."""
    try:
        fcntl.flock(lock, how)
    except BlockingIOError:
        raise
    except OSError as error:
        log.debug("%s: no locks here: %s", lock.name, error)


def checksum(path):
    """SHA-256 of a file, or of the files of a folder; None for what is neither."""
    path = Path(path)
    if not path.is_file() and not path.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(filter(Path.is_file, path.rglob("*"))) if path.is_dir() else [path]:
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _now():
    return datetime.datetime.now().astimezone().isoformat("T", "seconds")


def _versions():
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
