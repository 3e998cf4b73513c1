"""What the simulated data sets promise: planted truth that can, and cannot, be found."""

import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.feature_selection import f_classif, f_regression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autogenome_tf import explainers
from autogenome_tf.automl import AutoGenome
from autogenome_tf.config import Config
from autogenome_tf.core import errors
from autogenome_tf.data import read_gene_sets, read_table
from autogenome_tf.simulation import contigs, pathways, reads
from autogenome_tf.simulation.expression import draw
from autogenome_tf.simulation.folder import (
    FILES,
    simulate,
    simulate_contigs,
    simulate_landscape,
    simulate_pathways,
    simulate_reads,
)

SMALL = {"samples": 30, "features": 120, "informative": 6, "interactions": 2, "blocks": 3}


@pytest.fixture(scope="module")
def drawn():
    """The defaults."""
    return draw()


@pytest.fixture(scope="module")
def many():
    """Enough samples for marginal statistics to be sharp."""
    return draw(samples=2000, features=200, interactions=6)


def pairs(simulation):
    """Column indices of each interaction pair, once."""
    column = {name: index for index, name in enumerate(simulation.features)}
    chosen = simulation.truth[simulation.truth["role"] == "interaction"]
    named = zip(chosen["feature"], chosen["partner"], strict=True)
    return [(column[a], column[b]) for a, b in named if a < b]


def held_out_score(x, target):
    """Balanced accuracy of a linear model on the half it has not seen."""
    half = len(x) // 2
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    model.fit(x[:half], target[:half])
    return balanced_accuracy_score(target[half:], model.predict(x[half:]))


def standardised(simulation):
    """Log expression with mean 0 and variance 1 a gene."""
    return StandardScaler().fit_transform(np.log1p(simulation.values))


@pytest.mark.parametrize("task", ["classification", "regression", "survival"])
def test_same_seed_gives_the_same_bytes(tmp_path, task):
    for folder in ("one", "two"):
        simulate(tmp_path / folder, **SMALL, task=task)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_time_of_day_is_not_in_the_bytes(tmp_path):
    simulate(tmp_path, **SMALL)
    assert (tmp_path / "features.tsv.gz").read_bytes()[4:8] == bytes(4)  # RFC 1952: MTIME


def test_another_seed_gives_other_values_and_places():
    one, two = draw(**SMALL), draw(**SMALL, seed=8)
    assert not np.array_equal(one.values, two.values)
    assert not one.truth["role"].equals(two.truth["role"])


def test_a_batch_effect_moves_no_other_stream():
    one, two = draw(**SMALL), draw(**SMALL, batch_effect=2.0)
    assert list(one.target) == list(two.target)
    pd.testing.assert_frame_equal(one.effects, two.effects)


def test_the_files_hold_what_was_drawn(tmp_path):
    simulation = simulate(tmp_path, **SMALL, counts=False)
    features = pd.read_csv(tmp_path / "features.tsv.gz", sep="\t", index_col="sample")
    assert np.array_equal(features.to_numpy(np.float32), simulation.values)
    assert list(features.columns) == simulation.features
    targets = pd.read_csv(tmp_path / "targets.tsv", sep="\t")
    assert list(targets.columns) == ["sample", "target", "batch"]
    assert list(targets["sample"]) == list(features.index) == simulation.samples
    assert list(targets["target"]) == list(simulation.target)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_the_truth_files_agree(tmp_path):
    simulate(tmp_path, **SMALL)
    told = json.loads((tmp_path / "truth.json").read_text())
    frame = pd.read_csv(tmp_path / "truth.tsv", sep="\t", keep_default_na=False)
    genes = frame.groupby("role")["feature"].agg(set)
    assert set(told["main"]) == genes["main"]
    assert {gene for pair in told["interactions"] for gene in pair["features"]} == (
        genes["interaction"]
    )
    assert {gene for block in told["blocks"] for gene in block["passengers"]} == genes["passenger"]
    assert {block["driver"] for block in told["blocks"]} <= genes["main"]
    assert told["batch_features"] == list(frame.loc[frame["batch"], "feature"])
    assert set(told["main"].popitem()[1]) == {"class_1", "class_2", "class_3"}
    assert told["parameters"]["samples"] == 30


