"""New rows are compared with the scale of the training rows: refused, warned of, or let be."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.sparse

from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Dataset, read_table
from autogenome_tf.models import Predictor, TrainingScale
from autogenome_tf.models._training_scale import distances, other_kind, statistics
from autogenome_tf.preprocessing import FittedScaling, Moments, Scale, Transform
from autogenome_tf.tasks import Regression

GENES = 40
NAMES = [f"gene_{gene}" for gene in range(GENES)]
RANDOM = np.random.default_rng(0)
LEVELS = RANDOM.normal(6, 2, GENES).clip(2, 10)


def logs(rows, seed=1):
    """Expression on a log2 scale, up to about 12."""
    noise = np.random.default_rng(seed).normal(0, 0.7, (rows, GENES))
    return (LEVELS + noise).clip(0).astype("float32")


def counts(rows, seed=1):
    """Counts of the same genes at different depths."""
    depth = np.random.default_rng(seed).uniform(0.5, 2, (rows, 1))
    return np.random.default_rng(seed).poisson(depth * 2 ** logs(rows, seed)).astype("float32")


def predictor_of(rows, transform):
    """A model of a random linear network that knows its training rows."""
    transformed = np.asarray(transform(rows))
    constants = FittedScaling.of(Moments.of([transformed]))
    network = keras.Sequential([keras.Input((rows.shape[1],)), keras.layers.Dense(1)])
    task, names = Regression(["y"]), [f"gene_{gene}" for gene in range(rows.shape[1])]
    predictor = Predictor.assemble([(transform, constants, network)], task, names, "error")
    return predictor.with_training_rows(rows)


@pytest.fixture(scope="module")
def of_logs():
    """A model of values on a log scale."""
    return predictor_of(logs(60), Transform("none"))


@pytest.fixture(scope="module")
def of_counts():
    """A model of counts."""
    return predictor_of(counts(60), Transform("library_log1p"))


def dataset(values, source="new.tsv"):
    """Rows with names."""
    samples = np.array([f"s{row}" for row in range(values.shape[0])], object)
    return Dataset(values, samples, NAMES, source=source)


def warned(caplog, predictor, values, **options):
    """The warnings that some rows give rise to."""
    caplog.clear()
    with caplog.at_level("WARNING", "autogenome_tf"):
        predictor.outputs(dataset(values), **options)
    assert all(record.about == "scale" for record in caplog.records)
    return [record.getMessage() for record in caplog.records]


# Right values ------------------------------------------------------------------------------


def test_statistics_of_a_row_are_its_mean_its_root_mean_square_and_quantiles():
    rows = np.array([np.arange(101), np.full(101, 3.0)], "float32")
    found = statistics(rows)
    assert found[0] == pytest.approx([50, 3350**0.5, 2, 10, 50, 90, 98])
    assert found[1] == pytest.approx([3] * 7)


def test_a_distance_is_counted_in_widths_of_the_range():
    ends, widths = np.array([[0.0, 10.0], [1.0, 30.0]]), np.array([1.0, 20.0])
    found = distances(np.array([[0.5, 10.0], [3.0, 35.0], [0.0, -30.0]]), ends, widths)
    assert found == pytest.approx([0, 2, 2])


LOGS, COUNTS = Scale("log scale", 0.0, 14.0), Scale("counts", 0.0, 900.0)
LINEAR, Z = Scale("linear scale", 0.0, 7000.0), Scale("z-scores", -2.5, 2.5)
RATIOS, SHARES = Scale("log ratios", -2.0, 12.0), Scale("shares", 0.0, 0.3, 1.0)


@pytest.mark.parametrize(
    ("known", "new", "rows", "is_relative", "expected"),
    [
        (LOGS, LOGS, 9, False, ""),
        (LOGS, LINEAR, 9, False, "another order of magnitude (up to 7000)"),
        (LOGS, LINEAR, 1, False, "another order of magnitude (up to 7000)"),
        (LOGS, Scale("linear scale", 0.0, 90.0), 9, False, ""),
        (LOGS, Z, 9, False, "values below 0"),
        (LOGS, RATIOS, 9, False, ""),
        (COUNTS, RATIOS, 9, False, "values below 0"),
        (LINEAR, LOGS, 9, False, "only up to 14"),
        (LINEAR, LOGS, 2, False, ""),
        (LINEAR, LINEAR, 9, False, ""),
        (COUNTS, LOGS, 9, True, "values on a log scale"),
        (COUNTS, LOGS, 1, True, ""),
        (COUNTS, SHARES, 9, True, ""),
        (SHARES, COUNTS, 9, True, ""),
        (Z, LOGS, 9, False, "no values below 0"),
        (Z, RATIOS, 9, False, ""),
    ],
)
def test_kinds_that_contradict_each_other(known, new, rows, is_relative, expected):
    found = other_kind(known, new, rows, is_relative)
    assert expected in found and bool(found) == bool(expected)


# Rows of the model's own kind --------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 3, 50])
@pytest.mark.parametrize("seed", range(5))
def test_rows_of_the_same_kind_are_no_cause_for_doubt(caplog, of_logs, of_counts, rows, seed):
    assert not warned(caplog, of_logs, logs(rows, seed + 10))
    assert not warned(caplog, of_counts, counts(rows, seed + 10))
    assert not warned(caplog, of_counts, scipy.sparse.csr_matrix(counts(rows, seed + 10)))


@pytest.mark.parametrize("change", [
    lambda x: 10 * x, lambda x: 1e6 * x / x.sum(1, keepdims=True), lambda x: x / x.sum(1).mean(),
])  # fmt: skip
def test_what_the_transform_takes_away_does_no_harm(caplog, of_counts, change):
    new = change(counts(30, 3))
    assert np.allclose(of_counts.outputs(new), of_counts.outputs(counts(30, 3)), atol=1e-4)
    assert not [text for text in warned(caplog, of_counts, new) if "30 of 30" in text]


SETS = [
    "alon_colon",
    "brca_tcga_subtype",
    "golub_leukemia",
    "khan_srbct",
    "pbmc3k",
    "zeisel_3types",
]


@pytest.mark.parametrize("name", SETS)
def test_held_out_rows_of_real_sets_are_no_cause_for_doubt(shared, name):
    values = read_table(next((shared / name).glob("features.*"))).values[:800]
    order = np.random.default_rng(0).permutation(values.shape[0])
    cut = values.shape[0] * 4 // 5
    train, new = values[order[:cut]], values[order[cut:]]
    dense = train.toarray() if scipy.sparse.issparse(train) else train
    predictor = predictor_of(dense, Transform.choose(dense))
    found = predictor.trained_on.compare(predictor.branches, new, dense.shape[1])
    assert not found.is_notable and not found.kind


# Other scales ------------------------------------------------------------------------------


def test_counts_for_a_model_of_logs_are_refused(of_logs):
    said = (
        r"new.tsv: values of another order of magnitude \(up to .*; 30 of 30 rows are outside .* "
        r"\(training: log scale \(most from .*Transform the rows to the scale"
    )
    with pytest.raises(InputError, match=said):
        of_logs.outputs(dataset(counts(30)))
    with pytest.raises(InputError, match=said):
        of_logs.predict(dataset(counts(30)))


def test_z_scores_for_a_model_of_logs_are_refused(of_logs):
    z = logs(30) - logs(30).mean(0)
    with pytest.raises(InputError, match="new.tsv: values below 0; 30 of 30 rows"):
        of_logs.outputs(dataset(z / z.std(0)))


def test_values_below_0_for_a_model_of_counts_are_refused(of_counts):
    with pytest.raises(InputError, match="received -.*needs values of at least 0"):
        of_counts.outputs(dataset(logs(30) - 6))
    plain = predictor_of(counts(60), Transform("rank"))
    with pytest.raises(InputError, match="values below 0"):
        plain.outputs(dataset(logs(30) - 6))


def test_logs_for_a_model_of_a_linear_scale_are_refused():
    linear = predictor_of(2 ** logs(60) * 1.7, Transform("log1p"))
    with pytest.raises(InputError, match=r"another order of magnitude \(only up to"):
        linear.outputs(dataset(logs(30)))


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows_are_never_refused_for_their_scale(caplog, of_logs, rows):
    (text,) = warned(caplog, of_logs, counts(rows))
    assert f"{rows} of {rows} rows" in text and "Predictions may be wrong" in text


def test_another_base_of_the_logarithm_is_a_warning(caplog, of_logs):
    (text,) = warned(caplog, of_logs, logs(30) / 3.32)
    assert text.startswith("new.tsv: 30 of 30 rows are outside the range of the training rows")


def test_own_rows_are_never_refused(caplog, of_logs):
    (text,) = warned(caplog, of_logs, counts(30), is_own=True)
    assert "another order of magnitude" in text


def test_some_rows_of_another_scale_are_a_warning_and_few_of_many_none(caplog, of_logs):
    new = logs(40, 3)
    new[:2] = 2 ** new[:2]
    assert not warned(caplog, of_logs, new)
    new[:5] = 2 ** logs(5)
    (text,) = warned(caplog, of_logs, new)
    assert "5 of 40 rows are outside" in text


def test_logs_for_a_model_of_counts_are_refused(of_counts):
    with pytest.raises(InputError, match="values on a log scale; 30 of 30.*training: counts"):
        of_counts.outputs(dataset(np.log1p(counts(30))))


# Models of before --------------------------------------------------------------------------


def test_the_scale_travels_with_the_model(of_logs, tmp_path):
    of_logs.save(tmp_path / "model.keras")
    loaded = Predictor.load(tmp_path / "model.keras")
    assert loaded.trained_on.scale == of_logs.trained_on.scale
    with pytest.raises(InputError, match="another order of magnitude"):
        loaded.outputs(dataset(counts(30)))
    assert TrainingScale.from_json(None) is None


def test_a_model_without_it_compares_nothing(caplog, of_logs, tmp_path):
    before = dataclasses.replace(of_logs, trained_on=None)
    before.save(tmp_path / "model.keras")
    loaded = Predictor.load(tmp_path / "model.keras")
    assert loaded.trained_on is None and not warned(caplog, loaded, counts(30))
