"""Autoencoders whose latent units stand for gene sets: what is recovered, and what is left out."""

import tempfile

import numpy as np
import pandas as pd
import pytest

import autogenome_tf as ag
from autogenome_tf.core.errors import InputError
from autogenome_tf.nn.probabilistic_pca import ProbabilisticPCA
from autogenome_tf.nn.res_vae import ResVAE

MODULES, EACH, GENES = 6, 15, 120


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Rows driven by module activities; module 5 is driven by none; its file of gene sets."""
    chance = np.random.default_rng(3)
    names = [f"G{gene:03d}" for gene in range(GENES)]
    activity = chance.normal(size=(300, MODULES))
    values = 0.7 * chance.normal(size=(300, GENES))
    lines = []
    for module in range(MODULES):
        genes = chance.permutation(GENES)[:EACH]
        if module < MODULES - 1:
            values[:, genes] += activity[:, [module]] * chance.uniform(0.5, 1.5, EACH)
        lines.append("\t".join([f"M{module}", "", *(names[gene] for gene in genes)]))
    path = tmp_path_factory.mktemp("planted") / "modules.gmt"
    path.write_text("\n".join(lines))
    frame = pd.DataFrame(values, [f"s{row}" for row in range(300)], names)
    return frame, activity, str(path)


@pytest.fixture(scope="module")
def fitted(planted, tmp_path_factory):
    """A run on them."""
    frame, _, path = planted
    config = {
        "name": "modules", "output_dir": str(tmp_path_factory.mktemp("runs")),
        "task": {"type": "representation"}, "output": {"figures": False},
        "families": {"resvae": {"gene_sets": path, "bypass": 1, "start_width": 64, "layers": 2,
                                "decay_ratio": 0.5, "dropout": 0.0}},
        "search": {"max_trials": 1, "epochs": 5}, "training": {"epochs": 150},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(frame, None))
    automl.train()
    return automl


def test_latent_units_are_the_activities_with_their_sign(planted, fitted):
    _, activity, _ = planted
    latent = fitted.predict()
    assert list(latent.columns) == ["sample", "part", *(f"M{m}" for m in range(MODULES)), "z1"]
    rows = latent["sample"].str[1:].astype(int).to_numpy()
    for module in range(MODULES - 1):
        found = np.corrcoef(latent[f"M{module}"], activity[rows, module])[0, 1]
        assert found > 0.9, module
    active = latent[[f"M{module}" for module in range(MODULES - 1)]].std().min()
    assert latent["M5"].std() < 0.7 * active


def test_a_unit_tells_of_the_genes_of_its_set_alone(planted, fitted):
    frame, _, path = planted
    # Values as they are decoded at the origin, and one unit away from it.
    points = np.vstack([np.zeros(MODULES + 1), np.eye(MODULES + 1)]).astype("float32")
    told = fitted.decode(points)
    with open(path) as file:
        sets = {name: set(genes) for name, _, *genes in (line.strip().split("\t") for line in file)}
    for unit, genes in enumerate(sets.values(), 1):
        moved = np.abs(told.iloc[unit] - told.iloc[0]) > 1e-6
        assert set(told.columns[moved]) <= genes
    assert (np.abs(told.iloc[-1] - told.iloc[0]) > 1e-7).mean() > 0.5


def test_the_run_loads_and_its_outputs_are_explained_by_name(fitted, planted):
    again = ag.load(fitted.folder)
    frame, *_ = planted
    pd.testing.assert_frame_equal(again.predict(frame), fitted.predict(frame))
    table = again.explain(samples=5)
    assert list(table.columns[3:]) == [*(f"M{m}" for m in range(MODULES)), "z1"]
    sets = pd.read_csv(again.folder / "gene_sets.tsv", sep="\t")
    assert sets["status"].tolist() == ["kept"] * MODULES
    assert set(sets["family"]) == {"resvae"}


def test_sets_decide_how_many_units_there_are(planted):
    config = {"name": "x", "task": {"type": "representation"},
              "families": {"resvae": {"gene_sets": planted[2], "latent": 4}}}  # fmt: skip
    with pytest.raises(
        InputError, match=r"families.resvae.latent: the number of gene_sets sets it"
    ):
        ag.AutoGenome(config, data=(planted[0], None))
    config["families"] = {"resvae": {"bypass": 2}}
    with pytest.raises(InputError, match="bypass"):
        ag.AutoGenome(config, data=(planted[0], None))


def test_cells_get_the_activities_of_the_sets(planted):
    anndata = pytest.importorskip("anndata")
    frame, _, path = planted
    cells = anndata.AnnData(frame.iloc[:80])
    with tempfile.TemporaryDirectory() as folder:
        config = {
            "output_dir": folder, "training": {"epochs": 2}, "search": {"epochs": 2},
            "families": {"resvae": {"gene_sets": path, "bypass": 0}},
            "output": {"figures": False},
        }  # fmt: skip
        ag.tl.resvae(cells, config=config)
    assert cells.obsm["X_resvae"].shape == (80, MODULES)


def test_chances_of_a_zero_do_not_turn_a_unit():
    model = ResVAE(4, 1, widths=[4], likelihood="zero_inflated", sets=[[0] * 4, [0, 1, 2, 3]])
    # The unit raises its genes, and lowers their chance of being left out even more.
    model.decoder.set_weights([np.repeat([1.0, -2.0], 4), np.zeros(8)])
    decoded = np.asarray(model.finished().decoder(np.ones((1, 1), "float32")))
    assert decoded[0].tolist() == [1] * 4 + [-2] * 4


def test_a_model_of_sets_starts_as_the_components_of_each_set():
    chance = np.random.default_rng(2)
    z = chance.normal(size=(500, 2))
    rows = 0.3 * chance.normal(size=(500, 12))
    rows[:, :5] += z[:, [0]]
    rows[:, 4:9] += z[:, [1]]
    units = np.repeat([0, 1, 2], [5, 5, 12])
    told = np.concatenate([np.arange(5), np.arange(4, 9), np.arange(12)])
    found = ProbabilisticPCA.of_sets(rows.astype("float32"), units, told)
    assert not found.kernel[0, 5:].any()
    assert not found.kernel[1, :4].any()
    means = (rows - found.mean) @ found.encoder
    for unit in (0, 1):
        assert abs(np.corrcoef(means[:, unit], z[:, unit])[0, 1]) > 0.95
    # The posterior mean of a factor model, solved row by row.
    noise = found.variance * np.eye(12)
    change = np.linalg.solve(found.kernel.T @ found.kernel + noise, rows[0] - found.mean)
    by_hand = found.kernel @ change
    np.testing.assert_allclose(means[0], by_hand, rtol=1e-6)