def test_the_config_points_at_the_files(tmp_path):
    simulate(tmp_path, **SMALL, task="regression", seed=11)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["seed"] == 11
    assert config["task"] == {"type": "regression"}
    assert (tmp_path / config["data"]["features"]).exists()
    assert config["data"]["target"] in pd.read_csv(tmp_path / "targets.tsv", sep="\t")


def test_roles_are_as_many_as_asked_for():
    roles = draw(**SMALL).truth["role"].value_counts()
    assert dict(roles) == {"null": 83, "passenger": 27, "main": 6, "interaction": 4}


def test_blocks_left_open_fit_what_there_is():
    assert draw(samples=12, features=30, informative=4).parameters.blocks == 2
    assert draw(samples=12, features=8, informative=4).parameters.blocks == 0
    assert draw(samples=12, features=99, informative=0, interactions=0).parameters.blocks == 0


def test_classes_have_equal_size_and_sort_by_number():
    target = draw(samples=120, features=100, classes=12).target
    names, counts = np.unique(target, return_counts=True)
    assert list(names[:2]) == ["class_01", "class_02"]
    assert set(counts) == {10}


def test_values_look_like_counts(drawn):
    assert drawn.values.dtype == np.float32
    assert (drawn.values >= 0).all() and (drawn.values == np.round(drawn.values)).all()
    assert not (draw(**SMALL, counts=False).values % 1 == 0).all()
    libraries = drawn.values.sum(axis=1)
    assert 1.5 < np.quantile(libraries, 0.95) / np.quantile(libraries, 0.05) < 6


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_dropout_is_the_share_of_zeros(share):
    values = draw(dropout=share, counts=False).values
    assert (values == 0).mean() == pytest.approx(share, abs=0.01)


def test_extreme_noise_stays_finite():
    assert np.isfinite(draw(**SMALL, noise=500.0, batch_effect=500.0).values).all()


def test_classes_can_be_learned_and_permuted_ones_cannot(drawn):
    x = np.log1p(drawn.values)
    assert 0.7 < held_out_score(x, drawn.target) < 0.97
    permuted = np.random.default_rng(0).permutation(drawn.target)
    assert held_out_score(x, permuted) < 0.47


def test_main_genes_rank_high_and_interaction_genes_do_not(drawn):
    heard = drawn.values.any(axis=0)
    strength = pd.Series(f_classif(np.log1p(drawn.values[:, heard]), drawn.target)[0])
    role = drawn.truth["role"][heard].to_numpy()
    rank = strength.rank(ascending=False).groupby(role).median()
    assert rank["main"] < 40
    assert rank["interaction"] > 400


def test_interaction_genes_tell_nothing_alone_and_much_as_a_product(many):
    z = standardised(many)
    first, second = np.transpose(pairs(many))
    alone = f_classif(z[:, [*first, *second]], many.target)[1]
    product = f_classif(z[:, first] * z[:, second], many.target)[1]
    assert (alone > 1e-3).all() and np.median(alone) > 0.1
    assert (product < 1e-20).all()


def test_passengers_follow_their_driver(many):
    correlation = pd.DataFrame(standardised(many), columns=many.features).corr()
    truth = many.truth[many.truth["role"] == "passenger"]
    found = [correlation.loc[a, b] for a, b in zip(truth["feature"], truth["partner"], strict=True)]
    assert len(found) == 45 and np.median(found) > 0.5
    nulls = many.truth.loc[many.truth["role"] == "null", "feature"].iloc[:20]
    assert correlation.loc[nulls, nulls].to_numpy()[np.triu_indices(20, 1)].mean() < 0.3


