"""What preprocessing promises: one meaning in NumPy and in the model, and scales recognised."""

import itertools
import typing

import keras
import numpy as np
import pytest
import scipy.sparse

from autogenome_tf import preprocessing
from autogenome_tf.config._config import Config
from autogenome_tf.config._sections import TRANSFORMS, Data
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import read_table
from autogenome_tf.preprocessing import FittedScaling, Moments, Scale, Transform
from autogenome_tf.preprocessing._variation import lost_variation
from autogenome_tf.preprocessing.scale import few

ROWS, GENES = 24, 7
NAMES = [name for name in TRANSFORMS if name != "auto"]


def choices(key):
    """The words that a key of the config's data section takes."""
    return typing.get_args(Data.model_fields[key].annotation)


def counts(rows=ROWS, with_missing=False):
    """Counts (rows, GENES) float32; the second gene is constant."""
    random = np.random.default_rng(0)
    x = random.poisson(random.gamma(1, 30, GENES), (rows, GENES)).astype("float32")
    x[:, 0] += 1  # no row without a count
    x[:, 1] = 3
    if with_missing:
        x[1, 2] = x[5, 2] = x[5, 4] = np.nan
    return x


def fitted(transform, x, scale="standard", missing="error", top_variable=None):
    """The constants of rows, by the way the package takes."""
    transformed = np.asarray(transform(x), "float32")
    moments = Moments.of([transformed])
    if missing == "median":
        moments = moments.with_median(transformed)
    constants = FittedScaling.of(moments, scale, missing, moments.most_variable(top_variable))
    return constants.ranked(transformed, scale, missing) if transform.name == "rank" else constants


def applied(transform, constants, x):
    """What the network sees, by NumPy."""
    return constants.apply(transform(x))


# One meaning in NumPy and in Keras ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scale", "missing"),
    list(itertools.product(NAMES, choices("scale"), choices("missing"))),
)
@pytest.mark.parametrize("top_variable", [None, 3])
def test_the_model_equals_the_numpy_path(name, scale, missing, top_variable):
    transform = Transform(name, floor=20.0)
    train = counts(with_missing=missing != "error")
    constants = fitted(transform, train, scale, missing, top_variable)
    new = np.concatenate([train, 2 * counts() + 1])
    if missing != "error":
        new[-1] = np.nan
    expected = applied(transform, constants, new)
    assert expected.shape == (len(new), top_variable or GENES)
    assert np.isfinite(expected).all()
    found = preprocessing.model(transform, constants, GENES)(new, training=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_loads_with_keras_alone(name, tmp_path):
    x = counts(with_missing=True)
    transform = Transform(name, floor=20.0)
    constants = fitted(transform, x, "standard", "median", top_variable=4)
    model = preprocessing.model(transform, constants, GENES)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_on_batch(x), model.predict_on_batch(x))
    homes = {type(layer).__module__.partition(".")[0] for layer in loaded.layers}
    assert homes == {"keras"}


# Formulas ----------------------------------------------------------------------------------

