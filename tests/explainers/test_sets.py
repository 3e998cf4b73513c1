"""From gene sets in a config to sets.tsv: planted sets are found, controls are what they say."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.stats

import autogenome_tf as ag
from autogenome_tf import explainers, families
from autogenome_tf.core.errors import InputError
from autogenome_tf.explainers import _sets
from autogenome_tf.models import Predictor
from autogenome_tf.tasks import OutputMeans
from autogenome_tf.training import Configuration

SETS, EACH, GENES, ROWS, DRIVERS = 24, 10, 160, 240, 3


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Genes that follow the activities of their sets, and classes that follow three of those."""
    chance = np.random.default_rng(5)
    names = [f"G{gene:03d}" for gene in range(GENES)]
    members = [chance.permutation(GENES)[:EACH] for _ in range(SETS)]
    activity = chance.normal(size=(ROWS, SETS))
    values = 0.8 * chance.normal(size=(ROWS, GENES))
    for number, genes in enumerate(members):
        values[:, genes] += activity[:, [number]]
    target = np.where(activity[:, :DRIVERS].sum(axis=1) > 0, "high", "low")
    folder = tmp_path_factory.mktemp("planted")
    lines = [
        "\t".join([f"SET{number:02d}", "", *(names[gene] for gene in genes)])
        for number, genes in enumerate(members)
    ]
    (folder / "sets.gmt").write_text("\n".join(lines))
    (folder / "groups.gmt").write_text(
        "FIRST\t\tSET00\tSET01\tSET02\nREST\t\tSET03\tSET04\tSET05\n"
    )
    return pd.DataFrame(values, [f"s{row}" for row in range(ROWS)], names), target, folder


@pytest.fixture(scope="module")
def run(planted, tmp_path_factory):
    """A run of all stages on them."""
    frame, target, folder = planted
    config = {
        "name": "sets", "output_dir": str(tmp_path_factory.mktemp("runs")),
        "families": {"pathway": {
            "gene_sets": str(folder / "sets.gmt"), "set_groups": str(folder / "groups.gmt"),
            "activation": "tanh", "normalization": "none", "dropout": 0.0, "input_dropout": 0.2,
            "l2": 1e-3, "bypass": 2, "gates": True, "gene_power": 0,
        }},
        "search": {"max_trials": 1, "epochs": 15}, "training": {"epochs": 40},
        "explanation": {"sets": 10, "samples": 40, "background": 40}, "output": {"figures": False},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(frame, target))
    automl.run()
    return automl


def table(run, name="sets.tsv"):
    return pd.read_csv(run.folder / name, sep="\t")


def test_the_sets_that_drive_the_classes_are_foremost(run):
    sets = table(run).query("level == 'sets'")
    assert set(sets.nsmallest(DRIVERS, "rank")["set"]) == {"SET00", "SET01", "SET02"}
    assert sets["share"].sum() == pytest.approx(1)
    drivers = sets.nsmallest(DRIVERS, "rank")
    assert (drivers["share"] > 1.5 * drivers[["other_genes", "other_labels"]].max(axis=1)).all()
    assert table(run).query("level == 'groups'")["set"].tolist() == ["FIRST", "REST"]


def test_controls_have_no_drivers(run):
    sets = table(run).query("level == 'sets'").set_index("set")
    is_driver = sets.index.isin(["SET00", "SET01", "SET02"])
    for control in ("other_genes", "other_labels"):
        found = scipy.stats.mannwhitneyu(sets[control][is_driver], sets[control][~is_driver])
        assert found.pvalue > 0.01, control


def test_the_model_hears_a_gene_through_its_sets_or_the_bypass_alone(run, planted):
    predictor = Predictor.load(run.folder / "model.keras")
    layers = predictor.branches[0].network.layers
    kernel = next(layer for layer in layers if layer.weights).get_weights()[0]
    gates = table(run, "gates.tsv").set_index("feature")["gate"]
    level = run._session.prepared()[1].levels("pathway")[0]
    mask = np.zeros((GENES, SETS + 2), bool)
    mask[level.rows, level.columns] = True
    mask[level.free, SETS:] = True
    is_open = gates[predictor.features].to_numpy() > 0
    np.testing.assert_array_equal(kernel != 0, mask & is_open[:, None])


def test_contributions_of_all_first_units_add_up_and_equal_those_by_hand(run, planted):
    predictor = Predictor.load(run.folder / "model.keras")
    (branch,) = predictor.branches
    seen = branch.seen(planted[0].to_numpy("float32"))
    rows, background = seen[:7], seen[20:32]
    sets, groups = explainers.contributions(branch.network, ("sets", "groups"), rows, background)
    change = branch.network(rows) - np.mean(branch.network(background), axis=0)
    np.testing.assert_allclose(sets.sum(axis=1), change, atol=1e-4)
    layer = branch.network.get_layer("groups")
    part = keras.Model(branch.network.inputs, layer.output)
    kernel = branch.network.layers[-1].get_weights()[0][-2:]
    told = np.asarray(part(rows))[:, :, None] * kernel
    told = told - (np.asarray(part(background))[:, :, None] * kernel).mean(axis=0)
    np.testing.assert_allclose(groups, told, atol=1e-4)


def test_the_report_and_figures_show_sets_and_gates(run):
    page = (run.folder / "report.html").read_text()
    for text in ("SET00", "FIRST", "above both", "rank by contribution"):
        assert text in page
    figure = ag.plots.importance_sets(run)
    assert len(figure.axes[0].get_yticklabels()) == min(20, SETS)
    groups = ag.plots.importance_sets(run, level="groups").axes[0].get_yticklabels()
    assert {text.get_text() for text in groups} == {"FIRST", "REST"}


