"""MuData files: one modality is the matrix; its obs and that of all go along."""

import contextlib

from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.data._annotated import read_group
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._hdf5 import check_hdf5
from autogenome_tf.data._memory import annotated_table
from autogenome_tf.data._optional import optional
from autogenome_tf.data._reader import Reader, ReadOptions


class H5mu(Reader):
    """Read X of one modality of a MuData file: that of `data.matrix`, or the only one."""

    kinds = ".h5mu"
    suffixes = (".h5mu",)
    duplicates = "suffix"
    takes = ("matrix",)

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        optional("anndata", "singlecell", source)
        check_hdf5(source, options.most(source), "mod", "obs")
        try:
            name, data, values = _opened(source, options)
        except (InputError, MemoryError):
            raise
        except Exception as error:  # anndata and h5py name a damaged file by a dozen kinds of error
            raise InputError(f"{source}: not a readable .h5mu file ({error}).") from error
        kind, words = f"h5mu, modality {name!r}", options.missing_words
        return annotated_table(source, data, kind, options.columns, values, words)


def _opened(source, options):
    """Return the name of the modality, its names as an AnnData without X, and X."""
    import h5py

    with h5py.File(source) as file:
        name = _modality(source, list(file["mod"]), options.matrix)
        data, values = read_group(file["mod"][name], source, None, options.limit)
        # What is said of all cells stands beside what the modality says of its own.
        with contextlib.suppress(KeyError):
            every = optional("anndata", "singlecell", source).io.read_elem(file["obs"])
            more = every.drop(columns=data.obs.columns, errors="ignore")
            data.obs = data.obs.join(more)
        return name, data, values


def _modality(source, known, asked):
    if asked is None and len(known) != 1:
        raise InputError(
            f"{source}: holds the modalities {some(known)}; expected the name of one as "
            "data.matrix."
        )
    if asked is not None and asked not in known:
        raise unknown(f"{source}: data.matrix", asked, known)
    return known[0] if asked is None else asked