X = np.array([[0, 1, 3, 6], [5, 0, 0, 15]], "float32")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", X),
        ("log1p", np.log(X + 1)),
        ("log2", np.log2(np.maximum(X, 2))),
        ("library_log1p", np.log(1 + 1e4 * X / np.array([[10], [20]]))),
        ("clr", np.log(X + 1) - np.array([[np.log(2 * 4 * 7) / 4], [np.log(6 * 16) / 4]])),
        ("relative_log", np.log10(X / np.array([[10], [20]]) + 1e-5)),
    ],
)
def test_a_transform_is_its_formula(name, expected):
    np.testing.assert_allclose(Transform(name, floor=2.0)(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_value_stays_missing_and_does_not_count(name):
    with_gap = np.insert(X, 2, np.nan, axis=1)
    found = np.asarray(Transform(name, floor=2.0)(with_gap))
    assert np.isnan(found[:, 2]).all()
    without = np.asarray(Transform(name, floor=2.0)(X))
    np.testing.assert_allclose(np.delete(found, 2, axis=1), without, rtol=1e-6)


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_stored_values_of_a_sparse_matrix_are_transformed_as_whole_rows_are(name, is_filled):
    x = counts(with_missing=True)
    x[x < 20] = 0
    x[3] = 0
    transform, sparse = Transform(name, is_filled=is_filled), scipy.sparse.csr_matrix(x)
    stored = sparse.data.copy()
    np.testing.assert_allclose(transform.rows(sparse), transform(x), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(sparse.data, stored)
    np.testing.assert_array_equal(transform.rows(x), transform(x))


def test_a_value_that_is_stored_in_parts_is_transformed_as_their_sum():
    twice = scipy.sparse.csr_matrix((np.float32([1, 2, 4]), [0, 0, 1], [0, 3]), (1, 2))
    np.testing.assert_allclose(Transform("log1p").rows(twice), np.log1p([[3, 4]]), rtol=1e-6)
    assert twice.nnz == 3


@pytest.mark.parametrize("name", NAMES)
def test_a_row_without_a_count_gives_finite_values(name):
    assert np.isfinite(Transform(name)(np.zeros((2, 3), "float32"))).all()


def test_library_log1p_is_scanpys():
    scanpy = pytest.importorskip("scanpy")
    x = counts()
    data = scanpy.AnnData(x.copy())
    scanpy.pp.normalize_total(data, target_sum=1e4)
    scanpy.pp.log1p(data)
    np.testing.assert_allclose(Transform("library_log1p")(x), data.X, rtol=1e-5)


@pytest.mark.parametrize("name", ["library_log1p", "relative_log"])
def test_the_depth_of_a_row_does_not_matter(name):
    x = counts()
    depth = np.random.default_rng(1).uniform(1, 9, (ROWS, 1)).astype("float32")
    np.testing.assert_allclose(Transform(name)(depth * x), Transform(name)(x), rtol=1e-4)


# Moments and constants ---------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 5, 24, 100])
def test_moments_are_numpys_whatever_the_batch(batch):
    x = counts(with_missing=True) + np.float32(1000)
    found = Moments.of(x[i : i + batch] for i in range(0, ROWS, batch))
    exact = x.astype("float64")
    np.testing.assert_allclose(found.mean, np.nanmean(exact, 0), rtol=1e-12)
    np.testing.assert_allclose(found.variance, np.nanvar(exact, 0), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found.low, np.nanmin(x, 0))
    np.testing.assert_array_equal(found.high, np.nanmax(x, 0))
    np.testing.assert_array_equal(found.with_median(x).median, np.nanmedian(x, 0))


@pytest.mark.parametrize(("missing", "mean"), [("mean", 2), ("median", 1), ("zero", 0)])
def test_a_gap_is_filled_from_training_rows(missing, mean):
    x = np.array([[1], [1], [1], [5], [np.nan]], "float32")
    constants = fitted(Transform("none"), x, "none", missing)
    np.testing.assert_array_equal(constants.apply(x)[-1], mean)


@pytest.mark.parametrize("missing", ["mean", "median", "zero"])
@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
def test_a_gene_without_any_value_becomes_zero(scale, missing):
    x = counts()
    x[:, 3] = np.nan
    constants = fitted(Transform("none"), x, scale, missing)
    np.testing.assert_array_equal(constants.apply(x)[:, 3], 0)
    np.testing.assert_array_equal(constants.apply(counts())[:, 3], counts()[:, 3])


def test_standard_scale_has_mean_zero_and_variance_one_on_training_rows():
    x = counts(200)
    seen = fitted(Transform("log1p"), x).apply(Transform("log1p")(x))
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(np.delete(seen.var(0), 1), 1, rtol=1e-4)


def test_centre_scale_keeps_the_ratios_of_spreads_and_has_mean_variance_one():
    x = counts(200)
    seen = fitted(Transform("none"), x, "centre").apply(x)
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(seen.var(0).mean(), 1, rtol=1e-5)
    np.testing.assert_allclose(
        seen.std(0) / seen.std(0).max(), x.std(0) / x.std(0).max(), rtol=1e-5
    )


def test_minmax_scale_spans_zero_to_one_on_training_rows():
    x = counts(200)
    seen = np.delete(fitted(Transform("none"), x, "minmax").apply(x), 1, axis=1)
    np.testing.assert_array_equal(seen.min(0), 0)
    np.testing.assert_allclose(seen.max(0), 1, rtol=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 0.1, 3.0, 12345.678])
@pytest.mark.parametrize("scale", ["standard", "centre", "minmax"])
def test_a_constant_gene_does_not_divide_by_zero(scale, value):
    x = np.full((ROWS, 2), value, "float32")
    constants = fitted(Transform("none"), x, scale)
    np.testing.assert_array_equal(constants.spread, 1)
    np.testing.assert_allclose(constants.apply(x), 0, atol=1e-3)
    new = preprocessing.model(Transform("none"), constants, 2).predict_on_batch(x + 1)
    np.testing.assert_allclose(new, 1, rtol=1e-3)


@pytest.mark.parametrize("unit", [1e-8, 1e-4, 1e12])
@pytest.mark.parametrize("scale", ["standard", "centre", "minmax"])
def test_values_of_any_unit_are_seen_as_those_of_another(scale, unit):
    x = np.random.default_rng(0).lognormal(size=(ROWS, 4)) * [1, 3, 0.2, 1]
    x[:, 3] = 5.0
    usual = fitted(Transform("none"), x.astype("float32"), scale).apply(x)
    x = (x * unit).astype("float32")
    constants = fitted(Transform("none"), x, scale)
    np.testing.assert_allclose(constants.apply(x)[:, :3], usual[:, :3], rtol=1e-3, atol=1e-5)
    model = preprocessing.model(Transform("none"), constants, 4)
    np.testing.assert_allclose(model.predict_on_batch(x)[:, :3], usual[:, :3], rtol=1e-3, atol=1e-5)


def test_what_rounding_leaves_of_a_gene_is_not_blown_up():
    x = np.random.default_rng(0).normal(size=(ROWS, 3)) * [1, 1, 1e-14]
    assert fitted(Transform("none"), x.astype("float32")).spread[2] == 1


def test_top_variable_keeps_the_most_variable_genes_in_their_order():
    x = np.random.default_rng(0).normal(size=(ROWS, 5)) * [1, 9, 0.1, 3, 5]
    constants = fitted(Transform("none"), x.astype("float32"), top_variable=3)
    np.testing.assert_array_equal(constants.genes, [1, 3, 4])
    assert len(fitted(Transform("none"), x.astype("float32"), top_variable=99).genes) == 5


# Recognising scales ------------------------------------------------------------------------


def recognised(values):
    """What automatic recognition makes of a dense matrix and of the same as CSR."""
    dense = Transform.choose(values)
    assert dense.why
    sparse = Transform.choose(scipy.sparse.csr_matrix(values))
    assert (sparse.name, sparse.floor) == (dense.name, dense.floor)
    return dense.name


def skewed(rows=60, genes=40):
    """Intensities from a few units to tens of thousands."""
    return np.random.default_rng(0).lognormal(5, 2, (rows, genes)).astype("float32")


def test_counts_are_recognised():
    assert recognised(counts()) == "library_log1p"


def test_the_sum_of_clinical_covariates_is_no_library_size():
    covariates = counts(200)
    assert recognised(covariates) == "library_log1p"
    covariates[:, 2] = np.arange(200) % 2
    assert recognised(covariates) == "log1p"


def test_columns_of_yes_or_no_count_together():
    covariates = counts(60)
    covariates[:, 2] = np.arange(60) % 2
    # Of one column of so few rows, counts might all be 0 or 1 as well.
    assert recognised(covariates) == "library_log1p"
    covariates[:, 3:5] = covariates[:, [2]]
    assert recognised(covariates) == "log1p"


def test_a_linear_scale_is_recognised():
    assert recognised(skewed()) == "log1p"


def test_a_linear_scale_with_negative_values_is_recognised():
    chosen = Transform.choose(skewed() - 50)
    assert (chosen.name, chosen.floor) == ("log2", 20)


def test_a_log_scale_is_recognised():
    assert recognised(np.log2(skewed() + 1)) == "none"
    assert recognised(np.log2(skewed() / 100).astype("float32")) == "none"  # ratios


def test_markers_are_recognised():
    markers = np.random.default_rng(0).integers(0, 2, (30, 20)).astype("float32")
    assert recognised(markers) == "none"
    assert recognised(markers * 2) == "none"  # copies of an allele
    assert recognised(markers - markers[::-1]) == "none"  # lost, kept, gained


LEVELS = {
    "copy numbers": lambda draw: np.rint(draw.normal([[2.0], [3.6]] * 30, 0.8, (60, 40))).clip(0),
    "doses of four sets of chromosomes": lambda draw: draw.binomial(4, 0.4, (60, 40)),
    "scores of 1 to 5": lambda draw: draw.integers(1, 6, (60, 40)),
    "intensities up to 16": lambda draw: draw.normal(8, 8, (60, 40)).round().clip(0, 16),
}


@pytest.mark.parametrize("case", LEVELS)
def test_levels_are_no_counts(case):
    values = LEVELS[case](np.random.default_rng(0)).astype("float32")
    assert Scale.of(values).kind == "levels" and recognised(values) == "none"


@pytest.mark.parametrize("mean", [0.3, 1, 4, 20])
def test_counts_are_no_levels(mean):
    for seed in range(20):
        draw = np.random.default_rng(seed)
        means = mean * np.exp(draw.normal(size=15))
        for values in (
            draw.poisson(means, (30, 15)),
            draw.negative_binomial(2, 1 / (1 + means / 2), (30, 15)),
        ):
            assert Scale.of(values.astype("float32")).kind in ("counts", "markers")


@pytest.mark.parametrize("total", [1, 100])
def test_shares_are_recognised(total):
    assert recognised(total * skewed() / skewed().sum(1, keepdims=True)) == "relative_log"


def outlying_cells(x):
    """Two cells of another scale."""
    x = x.copy()
    x[3, 1], x[7, 5] = 400, 5000
    return x


def age(x):
    """A column of ages among the genes."""
    return np.hstack([x, np.random.default_rng(1).integers(20, 90, (len(x), 1))]).astype("float32")


def nonsense(x):
    """A row of another scale."""
    x = x.copy()
    x[5] = np.random.default_rng(2).uniform(0, 1e5, x.shape[1])
    return x


def missing_code(x):
    """A row of a number that stands for missing values."""
    x = x.copy()
    x[5] = -999
    return x


SCALES = {
    "z-scores": lambda: np.random.default_rng(0).normal(size=(60, 20)),
    "log ratios": lambda: np.random.default_rng(0).normal(0.2, 0.3, (60, 20)),
    "log scale": lambda: np.log2(skewed(60, 20) + 1),
    "linear scale": lambda: skewed(60, 20),
    "linear scale with values below 0": lambda: skewed(60, 20) - 50,
    "counts": lambda: np.floor(skewed(60, 20)),
    "markers": lambda: np.random.default_rng(0).integers(0, 3, (60, 20)),
    "levels": lambda: np.rint(np.random.default_rng(0).normal(2, 0.8, (60, 20)).clip(0)),
}


@pytest.mark.parametrize("kind", SCALES)
@pytest.mark.parametrize("spoil", [outlying_cells, age, nonsense, missing_code])
def test_a_few_cells_a_column_or_a_row_of_another_scale_do_not_change_it(kind, spoil):
    values = SCALES[kind]().astype("float32")
    clean, spoilt = Scale.of(values), Scale.of(spoil(values))
    assert clean.kind == spoilt.kind == kind
    assert spoilt.high == pytest.approx(clean.high, rel=0.5)
    all_of_it = Scale.of(nonsense(age(outlying_cells(values))))
    assert all_of_it.kind == kind


@pytest.mark.parametrize("spoil", [outlying_cells, age, nonsense, missing_code])
def test_spoilt_z_scores_stay_as_they_are(spoil):
    values = spoil(SCALES["z-scores"]().astype("float32"))
    assert recognised(values) == "none"
    assert Transform.choose(values).why.startswith("z-scores (most from -")


def test_counts_with_a_few_values_below_0_are_raised_to_1_not_to_20():
    values = np.floor(skewed())
    values[3, 3] = -2
    found = Transform.choose(values)
    assert (found.name, found.floor) == ("log2", 1.0)
    assert "a few below 0 (down to -2)" in found.why


def test_the_ends_of_a_scale_leave_few_rows_and_genes_out():
    values = np.tile(np.arange(100, dtype="float32")[:, None], 10) + 0.5
    values[:, 3:5] = 1e6
    found = Scale.of(values)
    # Two rows at each end of each gene, two genes at each end.
    assert (found.low, found.high) == (2.5, 97.5)
    assert few(8) == 1 and few(3) == 0 and few(5000) == 50


def test_shares_are_told_by_their_sums_whatever_a_row_of_nonsense():
    shares = skewed() / skewed().sum(1, keepdims=True)
    shares[4] *= 7
    assert Scale.of(shares).kind == "shares" and Scale.of(shares).total == pytest.approx(1)


# Variation that a transform takes away -----------------------------------------------------


def test_lost_variation_is_what_lies_below_the_floor():
    raw = np.array([[1, 0, 10, 5], [2, 0, 20, 5], [3, 4, 30, 5], [4, 4, 40, 5]], "float32")
    genes, constant, gone = lost_variation(raw, np.asarray(Transform("log2", 20.0)(raw)))
    # The last gene never varied; of the third 10 and 20 become one value: 50 of 500.
    assert (genes, constant) == (3, 2)
    assert gone == pytest.approx((1 + 1 + 50 / 500) / 3)
    assert lost_variation(raw, np.asarray(Transform("log1p")(raw))) == (3, 0, 0.0)


def test_lost_variation_leaves_gaps_out():
    raw = np.array([[1, np.nan], [2, 3], [np.nan, 30], [30, np.nan]], "float32")
    found = lost_variation(raw, np.asarray(Transform("log2", 20.0)(raw)))
    assert found == (2, 0, pytest.approx(0.5 / np.var([1, 2, 30]) / 3 / 2))


def test_a_transform_that_makes_nearly_all_genes_constant_is_refused():
    values = SCALES["z-scores"]().astype("float32")
    said = r"log2 above a floor of 20 makes 20 of 20 genes constant .* Use none or rank"
    with pytest.raises(InputError, match=said):
        Transform.choose(values, "log2", 20.0)
    assert Transform.choose(values, "log2", 0.001).name == "log2"


def test_a_notable_loss_is_a_warning(caplog):
    values = np.hstack([skewed(60, 6), np.random.default_rng(0).uniform(1, 9, (60, 4))])
    with caplog.at_level("WARNING", "autogenome_tf"):
        Transform.choose(values.astype("float32"), "log2", 20.0)
    (record,) = caplog.records
    assert "makes 4 of 10 genes constant" in record.message and record.about == "transform"
    caplog.clear()
    Transform.choose(skewed(60, 6), "log2", 20.0)
    assert not caplog.records


def test_unequal_totals_that_a_logarithm_keeps_are_a_warning(caplog):
    values = skewed(60, 40).astype("float32")
    depths = np.repeat([0.1, 10], 30)[:, None].astype("float32")
    with caplog.at_level("WARNING", "autogenome_tf"):
        assert Transform.choose(depths * values).name == "log1p"
    (record,) = caplog.records
    assert record.about == "values" and "library_log1p" in record.message
    caplog.clear()
    Transform.choose(depths * values, "log1p")
    assert Transform.choose(values).name == "log1p"
    # A value below 0, which library_log1p refuses.
    below = depths * values
    below[0, 0] = -3.0
    assert Transform.choose(below).name == "log2"
    assert not caplog.records


def test_gaps_do_not_hide_a_scale():
    x = counts(with_missing=True)
    assert Transform.choose(x).name == "library_log1p"
    gaps = skewed()
    gaps[::3, 0] = np.nan
    assert Transform.choose(gaps).name == "log1p"


def test_gaps_in_a_sparse_matrix_do_not_hide_a_scale():
    sparse = scipy.sparse.csr_matrix(counts(with_missing=True))
    assert Transform.choose(sparse).name == "library_log1p"


def test_gaps_do_not_hide_shares():
    shares = skewed() / skewed().sum(1, keepdims=True)
    shares[0, np.argmin(shares[0])] = np.nan
    assert Transform.choose(shares).name == "relative_log"


@pytest.mark.parametrize("name", ["log1p", "library_log1p", "clr", "relative_log"])
@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_matrix])
def test_a_transform_that_is_undefined_on_the_values_is_refused(name, container):
    x = counts()
    assert Transform.choose(container(x), name).name == name
    x[3, 3] = -2.5
    with pytest.raises(InputError, match=f"data.transform: {name} needs .* the smallest is -2.5"):
        Transform.choose(container(x), name)
    for other in ("none", "log2"):
        assert Transform.choose(container(x), other).name == other


