"""The data sets that benchmarks run on: folders with features, target.tsv and meta.json."""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse

from autogenome_tf.run import _console

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

# For "auto": a matrix that passes this, without negative values, is of linear scale.
LARGEST_LOG_VALUE = 100

# What each set's values need, by their units; a set that is not listed gets "auto".
TRANSFORMS = {
    "alon_colon": {"transform": "log2", "log2_floor": 20.0},
    "golub_leukemia": {"transform": "log2", "log2_floor": 20.0},
    "khan_srbct": {"transform": "log1p"},
    "tcga9_rnaseq": {"transform": "log1p"},
    "cellbench_3lines": {"transform": "library_log1p"},
    "nested": {"transform": "library_log1p"},
    "pancreas_3batches": {"transform": "library_log1p"},
    "unequal": {"transform": "library_log1p"},
    "zeisel_3types": {"transform": "library_log1p"},
    "microbiome_vaginal_nugent": {"transform": "relative_log"},
    **dict.fromkeys(
        "brca_tcga_er brca_tcga_subtype concoct_contigs ctrp2_expression_drug liver_toxicity "
        "pbmc3k poelwijk_fluorescence riboflavin wheat_yield".split(),
        {"transform": "none"},
    ),
}


@dataclasses.dataclass(frozen=True)
class Set:
    """One data set: its name, its folder, and whether it is classified."""

    name: str
    folder: Path
    task: str

    @property
    def transform(self):
        """Keys of `data` that its values need; a further question has the values of its set."""
        return TRANSFORMS.get(self.name.partition(".")[0], {"transform": "auto"})

    @property
    def features(self):
        """Path of the matrix."""
        sparse = self.folder / "features.npz"
        return sparse if sparse.exists() else self.folder / "features.tsv.gz"

    def config(self, output, **search):
        """The keys of a config for this set."""
        data = {
            "features": str(self.features),
            "targets": str(self.folder / "target.tsv"),
            "target": "target",
            **self.transform,
        }
        return {
            "name": self.name,
            "output_dir": str(output),
            "data": data,
            "task": {"type": self.task},
            "search": search,
        }

    def matrix(self):
        """Sample ids and (rows, genes) transformed as the config says, by numpy alone."""
        samples, values = self.raw()
        return samples, _transformed(values, **self.transform)

    def raw(self):
        """Sample ids and (rows, genes) as the file has them."""
        if self.features.suffix == ".npz":
            with np.load(self.features) as arrays:
                samples = arrays["samples"].astype(str)
            values = scipy.sparse.load_npz(self.features).toarray().astype("float64")
        else:
            frame = pd.read_csv(self.features, sep="\t", index_col=0)
            samples, values = frame.index.astype(str).to_numpy(), frame.to_numpy("float64")
        return samples, values

    def truth(self, samples):
        """(rows,) class names or numbers of these samples, in their order."""
        kind = str if self.task == "classification" else "float64"
        types = {"sample": str, "target": kind}
        frame = pd.read_csv(self.folder / "target.tsv", sep="\t", dtype=types)
        return frame.set_index("sample")["target"].loc[samples].to_numpy(kind)


def _transformed(x, transform, log2_floor=1.0):
    if transform == "auto":
        is_linear = np.nanmin(x) >= 0 and np.nanmax(x) > LARGEST_LOG_VALUE
        transform = "log1p" if is_linear else "none"
    if transform == "log1p":
        return np.log1p(x)
    if transform == "log2":
        return np.log2(np.maximum(x, log2_floor))
    shares = x / np.maximum(x.sum(1, keepdims=True), 1e-12)
    if transform == "library_log1p":
        return np.log1p(1e4 * shares)
    if transform == "relative_log":
        return np.log10(shares + 1e-5)
    return x


def alone(truth):
    """Which rows are the only ones of their class; none where truth is numbers."""
    names, counts = np.unique(truth, return_counts=True)
    return np.isin(truth, names[counts == 1]) & (truth.dtype.kind != "f")


def sets(folder=SHARED, names=()):
    """The data sets of a folder, all or those named; ends with those there are where none is so."""
    paths = {path.parent.name: path for path in sorted(Path(folder).glob("*/target.tsv"))}
    if unknown := sorted(set(names) - set(paths)):
        raise SystemExit(f"{folder}: no set {', '.join(unknown)}; there are {', '.join(paths)}.")
    found = []
    for name, path in paths.items():
        if names and name not in names:
            continue
        target = pd.read_csv(path, sep="\t")["target"]
        is_number = pd.api.types.is_float_dtype(target)
        task = "regression" if is_number else "classification"
        found.append(Set(name, path.parent, task))
    return found


# What benchmarks of sets ask for alike.
OPTIONS = {
    "--data": {"default": SHARED, "type": Path},
    "--sets": {"nargs": "*", "default": ()},
    "--scores": {"type": Path, "required": True, "help": "a .jsonl that grows by sets"},
}


def parser(text, *options):
    """Return a parser of some of `OPTIONS`, with a text as it stands."""
    found = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option in options:
        found.add_argument(option, **OPTIONS[option])
    return found


def grown(path, ones, measured):
    """Measure the sets that a .jsonl of results lacks; return all its lines as a frame.

    Args:
        path: Path of the file, which grows by whole sets.
        ones: The `Set`s.
        measured: Function of a set that yields its lines, dicts.
    """
    known = set(read_lines(path)["set"]) if path.exists() else set()
    for one in ones:
        if one.name not in known:
            lines = [json.dumps({"set": one.name} | line) for line in measured(one)]
            with path.open("a") as file:
                file.write("\n".join(lines) + "\n")
    return read_lines(path)


def all_lines(text, measured, *options):
    """Measure the sets that a benchmark is asked for and lacks; return all its lines as a frame.

    Args:
        text: Docstring of the benchmark.
        measured: As for `grown`.
        *options: All of `OPTIONS`, named where the benchmark is read.
    """
    asked = parser(text, *options).parse_args()
    _console.talk(quiet=True)
    return grown(asked.scores, sets(asked.data, asked.sets), measured)


def written(folder, samples, genes, matrix, targets):
    """Write a set of counts or values to a folder: features.npz and target.tsv.

    Args:
        folder: An existing folder.
        samples: (rows,) ids.
        genes: (genes,) names.
        matrix: (rows, genes) array.
        targets: (rows,) names of classes, or numbers.
    """
    sparse = scipy.sparse.csr_matrix(matrix.astype("float32"))
    np.savez(
        folder / "features.npz", data=sparse.data, indices=sparse.indices, indptr=sparse.indptr,
        shape=sparse.shape, format=b"csr", samples=samples, genes=genes,
    )  # fmt: skip
    frame = pd.DataFrame({"sample": samples, "target": targets})
    frame.to_csv(folder / "target.tsv", sep="\t", index=False)


def read_lines(path):
    """Return the lines of a .jsonl of results as a frame."""
    return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
