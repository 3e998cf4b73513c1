"""The files of a run folder, each whole or not there: a killed run leaves whole files only."""

import gzip
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.config import read_json
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.core.files import model_names, partial, replacing
from autogenome_tf.run import artifacts
from autogenome_tf.tasks import task_from_names


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
        """Read JSON."""
        return read_json(self.path(name))

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
        with replacing(self.path(name)) as path, open(path, "wb") as raw:
            # Neither name nor time in the header.
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream:
                frame.to_csv(stream, sep="\t", index=False, float_format="%.6g")

    def read_table(self, name: str, text: Iterable[str] = ()) -> pd.DataFrame:
        """Read tab-separated text.

        Only an empty cell is missing: there are genes and classes of the names NA and nan.

        Args:
            name: The file. Columns that the table of artifacts knows as ids and names stay text.
            text: Further columns that stay text.

        Raises:
            InputError: The file is no table.
        """
        kinds = dict.fromkeys([*artifacts.text_columns(name), *text], str)
        try:
            return pd.read_csv(
                self.path(name), sep="\t", dtype=kinds, keep_default_na=False, na_values=[""],
                float_precision="round_trip",
            )  # fmt: skip
        except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
            reason = str(error).strip()
            raise InputError(
                f"{self.path(name)}: not the table that a run writes ({reason}); delete it and run "
                "the stage that writes it again."
            ) from None

    def predictions(self) -> pd.DataFrame:
        """Read predictions.tsv; names of classes stay text whatever they look like.

        Raises:
            InputError: The file lacks columns that the predict stage writes.
        """
        task = task_from_names(self.model_names())
        frame = self.read_table("predictions.tsv", text=task.text_columns)
        missing = [name for name in ("sample", "part", *task.columns) if name not in frame]
        if missing:
            raise InputError(
                f"{self.path('predictions.tsv')}: expected the columns that the predict stage "
                f"writes; missing: {some(missing)}. Run predict again."
            )
        return frame

    def write_arrays(self, name: str, is_compressed: bool = True, **arrays: np.ndarray) -> None:
        """Write a NumPy archive without pickled objects."""
        write: Callable[..., None] = np.savez_compressed if is_compressed else np.savez
        with replacing(self.path(name)) as path, open(path, "wb") as stream:
            write(stream, **arrays)

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Read a NumPy archive."""
        with np.load(self.path(name), allow_pickle=False) as archive:
            return dict(archive)

    def model_names(self) -> dict[str, Any]:
        """Read the names of the model of the run: task, features, classes or targets, sources."""
        return model_names(self.path("model.keras"))


def table_text(frame: pd.DataFrame, digits: int | None = 9, index: bool = False) -> str:
    """Return the tab-separated text of a table.

    Args:
        frame: The rows.
        digits: Significant digits of numbers; None for all.
        index: Whether the index is the first column.
    """
    form = None if digits is None else f"%.{digits}g"
    text = io.StringIO()
    frame.to_csv(text, sep="\t", index=index, float_format=form, lineterminator="\n")
    return text.getvalue()