def test_a_given_floor_is_kept():
    assert Transform.choose(skewed(), "log2", 4.0).floor == 4
    assert Transform.choose(skewed() - 50, "auto", 4.0).floor == 4
    assert Transform.choose(skewed(), "log2").floor == 1


def test_a_config_that_names_no_floor_gets_the_usual_one():
    data = Config.of({"name": "demo"}).data
    assert Transform.choose(skewed() - 50, data.transform, data.log2_floor).floor == 20


@pytest.mark.parametrize(
    ("folder", "file", "name"),
    [
        ("alon_colon", "features.tsv.gz", "log1p"),
        ("golub_leukemia", "features.tsv.gz", "log2"),
        ("riboflavin", "features.tsv.gz", "none"),
        ("tcga9_rnaseq", "features.tsv.gz", "log1p"),
        ("cellbench_3lines", "features.npz", "library_log1p"),
        ("zeisel_3types", "features.npz", "library_log1p"),
        ("pbmc3k", "features.npz", "none"),
        ("wheat_yield", "features.npz", "none"),
    ],
)
def test_scales_of_real_data_are_recognised(shared, folder, file, name):
    values = read_table(shared / folder / file).values
    chosen = Transform.choose(values)
    assert chosen.name == name
    if name == "log2":
        assert chosen.floor == 20