def test_what_was_read_and_what_for_is_on_record(run, planted):
    found = table(run, "gene_sets.tsv")
    assert found["status"].tolist() == ["kept"] * (SETS + 2)
    environment = json.loads((run.folder / "environment.json").read_text())
    assert {path.rpartition("/")[2] for path in environment["data"]} >= {"sets.gmt", "groups.gmt"}
    assert "gene_sets" not in table(run, "leaderboard.tsv")["hyperparameters"].iloc[0]
    assert ag.load(run.folder).config == run.config


def test_sets_of_several_units_are_added_up():
    class Level:
        names = ("a", "b")

    values = np.arange(2 * 5 * 1.0).reshape(2, 5, 1)
    found = _sets._of_sets(Level, values, 2)
    np.testing.assert_allclose(found[:, 0], [(0 + 1 + 5 + 6) / 2, (2 + 3 + 7 + 8) / 2])


@pytest.mark.parametrize("means", [None, OutputMeans.of(["risk"], [2])])
def test_sets_of_outputs_that_are_explained_by_their_mean_have_one_column(monkeypatch, means):
    class Level:
        names, sizes = ("cancels", "adds"), np.array([3, 3])

    # Of the first set's unit the outputs get opposite contributions, of the second's the same.
    values = np.array([[[6.0, -6.0], [1.0, 1.0]]])
    monkeypatch.setattr(_sets, "contributions", lambda *known: [values])
    branch = SimpleNamespace(seen=lambda rows: rows, network=None)
    model = SimpleNamespace(
        branches=[branch], output_names=["early", "late"], output_scale=(np.full(2, 0.5), 0)
    )
    rows = np.zeros((1, 2))
    trained = [(kind, model, np.arange(2)) for kind in 2 * _sets.KINDS]
    frame = explainers.set_importance(
        {"sets": Level}, trained, rows, rows, units=1, top=1, means=means
    ).set_index("set")
    columns = means.names if means else ["early", "late"]
    assert list(frame.columns[-len(columns) - 1 :]) == ["above", *columns]
    assert frame.loc["cancels", columns].tolist() == ([0] if means else [3, 3])
    assert (frame.loc["adds", columns] == 0.5).all()
    assert frame.loc["adds", "share"] == (1 if means else pytest.approx(1 / 7))


def test_rank_follows_the_weaker_of_both_controls():
    class Level:
        names, sizes = ("hub", "real", "none"), np.array([9, 3, 3])

    chance = np.random.default_rng(1)

    def near(*means):
        return np.array(means) + 0.01 * chance.normal(size=(8, 3))

    shares = {"trained": near(0.6, 0.3, 0.1), "genes": near(0.6, 0.1, 0.3),
              "labels": near(0.3, 0.2, 0.5)}  # fmt: skip
    frame = _sets._table(Level, "sets", shares, np.ones((3, 1)), ["y"], top=1)
    assert frame["set"].tolist() == ["real", "hub", "none"]
    assert frame.set_index("set")["in_top"].to_dict() == {"hub": 1.0, "real": 0.0, "none": 0.0}
    assert frame["rank"].tolist() == [1, 2, 3]


def test_folds_with_genes_of_their_own_have_the_same_wiring(planted, tmp_path):
    frame, target, folder = planted
    config = {
        "name": "few", "output_dir": str(tmp_path), "ensemble": {"size": 2},
        "data": {"top_variable": 60}, "output": {"figures": False},
        "families": {"mlp": {"units": 8, "layers": 1},
                     "pathway": {"gene_sets": str(folder / "sets.gmt"), "min_genes": 2}},
        "search": {"max_trials": 2, "epochs": 3, "folds": 3},
    }  # fmt: skip
    automl = ag.AutoGenome(config, data=(frame, target))
    board = automl.train()
    assert set(board["status"]) == {"done"}
    _, folds = automl._session.prepared()
    views = folds.fold_inputs(Configuration("pathway", {}))
    assert len(views.genes) > 60
    # What a fold did not keep, its networks were not told of.
    for number, constants in enumerate(views.constants):
        left_out = ~np.isin(views.genes, constants.genes)
        assert left_out.any()
        assert not np.array(views.rows[number])[:, left_out].any()
    automl.evaluate()
    assert families.is_of_genes("pathway", {})


def test_wrong_files_are_refused_before_a_folder_is_made(planted, tmp_path):
    frame, target, folder = planted
    (tmp_path / "other.gmt").write_text("S\tx\tA\tB\n")
    for path, expected in (
        ("none.gmt", "no such file"),
        ("other.gmt", r"families\.pathway\.gene_sets: none of the sets' members is among the 160"),
    ):
        config = {"name": "wrong", "output_dir": str(tmp_path / "runs"),
                  "families": {"pathway": {"gene_sets": str(tmp_path / path)}}}  # fmt: skip
        with pytest.raises(InputError, match=expected):
            ag.AutoGenome(config, data=(frame, target)).train()
        assert not (tmp_path / "runs").exists()
    with pytest.raises(
        InputError, match=r"pathway\.gene_sets: expected names of files; received 5"
    ):
        ag.Config.of({"name": "wrong", "families": {"pathway": {"gene_sets": 5}}})


def test_paths_of_gene_sets_are_those_of_the_config(tmp_path):
    given = {"name": "x", "data": {"features": "m.tsv"}}
    given["families"] = {"pathway": {"gene_sets": "s.gmt"}}
    (tmp_path / "config.json").write_text(json.dumps(given))
    config = ag.Config.load(tmp_path / "config.json")
    assert config.families["pathway"]["gene_sets"] == str(tmp_path / "s.gmt")
    assert str(tmp_path / "s.gmt") in config.files
    assert config.relative(tmp_path).families["pathway"]["gene_sets"] == "s.gmt"