def test_batches_move_the_genes_that_are_named_and_no_others():
    simulation = draw(samples=1000, features=300, batch_effect=1.5, dropout=0.0)
    strength = f_classif(standardised(simulation), simulation.batch)[0]
    moved = simulation.truth["batch"].to_numpy()
    assert 0.2 < moved.mean() < 0.4
    assert np.median(strength[moved]) > 50 > 5 > np.median(strength[~moved])
    assert not draw(**SMALL, batches=1).truth["batch"].any()


def test_regression_follows_main_genes_and_products_of_pairs():
    simulation = draw(samples=2000, features=200, task="regression")
    z = standardised(simulation)
    truth, target = simulation.truth, simulation.target
    strongest = truth["effect"].where(truth["role"] == "main").abs().nlargest(5).index
    assert (f_regression(z[:, strongest], target)[1] < 1e-6).all()
    first, second = np.transpose(pairs(simulation))
    assert (f_regression(z[:, first] * z[:, second], target)[1] < 1e-3).all()
    assert (f_regression(z[:, [*first, *second]], target)[1] > 1e-3).all()
    assert target.var() == pytest.approx(1.25, rel=0.15)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"classes": 1}, "classes must be an integer, at least 2; received 1"),
        ({"samples": 5}, "two samples a class"),
        ({"samples": 10.5}, "samples must be an integer"),
        ({"samples": 8, "batches": 9}, "one a batch"),
        ({"dropout": 1.0}, "dropout must be a number, at least 0 and below 1; received 1.0"),
        ({"noise": float("nan")}, "noise must be a number, at least 0; received nan"),
        ({"features": 20}, "features for all 24 planted genes"),
        ({"informative": 4, "blocks": 5}, "an informative gene for each block"),
        ({"seed": -1}, "seed must be an integer, at least 0; received -1"),
        ({"task": "regresion"}, "Did you mean 'regression'?"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, said):
    with pytest.raises(errors.InputError, match=re.escape(said)):
        draw(**wrong)


def test_a_folder_that_holds_a_data_set_is_refused_and_kept(tmp_path):
    simulate(tmp_path, **SMALL)
    kept = (tmp_path / "features.tsv.gz").read_bytes()
    with pytest.raises(errors.InputError, match="already holds features.tsv.gz"):
        simulate(tmp_path, **SMALL, seed=8)
    assert (tmp_path / "features.tsv.gz").read_bytes() == kept
    assert gzip.decompress(kept).startswith(b"sample\tGENE00001\t")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(errors.InputError, match="is a file"):
        simulate(tmp_path / "taken")


def test_a_wrong_parameter_leaves_no_folder(tmp_path):
    with pytest.raises(errors.InputError):
        simulate(tmp_path / "new", classes=1)
    assert not (tmp_path / "new").exists()


def test_expression_follows_its_sets_and_classes_a_few_of_them(tmp_path):
    drawn = simulate_pathways(tmp_path, samples=400, features=300, sets=20, genes=20, informative=2)
    found = read_gene_sets([str(tmp_path / "gene_sets.gmt")])
    assert [one.name for one in found] == drawn.truth["set"].tolist()
    place = {name: number for number, name in enumerate(drawn.features)}
    states = np.log(drawn.values)
    for one, own, activity in zip(found, drawn.members, drawn.activity.T, strict=True):
        assert [place[gene] for gene in one.genes] == own.tolist()
        assert 10 <= len(own) <= 30
        inside = np.abs(np.corrcoef(activity, states.T)[0, 1:])
        assert inside[own].mean() > 3 * np.delete(inside, own).mean()
    scores = f_classif(drawn.activity, drawn.target)[0]
    informative = drawn.truth["role"] == "informative"
    assert set(np.argsort(-scores)[:2]) == set(np.flatnonzero(informative))
    planted = json.loads((tmp_path / "truth.json").read_text())
    assert planted["informative"] == drawn.truth["set"][informative].tolist()
    again = pathways.draw(samples=400, features=300, sets=20, genes=20, informative=2)
    np.testing.assert_array_equal(again.values, drawn.values)
    config = json.loads((tmp_path / "config.json").read_text())
    limits = {"min_genes": min(map(len, drawn.members)), "max_genes": max(map(len, drawn.members))}
    assert config["families"]["pathway"] == {"gene_sets": "gene_sets.gmt", **limits}


