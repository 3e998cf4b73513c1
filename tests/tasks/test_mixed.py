"""Mixed tasks: losses, metrics and names of each target equal those of its own task."""

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import tensorflow as tf

from autogenome_tf.tasks import Classification, Mixed, Regression, task_from_names

ROWS = 60
RANDOM = np.random.default_rng(0)
NAMES = ["type", "age"]
COLUMNS = pd.DataFrame(
    {"type": RANDOM.choice(["a", "b", "c"], ROWS), "age": RANDOM.normal(60, 9, ROWS)},
    index=[f"s{n}" for n in range(ROWS)],
)
GAPS = RANDOM.random((ROWS, 2)) < 0.3
GAPS[:2] = [[True, False], [False, True]]
TARGETS = Mixed.read(COLUMNS.mask(GAPS))
OUTPUTS = RANDOM.normal(size=(ROWS, 4)).astype("float32")


def fitted(targets=TARGETS, weights=None):
    """Return the task of some targets, all rows training rows."""
    from types import SimpleNamespace

    rows = SimpleNamespace(targets=targets, target_names=NAMES, weights=weights)
    return Mixed.fitted(None, rows, np.ones(len(targets), bool))


TASK = fitted()
UNITS = np.column_stack([OUTPUTS[:, :3], 60 + 9 * OUTPUTS[:, 3]])


def read(**columns):
    """Return single columns as targets."""
    return Mixed.read(pd.DataFrame(columns, ["s1", "s2", "s3"])).T.tolist()


def test_columns_are_numbers_or_text():
    assert read(a=["1", "2.5", None]) == [[1.0, 2.5, None]]
    assert read(a=[1.0, np.nan, 3]) == [[1.0, None, 3.0]]
    assert read(a=[True, None, False]) == [["True", None, "False"]]
    assert read(a=[1, 2.0, "x"]) == [["1", "2", "x"]]
    assert read(a=pd.Categorical(["1", "2", None])) == [["1", "2", None]]
    with pytest.raises(ValueError, match="a: sample s2: expected a number; received inf"):
        read(a=[1, np.inf, 2])
    with pytest.raises(ValueError, match="a: empty for sample 's1'"):
        read(a=[" ", "x", "y"])


def test_targets_that_teach_nothing_are_refused():
    both = read(a=["x", "x", "y"], b=[1, 1, 1])
    with pytest.raises(ValueError, match="a class needs at least 2"):
        Mixed.check_learnable(np.array(both, object).T, ["a", "b"])
    both[0] = ["x", "x", "y", "y"]
    both[1] = [1.0, 1.0, 1.0, None]
    with pytest.raises(ValueError, match=r"b: constant \(1\)"):
        Mixed.check_learnable(np.array(both, object).T, ["a", "b"])
    with pytest.raises(ValueError, match=r"mixed: expected several columns.*received \['a'\]"):
        Mixed.check_learnable(TARGETS[:, :1], ["a"])


@pytest.mark.parametrize(
    ("names", "first", "second"),
    [("a|a:b", ["b", "c"], [1.0, 2.0]), ("a|a:b", ["b:c", "d"], ["c", "e"])],
)
def test_targets_whose_outputs_have_one_name_are_refused(names, first, second):
    targets = np.array([first * 2, second * 2], object).T
    with pytest.raises(ValueError, match=r"targets 'a' and 'a:b'.*'a:b.*Rename one"):
        Mixed.check_learnable(targets, names.split("|"))
    Mixed.check_learnable(targets, ["a", "b"])


def test_a_missing_target_teaches_nothing():
    targets = tf.constant(TASK.encode(TARGETS))
    with tf.GradientTape() as tape:
        outputs = tf.constant(OUTPUTS)
        tape.watch(outputs)
        loss = tf.reduce_sum(TASK.row_losses(targets, outputs))
    slopes = tape.gradient(loss, outputs).numpy()
    assert np.isfinite(slopes).all()
    assert (slopes[GAPS[:, 0], :3] == 0).all() and (slopes[GAPS[:, 1], 3] == 0).all()
    assert (np.abs(slopes[~GAPS[:, 0], :3]).max(axis=1) > 0).all()
    assert (slopes[~GAPS[:, 1], 3] != 0).all()


def test_losses_are_those_of_the_kinds_of_the_known_rows():
    found = np.asarray(TASK.row_losses(TASK.encode(TARGETS), OUTPUTS))
    expected = np.zeros(ROWS)
    for place, part in enumerate(TASK.parts):
        known = ~GAPS[:, place]
        own = TARGETS[known, place]
        own = own if part.task.has_classes else own.astype(float)[:, None]
        losses = part.task.row_losses(part.task.encode(own), OUTPUTS[known, part.outputs])
        expected[known] += part.factor * np.asarray(losses)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_no_target_drowns_the_others():
    weights = RANDOM.uniform(0.5, 2, ROWS)
    task = fitted(weights=weights)
    encoded, totals = task.encode(TARGETS), []
    for column, part in zip(encoded.T, task.parts, strict=True):
        known = ~np.isnan(column)
        if part.task.has_classes:
            counts = np.bincount(column[known].astype(int), weights[known])
            outputs = np.log(counts / counts.sum())
        else:
            outputs = np.average(column[known], weights=weights[known])
        full = np.zeros((ROWS, 4), "float32")
        full[:, part.outputs] = outputs
        totals.append(np.average(part.losses(tf.constant(column), full), weights=weights))
    assert totals[0] == pytest.approx(totals[1], rel=1e-4)


