"""Files are whole or not there: each is written under a temporary name and renamed."""

import collections
import contextlib
import gzip
import itertools
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

# Of a name inside a file name; file systems take 255 bytes in all.
MOST_LETTERS = 100
# Of a name on a line; longer ones are shortened in their middle.
MOST_SHOWN = 80
# A model's names travel as one more member of the .keras archive, which Keras itself leaves alone.
MODEL_NAMES = "autogenome_tf.json"


def partial(path: str | Path) -> Path:
    """Return the name that a file or folder has while it is written.

    Args:
        path: Path of the final file or folder.
    """
    return Path(path).with_name(f".partial.{Path(path).name}")


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block ends well.

    Args:
        path: The file to write; missing folders are made.

    Yields:
        A path in the same folder, of the same suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = partial(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_packed(path: str | Path) -> Iterator[gzip.GzipFile]:
    """Yield a stream whose bytes, packed by gzip, replace `path` when the block ends well.

    The same bytes make the same file: neither name nor time is in its header.

    Args:
        path: The file to write; missing folders are made.
    """
    with (
        replacing(path) as temporary,
        open(temporary, "wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
    ):
        yield stream


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary empty folder that becomes `path`, which must not exist yet."""
    path = Path(path)
    temporary = partial(path)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def version(path: str | Path) -> tuple[int, ...] | None:
    """Return the key under which what was read of a file can be kept until the file changes.

    Args:
        path: Path of the file.

    Returns:
        Time of the last change, inode and size; None where there is no file.
    """
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(path)
        return found.st_mtime_ns, found.st_ino, found.st_size
    return None


def safe_names(names: Iterable) -> list[str]:
    """Return parts of file names for some names, all different whatever the names are.

    Args:
        names: Names of any characters.

    >>> safe_names(["CD4+", "B cell", "B/cell"])
    ['CD4_', 'B_cell_2', 'B_cell_3']
    """
    plain = [re.sub(r"[^A-Za-z0-9._-]", "_", str(name))[:MOST_LETTERS] for name in names]
    # Some file systems take a letter for its capital.
    times = collections.Counter(name.lower() for name in plain)
    taken = {name for name, count in times.items() if count == 1}
    found = []
    for number, name in enumerate(plain, 1):
        if times[name.lower()] > 1:
            free = (f"{name}_{count}" for count in itertools.count(number))
            name = next(one for one in free if one.lower() not in taken)
            taken.add(name.lower())
        found.append(name)
    return found


def on_a_line(name: object) -> str:
    r"""Make a name fit to be shown: one line of printable letters, not too long.

    Args:
        name: Name of any type and characters.

    >>> on_a_line("CD4\tT\ncell")
    'CD4 T cell'
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in str(name))
    half = MOST_SHOWN // 2
    return plain if len(plain) <= MOST_SHOWN else f"{plain[: half - 1]}…{plain[-half:]}"


def model_names(path: str | Path) -> dict:
    """Read the names (task, features, classes ...) that a model file carries.

    Args:
        path: Path of a .keras file.

    Raises:
        KeyError, ValueError: Where it is not one.
    """
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(MODEL_NAMES))
