"""Data sets that come inside the installed scanpy: ``scanpy:pbmc68k_reduced``; no network."""

import pathlib
import warnings

from autogenome_tf.core.errors import unknown
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._memory import annotated_table
from autogenome_tf.data._optional import optional
from autogenome_tf.data._reader import Reader, ReadOptions

_PREFIX = "scanpy:"


class Scanpy(Reader):
    """Read a data set that comes inside scanpy, X as stored."""

    kinds = "scanpy:<data set>"
    duplicates = "suffix"

    def matches(self, source: str) -> bool:
        """Return whether a source names a data set of scanpy."""
        return source.startswith(_PREFIX)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says.

        Raises:
            InputError: scanpy is not installed, or brings no such data set in its own files.
        """
        datasets = optional("scanpy", "singlecell", source).datasets
        bundled = _bundled(datasets)
        name = source.removeprefix(_PREFIX)
        if name not in bundled:
            raise unknown(source, name, bundled)
        with warnings.catch_warnings(action="ignore"):  # the simulated sets number cells repeatedly
            data = getattr(datasets, name)()
            data.obs_names_make_unique()
        return annotated_table(source, data, "bundled with scanpy", options.columns)


def _bundled(datasets):
    """Return the names of the loaders whose file is in the package: none of them downloads."""
    files = pathlib.Path(datasets.__file__).parent.glob("*.*")
    stems = [file.stem for file in files if file.suffix in (".h5ad", ".txt")]
    return [name for name in dir(datasets) if any(stem.endswith(name) for stem in stems)]
