"""Copies of real sets as the field would hand them in end with the scores of the originals."""

import gzip

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag

SETS = {
    "alon_colon": "classification",
    "khan_srbct": "classification",
    "brca_tcga_subtype": "classification",
    "riboflavin": "regression",
    "liver_toxicity": "regression",
}
LOSSES = {"classification": "logistic", "regression": "ridge"}


def transposed(features, targets):
    """Genes in rows, below a heading that the field uses for genes."""
    genes = features.T
    genes.index.name = "gene_id"
    return genes, targets


def reordered(features, targets):
    """Targets in another order than the matrix."""
    return features, targets.sample(frac=1.0, random_state=1)


def renamed(features, targets):
    """Sample ids as R writes them, with points for all other signs, in the matrix alone."""
    named = [f"TCGA-{number:02d}-{name}" for number, name in enumerate(features.index)]
    targets = targets.rename(dict(zip(features.index, named, strict=True)))
    points = [name.replace("-", ".").replace("_", ".") for name in named]
    return features.set_axis(points).rename_axis("sample"), targets


def thinned(features, targets):
    """Targets of a larger cohort: rows that the matrix does not have, in between."""
    others = targets.sample(frac=0.5, random_state=2)
    others.index = [f"other{number}" for number in range(len(others))]
    return features, pd.concat([others, targets]).sample(frac=1.0, random_state=3)


COPIES = {copy.__name__: copy for copy in (transposed, reordered, renamed, thinned)}


def original(folder):
    """Return the matrix and the targets of a set, by sample id."""
    features = pd.read_csv(folder / "features.tsv.gz", sep="\t", index_col=0)
    targets = pd.read_csv(folder / "target.tsv", sep="\t", index_col=0)
    # Rows in the order of the matrix, so that the split is the same in every copy.
    return features, targets.loc[features.index]


def scores(folder, name, features, targets):
    """Return the test metrics of a linear model, its values alone."""
    folder.mkdir()
    with gzip.open(folder / "matrix.tsv.gz", "wt", compresslevel=1) as stream:
        features.to_csv(stream, sep="\t")
    targets.to_csv(folder / "labels.tsv", sep="\t", index_label="sample")
    config = {
        "name": "run",
        "output_dir": str(folder),
        "data": {
            "features": str(folder / "matrix.tsv.gz"),
            "targets": str(folder / "labels.tsv"),
            "target": "target",
            "missing": "mean",
        },
        "task": {"type": SETS[name]},
        "families": {"linear": {"loss": LOSSES[SETS[name]], "gene_power": 0, "l2": [0.1, 1.0]}},
        "output": {"figures": False},
    }
    automl = ag.AutoGenome(config)
    automl.train()
    found = automl.evaluate()["test"]
    return {metric: score["value"] for metric, score in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_copies_end_with_the_scores_of_the_original(tmp_path, shared, name):
    features, targets = original(shared / name)
    expected = scores(tmp_path / "original", name, features, targets)
    for copy, change in COPIES.items():
        found = scores(tmp_path / copy, name, *change(features, targets))
        for metric, value in expected.items():
            np.testing.assert_allclose(found[metric], value, atol=1e-6, err_msg=f"{copy} {metric}")