def test_a_class_of_fewer_than_two_samples_is_no_class():
    with pytest.raises(errors.InputError, match="classes: one of 10 has [01] of the 30 samples"):
        pathways.draw(samples=30, classes=10)


@pytest.mark.parametrize("features", [20, 21])
def test_a_landscape_asks_for_what_can_be_explained(tmp_path, features):
    simulate_landscape(tmp_path, features=features, samples=40)
    config = json.loads((tmp_path / "config.json").read_text())
    assert ("explanation" in config) is (features <= explainers.MOST_SITES)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"sets": 0}, "sets must be an integer, at least 1; received 0"),
        ({"noise": "x"}, "noise must be a number"),
        ({"features": 50, "genes": 40}, "genes must be at most 33"),
        ({"sets": 2, "informative": 3}, "informative must be at most 2"),
    ],
)
def test_pathways_that_cannot_be_drawn_are_refused(wrong, expected):
    with pytest.raises(errors.InputError, match=expected):
        pathways.draw(**wrong)


def log_hazard(simulation):
    """Return the planted log-hazard of the main genes, from standardised expression."""
    genes = simulation.effects.index
    columns = [simulation.features.index(gene) for gene in genes]
    return standardised(simulation)[:, columns] @ simulation.effects["log_hazard"].to_numpy()


def survival(**parameters):
    return draw(task="survival", samples=1500, features=40, interactions=0, **parameters)


@pytest.mark.parametrize("share", [0, 0.3, 0.8])
def test_the_share_asked_for_is_censored(share):
    target = survival(censoring=share).target
    assert (target["event"] == 0).mean() == pytest.approx(share, abs=1 / 1500)
    assert np.all(target["time"] > 0)


def test_half_of_all_have_had_the_event_at_the_median():
    assert np.median(survival(censoring=0).target["time"]) == pytest.approx(24, rel=0.1)


def test_a_higher_hazard_is_an_earlier_event():
    simulation = survival(noise=0, censoring=0)
    assert spearmanr(log_hazard(simulation), simulation.target["time"])[0] < -0.4


def test_hazards_that_cross_turn_at_the_median():
    simulation = survival(noise=0, crossing=True, censoring=0)
    time, risk = simulation.target["time"], log_hazard(simulation)
    early, late = time <= 24, time > 24
    assert spearmanr(risk[early], time[early])[0] < -0.05
    # Among those that are left, a high number protects.
    assert spearmanr(risk[late], time[late])[0] > 0.2


def test_a_config_for_survival_runs(tmp_path, few_learners):
    parameters = {"samples": 160, "features": 60, "informative": 6, "interactions": 0, "blocks": 0}
    parameters |= {"noise": 0.5, "dropout": 0, "batch_effect": 0, "censoring": 0.1}
    simulate(tmp_path, task="survival", **parameters)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["data"]["target"] == ["time", "event"]
    changes = ['families={"linear": {}}', f"output_dir={tmp_path / 'runs'}"]
    automl = AutoGenome(Config.load(tmp_path / "config.json", changes))
    automl.train()
    # Six genes of 60 decide who has the event first.
    assert automl.evaluate()["test"]["concordance"]["value"] > 0.55
    ranks = automl.explain().set_index("feature")["rank"]
    truth = pd.read_csv(tmp_path / "truth.tsv", sep="\t")
    # By chance one of the six would be among ten.
    assert (ranks[truth.loc[truth["role"] == "main", "feature"]] <= 10).sum() >= 4


