"""The files of a run folder, each whole or not there: a killed run leaves whole files only."""

import contextlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.config import read_json
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.files import model_names, partial, replacing, replacing_packed
from autogenome_tf.run import artifacts
from autogenome_tf.run._as_written import changed, check_arrays, check_json, check_table, way_out
from autogenome_tf.tasks import task_from_names

# What reading raises where a file is not what a run writes.
_DAMAGED = (
    pd.errors.EmptyDataError, pd.errors.ParserError, zipfile.BadZipFile, zlib.error, EOFError,
    KeyError, TypeError, ValueError,
)  # fmt: skip


class Folder:
    """A folder whose files are read and written in the forms that runs use.

    Args:
        folder: The folder; it need not exist yet.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def path(self, name: str) -> Path:
        """Return the path of a file in the folder."""
        return self.folder / name

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        return self.path(name).is_file()

    @contextlib.contextmanager
    def intact(self, name: str) -> Iterator[Path]:
        """Say what to do where a file that the block reads is gone or damaged.

        Args:
            name: The file.

        Yields:
            Its path.

        Raises:
            InputError: Naming the file, what is wrong with it, and the way out.
        """
        path = self.path(name)
        try:
            if not path.is_file():
                raise InputError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}.")
            yield path
        except InputError as error:
            raise InputError(f"{str(error).rstrip('.')}. {way_out(name)}") from None
        except _DAMAGED as error:
            raise changed(path, name, str(error).strip()) from None

    def remove(self, name: str) -> None:
        """Remove a file, and what a killed process left of it half written."""
        for path in (self.path(name), partial(self.path(name))):
            path.unlink(missing_ok=True)

    def remove_optional(self, stage: str, further: Iterable[str] = ()) -> None:
        """Remove the files of a stage that its next time may not write again.

        Args:
            stage: Name of the stage.
            further: Names of files of it that the table of artifacts does not know.
        """
        for name in (*artifacts.optional_files(stage), *further):
            self.remove(name)

    def write_text(self, name: str, text: str) -> None:
        """Write UTF-8 text."""
        with replacing(self.path(name)) as path:
            path.write_text(text, encoding="utf-8")

    def write_json(self, name: str, value: Any) -> None:
        """Write JSON, indented."""
        self.write_text(name, json.dumps(value, indent=2, allow_nan=False) + "\n")

    def read_json(self, name: str) -> Any:
        """Read JSON.

        Raises:
            InputError: The file is not as a run writes it.
        """
        with self.intact(name) as path:
            found = read_json(path)
        check_json(self.path(name), name, found)
        return found

    def write_table(
        self, name: str, frame: pd.DataFrame, digits: int | None = 9, index: bool = False
    ) -> None:
        """Write tab-separated text.

        Args:
            name: The file.
            frame: The rows.
            digits: Significant digits of numbers; None for all.
            index: Whether the index is the first column.
        """
        self.write_text(name, table_text(frame, digits, index))

    def write_compressed(self, name: str, frame: pd.DataFrame) -> None:
        """Write tab-separated text, compressed, to six significant digits.

        The same frame gives the same bytes.

        Args:
            name: The file.
            frame: The rows.
        """
        with replacing_packed(self.path(name)) as stream:
            frame.to_csv(stream, sep="\t", index=False, float_format="%.6g")

    def read_table(
        self, name: str, text: Iterable[str] = (), needed: Iterable[str] = ()
    ) -> pd.DataFrame:
        """Read tab-separated text.

        Only an empty cell is missing: there are genes and classes of the names NA and nan.

        Args:
            name: The file. Columns that the table of artifacts knows as ids and names stay text.
            text: Further columns that stay text.
            needed: Further columns that must be there.

        Raises:
            InputError: The file is no table, or not as a run writes it.
        """
        path, known = self.path(name), artifacts.artifact_of(name)
        kinds = dict.fromkeys([*(known.text if known else ()), *text], str)
        with self.intact(name):
            if path.suffix == ".tsv" and _last_byte(path) != b"\n":
                # Cells that a cut line lacks would be read as missing values.
                raise ValueError("it ends within a line")
            frame = pd.read_csv(
                path, sep="\t", dtype=kinds, keep_default_na=False, na_values=[""],
                float_precision="round_trip",
            )  # fmt: skip
        check_table(path, name, frame, needed)
        return frame

    def predictions(self) -> pd.DataFrame:
        """Read predictions.tsv; names of classes stay text whatever they look like.

        Raises:
            InputError: The file is not as a run writes it.
        """
        task = task_from_names(self.model_names())
        return self.read_table("predictions.tsv", text=task.text_columns, needed=task.columns)

    def write_arrays(self, name: str, is_compressed: bool = True, **arrays: np.ndarray) -> None:
        """Write a NumPy archive without pickled objects."""
        write: Callable[..., None] = np.savez_compressed if is_compressed else np.savez
        with replacing(self.path(name)) as path, open(path, "wb") as stream:
            write(stream, **arrays)

    def read_arrays(self, name: str, needed: Iterable[str] = ()) -> dict[str, np.ndarray]:
        """Read a NumPy archive.

        Args:
            name: The file.
            needed: Arrays that must be there beside those that it always has.

        Raises:
            InputError: The file is not as a run writes it.
        """
        with self.intact(name) as path, zipfile.ZipFile(path), np.load(path) as archive:
            found = dict(archive)
        check_arrays(path, name, found, needed)
        return found

    def model_names(self) -> dict[str, Any]:
        """Read the names of the model of the run: task, features, classes or targets, sources.

        Raises:
            InputError: The file is no model.
        """
        with self.intact("model.keras") as path:
            return model_names(path)


def _last_byte(path):
    """Return the last byte of a file, none of an empty one."""
    with open(path, "rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        return file.read()


def table_text(
    frame: pd.DataFrame, digits: int | None = 9, index: bool = False, delimiter: str = "\t"
) -> str:
    """Return a table as text.

    Args:
        frame: The rows.
        digits: Significant digits of numbers; None for all.
        index: Whether the index is the first column.
        delimiter: What stands between two cells; a tab by default.
    """
    form = None if digits is None else f"%.{digits}g"
    text = io.StringIO()
    frame.to_csv(text, sep=delimiter, index=index, float_format=form, lineterminator="\n")
    return text.getvalue()