@pytest.mark.parametrize("place", [0, 1])
def test_one_target_without_gaps_is_learned_as_by_a_task_of_its_own(place):
    column = Mixed.read(COLUMNS)[:, place]
    part = fitted(Mixed.read(COLUMNS)).parts[place]
    own, outputs = Mixed.of([part.name], [part.task]), OUTPUTS[:, part.outputs]
    encoded = own.encode(column[:, None])
    own = own.weighed(encoded, np.ones(ROWS))
    alone = column if part.task.has_classes else column.astype(float)[:, None]
    expected = part.task.row_losses(part.task.encode(alone), outputs)
    np.testing.assert_allclose(own.row_losses(encoded, outputs), expected, rtol=1e-6)


def test_metrics_are_scikit_learns_on_the_rows_that_have_the_target():
    found = TASK.metrics(TASK.as_scored(TARGETS), UNITS)
    known = ~GAPS[:, 0]
    labels = np.array(TASK.parts[0].task.classes)[OUTPUTS[known, :3].argmax(1)]
    accuracy = sklearn.metrics.accuracy_score(TARGETS[known, 0].astype(str), labels)
    chances = np.exp(OUTPUTS[known, :3].astype(float))
    chances /= chances.sum(1, keepdims=True)
    log_loss = sklearn.metrics.log_loss(TARGETS[known, 0].astype(str), chances)
    shares = np.unique(TARGETS[known, 0].astype(str), return_counts=True)[1] / known.sum()
    measured = ~GAPS[:, 1]
    r2 = sklearn.metrics.r2_score(TARGETS[measured, 1].astype(float), UNITS[measured, 3])
    skill = (1 + log_loss / (shares * np.log(shares)).sum() + r2) / 2
    expected = {"type.accuracy": accuracy, "type.log_loss": log_loss, "age.r2": r2, "skill": skill}
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-6), name
    assert TASK.metric("age.r2", TASK.as_scored(TARGETS), UNITS)[0] == found["age.r2"][0]
    assert TASK.score("skill", TASK.encode(TARGETS), OUTPUTS * 0) == pytest.approx(
        TASK.score("skill", TASK.encode(TARGETS), OUTPUTS * 0, np.ones(ROWS))
    )


def test_resamples_are_scored_as_their_rows_are():
    index = RANDOM.integers(0, ROWS, (3, ROWS))
    targets, weights = TASK.as_scored(TARGETS), RANDOM.uniform(0.5, 2, ROWS)
    found = TASK.metrics(targets, UNITS, index, weights)
    for resample, rows in enumerate(index):
        own = TASK.metrics(targets[rows], UNITS[rows], weights=weights[rows])
        for name, values in found.items():
            assert values[resample] == pytest.approx(own[name][0]), name


@pytest.mark.filterwarnings("error")
def test_resamples_without_a_target_are_scored_by_the_others():
    index = np.zeros((1, ROWS), int)
    index[:, ::2] = np.flatnonzero(GAPS[:, 0] & ~GAPS[:, 1])[1]
    found = TASK.metrics(TASK.as_scored(TARGETS), UNITS, index)
    undefined = {name for name, values in found.items() if np.isnan(values[0])}
    assert undefined == {name for name in found if name.startswith("type.")}
    assert found["skill"][0] == found["age.r2"][0]


def test_predictions_and_names_are_those_of_each_target():
    frame = TASK.frame(UNITS)
    assert list(frame) == ["prediction_type", "p_type:a", "p_type:b", "p_type:c", "prediction_age"]
    assert TASK.output_names == ["type:a", "type:b", "type:c", "age"]
    again = task_from_names({"task": "mixed", **TASK.names()})
    pd.testing.assert_frame_equal(again.frame(UNITS), frame)
    np.testing.assert_array_equal(again.encode(TARGETS), TASK.encode(TARGETS))
    np.testing.assert_allclose(TASK.in_units(TASK.encode(TARGETS)), TASK.as_scored(TARGETS), 1e-5)


def test_logits_are_calibrated_target_by_target():
    divisors = TASK.temperature(TASK.encode(TARGETS), 8 * OUTPUTS)
    assert divisors[0] == divisors[1] > 2 and divisors[3] == 1
    scale, offset = TASK.output_scale(divisors)
    np.testing.assert_allclose(scale[:3], 1 / divisors[:3])
    known = TARGETS[~GAPS[:, 1], 1].astype(float)
    assert (scale[3], offset[3]) == pytest.approx((known.std(), known.mean()))


def test_a_target_that_no_validation_row_has_is_not_calibrated():
    rows = GAPS[:, 0]
    assert (TASK.temperature(TASK.encode(TARGETS[rows]), OUTPUTS[rows]) == 1).all()


def test_genes_are_weighed_by_the_rows_that_have_the_target():
    genes = RANDOM.normal(size=(ROWS, 3))
    genes[:, 0] += np.where(GAPS[:, 1], 50, COLUMNS["age"] - 60)
    found = TASK.gene_statistics([(np.arange(ROWS), genes)], TASK.encode(TARGETS), np.ones(ROWS))
    assert found.argmax() == 0 and found[0] > 10 * found[1:].max()


def test_the_loss_of_a_compiled_model_is_finite():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
    model.compile("sgd", TASK.keras_loss(), metrics=TASK.keras_metrics())
    history = model.fit(RANDOM.normal(size=(ROWS, 2)), TASK.encode(TARGETS), verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_kinds_and_classes_are_listed():
    assert Mixed.kinds_of(TARGETS, NAMES) == {
        "type": Classification.type, "age": Regression.type,
    }  # fmt: skip
    assert Mixed.labels(TARGETS, NAMES) == {"type: a", "type: b", "type: c"}
    few = np.array([[0.0, 1.0, 1.0, None], ["a", "b", "a", "b"]], object).T
    assert 'task.kinds {"grade": "classification"}' in str(
        Mixed.doubts(few, np.zeros(4, bool), ["grade", "type"])
    )
