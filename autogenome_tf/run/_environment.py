"""Content of environment.json: versions, data checksums, stages done, times."""

import contextlib
import datetime
import functools
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

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


def new_environment(seed: int, data: dict, asked: Iterable[str]) -> dict[str, Any]:
    """Return the environment of a run that begins now.

    Args:
        seed: The config's.
        data: Checksum of each data file, by its path relative to the folder.
        asked: Names of the stages that make the run complete.
    """
    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
        "seed": seed,
        "began": now(),
        "data": data,
        "asked": list(asked),
        "stages": {},
        "times": {},
    }


def now() -> str:
    """Return the time of day, with its zone, to the second."""
    return datetime.datetime.now().astimezone().isoformat("T", "seconds")


def checksum(path: str | Path) -> str | None:
    """Return the SHA-256 of a file, or of the files of a folder; None for what is neither."""
    path = Path(path)
    if not path.is_file() and not path.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(filter(Path.is_file, path.iterdir())) if path.is_dir() else [path]:
        with open(file, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def relative(checksums: Mapping[str, str | None], folder: Path) -> dict[str, str | None]:
    """Return checksums by paths as seen from a folder, so that both can move together."""
    return {os.path.relpath(path, folder): digest for path, digest in checksums.items()}


@functools.cache
def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