def test_contigs_are_pieces_of_genomes_that_strains_share(tmp_path):
    asked = {"genomes": 4, "strains": 1, "samples": 3, "bases": 60_000, "seed": 2}
    drawn = simulate_contigs(tmp_path, **asked)
    truth = drawn.truth
    assert [len(one) for one in drawn.sequences] == truth["bases"].tolist()
    assert truth["bases"].min() >= 2000 and truth.groupby("genome")["bases"].sum().max() <= 60_000
    assert truth["genome"].nunique() == 4 and truth["species"].nunique() == 3
    of_species = truth.groupby("species")["genome"].unique()
    (strain,) = [names for names in of_species if len(names) == 2]
    # Contigs of both strains differ in depth; their bases are those of one genome but for some.
    first, second = (truth.index[truth["genome"] == name] for name in strain)
    assert not np.allclose(drawn.depths[first].mean(axis=0), drawn.depths[second].mean(axis=0))
    words = [composition(drawn, truth.index[truth["genome"] == name]) for name in strain]
    other = composition(drawn, truth.index[~truth["genome"].isin(strain)])
    assert 5 * np.abs(words[0] - words[1]).sum() < np.abs(words[0] - other).sum()
    depths = pd.read_csv(tmp_path / "depths.tsv", sep="\t")
    np.testing.assert_allclose(depths[drawn.samples], drawn.depths, rtol=1e-8)
    again = contigs.draw(**asked)
    assert again.sequences == drawn.sequences and (again.depths == drawn.depths).all()


def composition(drawn, places):
    """Shares of pairs of bases of some contigs."""
    text = "".join(drawn.sequences[place] for place in places)
    pairs = [text.count(first + second) for first in "ACGT" for second in "ACGT"]
    return np.array(pairs) / sum(pairs)


@pytest.mark.parametrize(
    "wrong", [{"strains": 60}, {"genomes": 1}, {"shortest": 999}, {"shortest": 400_000}]
)
def test_contigs_that_cannot_be_drawn_are_refused(wrong):
    with pytest.raises(errors.InputError, match=next(iter(wrong))):
        contigs.draw(**wrong)


def test_reads_are_pieces_of_genomes_at_their_depths(tmp_path):
    asked = {"genomes": 3, "bases": 50_000, "deepest": 30, "errors": 0.02, "seed": 4}
    drawn = simulate_reads(tmp_path, **asked)
    truth = drawn.truth
    assert [len(one) for one in drawn.sequences] == truth["bases"].tolist()
    table = read_table(tmp_path / "reads.fastq.gz")
    assert table.samples == drawn.names == truth["read"].tolist()
    for _, own in truth.groupby("genome"):
        depth = own["depth"].iloc[0]
        assert 4 <= depth <= 30
        # The last read goes beyond the depth.
        assert depth <= own["bases"].sum() / 50_000 < depth + 1
    again = reads.draw(**asked)
    assert again.sequences == drawn.sequences


def test_reads_without_errors_are_of_both_strands_of_one_genome():
    drawn = reads.draw(genomes=2, bases=20_000, errors=0, seed=1)
    own = [drawn.sequences[place] for place in np.flatnonzero(drawn.truth["genome"] == "genome_1")]
    turned = [one[::-1].translate(str.maketrans("ACGT", "TGCA")) for one in own]
    # Both strands of 20,000 bases have 40,000 words of 12 bases at most.
    words = {one[at : at + 12] for pair in zip(own, turned, strict=True) for one in pair
             for at in range(len(one) - 11)}  # fmt: skip
    assert 30_000 < len(words) <= 2 * 20_000


@pytest.mark.parametrize("wrong", [{"genomes": 1}, {"errors": 0.6}, {"deepest": 3.9}])
def test_reads_that_cannot_be_drawn_are_refused(wrong):
    with pytest.raises(errors.InputError, match=next(iter(wrong))):
        reads.draw(**wrong)
