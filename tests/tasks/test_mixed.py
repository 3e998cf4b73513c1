"""Mixed tasks: losses, metrics and names of each target equal those of its own task."""

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import tensorflow as tf

from autogenome_tf.tasks import Classification, Mixed, Regression, Survival, task_from_names

ROWS = 60
RANDOM = np.random.default_rng(0)
NAMES = ["type", "age", "days", "death"]
COLUMNS = pd.DataFrame(
    {
        "type": RANDOM.choice(["a", "b", "c"], ROWS),
        "age": RANDOM.normal(60, 9, ROWS),
        "days": RANDOM.exponential(300, ROWS),
        "death": RANDOM.choice(["0:LIVING", "1:DECEASED"], ROWS),
    },
    index=[f"s{n}" for n in range(ROWS)],
)
# Of a target each; a row without a time or its event lacks both.
GAPS = RANDOM.random((ROWS, 3)) < 0.3
GAPS[:3] = ~np.eye(3, dtype=bool)
HOLES = np.column_stack([GAPS, GAPS[:, 2] & (RANDOM.random(ROWS) < 0.5)])


def read_targets(columns):
    """Return the columns of the three targets."""
    return Mixed.read_of_kinds(columns, {"days": "survival"})


TARGETS = read_targets(COLUMNS.mask(HOLES))


def fitted(targets=TARGETS, weights=None):
    """Return the task of some targets, all rows training rows."""
    from types import SimpleNamespace

    rows = SimpleNamespace(targets=targets, target_names=NAMES, weights=weights)
    return Mixed.fitted(None, rows, np.ones(len(targets), bool))


TASK = fitted()
OUTPUTS = RANDOM.normal(size=(ROWS, TASK.outputs)).astype("float32")
UNITS = np.column_stack([OUTPUTS[:, :3], 60 + 9 * OUTPUTS[:, 3], OUTPUTS[:, 4:]])


def own_targets(part, rows, targets=TARGETS):
    """Return the targets of a part in some rows, as its own task reads them."""
    own = targets[rows, 2:] if part.name == "days" else targets[rows][:, [NAMES.index(part.name)]]
    return own[:, 0] if part.task.has_classes else own.astype(float)


def read(**columns):
    """Return single columns as targets."""
    return Mixed.read(pd.DataFrame(columns, ["s1", "s2", "s3"])).T.tolist()


def test_columns_are_numbers_or_text():
    assert read(a=["1", "2.5", None]) == [[1.0, 2.5, None]]
    assert read(a=[1.0, np.nan, 3]) == [[1.0, None, 3.0]]
    assert read(a=[True, None, False]) == [["True", None, "False"]]
    assert read(a=[1, 2.0, "x"]) == [["1", "2", "x"]]
    assert read(a=pd.Categorical(["1", "2", None])) == [["1", "2", None]]
    with pytest.raises(ValueError, match="a: sample s2: expected a number; received 'inf'"):
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
    with pytest.raises(ValueError, match=r"mixed: expected several targets.*received \['a'\]"):
        Mixed.check_learnable(TARGETS[:, :1], ["a"])
    with pytest.raises(ValueError, match=r"expected several targets.*received \['days', 'death'\]"):
        Mixed.check_learnable(TARGETS[:, 2:], NAMES[2:])
    alive = np.array([*both, [1.0, 2.0, 3.0, 4.0], [True, False, False, False]], object)
    alive[1, 0] = 2.0
    with pytest.raises(ValueError, match="death: 1 events in 4 samples"):
        Mixed.check_learnable(alive.T, ["a", "b", "days", "death"])


@pytest.mark.parametrize(
    ("first", "second", "further"),
    [
        ([["b", "c"]], ["a:b"], [1.0, 2.0]),
        ([["b:c", "d"]], ["a:b"], ["c", "e"]),
        ([[1.0, 2.0], [True, True]], ["event", "a:b"], [1.0, 2.0]),
    ],
)
def test_targets_whose_outputs_have_one_name_are_refused(first, second, further):
    targets = np.array([own * 2 for own in (*first, further)], object).T
    with pytest.raises(ValueError, match=r"targets 'a' and 'a:b'.*'a:b.*Rename one"):
        Mixed.check_learnable(targets, ["a", *second])
    Mixed.check_learnable(targets, ["a", "c", "b"][: len(first)] + ["b"])


def test_a_missing_target_teaches_nothing():
    targets = tf.constant(TASK.encode(TARGETS))
    with tf.GradientTape() as tape:
        outputs = tf.constant(OUTPUTS)
        tape.watch(outputs)
        loss = tf.reduce_sum(TASK.row_losses(targets, outputs))
    slopes = tape.gradient(loss, outputs).numpy()
    assert np.isfinite(slopes).all()
    for place, part in enumerate(TASK.parts):
        own = np.abs(slopes[:, part.outputs]).max(axis=1)
        np.testing.assert_array_equal(own > 0, ~GAPS[:, place], part.name)


def test_losses_are_those_of_the_kinds_of_the_known_rows():
    found = np.asarray(TASK.row_losses(TASK.encode(TARGETS), OUTPUTS))
    expected = np.zeros(ROWS)
    for place, part in enumerate(TASK.parts):
        known = ~GAPS[:, place]
        own = part.task.encode(own_targets(part, known))
        losses = part.task.row_losses(own, OUTPUTS[known, part.outputs])
        expected[known] += part.factor * np.asarray(losses)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_no_target_drowns_the_others():
    weights = RANDOM.uniform(0.5, 2, ROWS)
    task = fitted(weights=weights)
    encoded, totals = task.encode(TARGETS), []
    for place, part in enumerate(task.parts):
        known, own = ~GAPS[:, place], encoded[:, part.columns]
        if part.name == "type":
            counts = np.bincount(own[known, 0].astype(int), weights[known])
            outputs = np.log(counts / counts.sum())
        elif part.name == "age":
            outputs = np.average(own[known, 0], weights=weights[known])
        else:
            passed, found = np.split(weights[known] @ own[known, 2:], 2)
            outputs = np.log(found / passed) - part.task.curves.logits
        full = np.zeros((ROWS, task.outputs), "float32")
        full[:, part.outputs] = outputs
        losses = part.losses(tf.constant(own, tf.float32), full)
        totals.append(np.average(losses, weights=weights))
    np.testing.assert_allclose(totals, totals[0], rtol=1e-4)


@pytest.mark.parametrize("place", range(3))
def test_one_target_without_gaps_is_learned_as_by_a_task_of_its_own(place):
    columns = read_targets(COLUMNS)
    part = fitted(columns).parts[place]
    own, outputs = Mixed.of([part.name], [part.task]), OUTPUTS[:, part.outputs]
    alone = own_targets(part, np.arange(ROWS), columns)
    encoded = own.encode(columns[:, [NAMES.index(name) for name in part.column_names]])
    own = own.weighed(encoded, np.ones(ROWS))
    expected = part.task.row_losses(part.task.encode(alone), outputs)
    np.testing.assert_allclose(own.row_losses(encoded, outputs), expected, rtol=1e-5)
    scale, offset = part.task.output_scale()
    known = part.task.as_scored(alone), outputs * scale + offset
    found = own.metrics(own.in_units(encoded), known[1])
    for name, values in part.task.metrics(*known).items():
        assert found[f"{part.name}.{name}"][0] == pytest.approx(values[0], rel=1e-5), name


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
    followed = ~GAPS[:, 2]
    part = TASK.parts[2]
    own = own_targets(part, followed)
    c = part.task.metric("concordance", own, OUTPUTS[followed, 4:])[0]
    passed, events = part.task.curves.counts(own)
    logits = np.log(events.sum(axis=0) / passed.sum(axis=0)) * np.ones((len(own), 1))
    losses = [
        (passed * np.logaddexp(0, own) + events * np.logaddexp(0, -own)).sum()
        for own in (OUTPUTS[followed, 4:].astype(float), logits)
    ]
    each = 1 + log_loss / (shares * np.log(shares)).sum(), r2, 1 - losses[0] / losses[1]
    skill = np.mean(each)
    expected = {"type.accuracy": accuracy, "type.log_loss": log_loss, "age.r2": r2, "skill": skill,
                "days.concordance": c}  # fmt: skip
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-6), name
    assert TASK.metric("age.r2", TASK.as_scored(TARGETS), UNITS)[0] == found["age.r2"][0]
    assert TASK.score("skill", TASK.encode(TARGETS), OUTPUTS * 0) == pytest.approx(
        TASK.score("skill", TASK.encode(TARGETS), OUTPUTS * 0, np.ones(ROWS))
    )


OF_SINGLE_ROWS = ("days.hazard_log_likelihood", "days.concordance", "days.d_calibration")


def test_resamples_are_scored_as_their_rows_are():
    index = RANDOM.integers(0, ROWS, (3, ROWS))
    targets, weights = TASK.as_scored(TARGETS), RANDOM.uniform(0.5, 2, ROWS)
    found = TASK.metrics(targets, UNITS, index, weights)
    for resample, rows in enumerate(index):
        own = TASK.metrics(targets[rows], UNITS[rows], weights=weights[rows])
        for name, values in found.items():
            # Others weigh by the censoring of the rows themselves, or part drawn rows as ties.
            if not name.startswith("days.") or name in OF_SINGLE_ROWS:
                assert values[resample] == pytest.approx(own[name][0]), name


@pytest.mark.filterwarnings("error")
def test_resamples_without_a_target_are_scored_by_the_others():
    index = np.zeros((1, ROWS), int)
    rows = np.flatnonzero(GAPS[:, 0] & ~GAPS[:, 1] & GAPS[:, 2])
    index[:, 0], index[:, 1:] = rows[0], rows[1]
    found = TASK.metrics(TASK.as_scored(TARGETS), UNITS, index)
    undefined = {name for name, values in found.items() if np.isnan(values[0])}
    assert undefined == {name for name in found if name.startswith(("type.", "days."))}
    assert found["skill"][0] == found["age.r2"][0]
    none = TASK.metrics(TASK.as_scored(TARGETS[rows]), UNITS[rows])
    assert set(none) == set(found) and np.isnan(none["days.concordance"][0])


def test_predictions_and_names_are_those_of_each_target():
    frame = TASK.frame(UNITS)
    of_classes = ["prediction_type", "p_type:a", "p_type:b", "p_type:c"]
    own = TASK.parts[2].task.frame(OUTPUTS[:, 4:])
    of_times = [name.replace("_", "_days:") if "_" in name else f"{name}_days" for name in own]
    assert list(frame) == [*of_classes, "prediction_age", *of_times]
    np.testing.assert_array_equal(frame[of_times].to_numpy(), own.to_numpy())
    bins = [f"days:{name}" for name in TASK.parts[2].task.output_names]
    assert TASK.output_names == ["type:a", "type:b", "type:c", "age", *bins]
    known = dict(TASK.target_columns(TARGETS, ROWS))
    assert list(known) == [f"target_{name}" for name in NAMES]
    np.testing.assert_array_equal(
        np.array(known["target_death"], float)[~GAPS[:, 2]],
        COLUMNS["death"].eq("1:DECEASED")[~GAPS[:, 2]].to_numpy(),
    )
    again = task_from_names({"task": "mixed", **TASK.names()})
    pd.testing.assert_frame_equal(again.frame(UNITS), frame)
    np.testing.assert_array_equal(again.encode(TARGETS), TASK.encode(TARGETS))
    np.testing.assert_allclose(TASK.in_units(TASK.encode(TARGETS)), TASK.as_scored(TARGETS), 1e-5)


def test_explained_are_classes_numbers_and_the_risk_of_times():
    means = TASK.means
    assert means.names == ["type:a", "type:b", "type:c", "age", "days"]
    found = means.averaged(OUTPUTS)
    np.testing.assert_allclose(found[:, :4], OUTPUTS[:, :4])
    np.testing.assert_allclose(found[:, 4], TASK.parts[2].task.risks(OUTPUTS[:, 4:]), rtol=1e-5)


def test_logits_are_calibrated_target_by_target():
    divisors = TASK.temperature(TASK.encode(TARGETS), 8 * OUTPUTS)
    assert divisors[0] == divisors[1] > 2 and divisors[3] == 1
    assert divisors[4] == divisors[-1] > 2
    scale, offset = TASK.output_scale(divisors)
    np.testing.assert_allclose(scale[:3], 1 / divisors[:3])
    known = TARGETS[~GAPS[:, 1], 1].astype(float)
    assert (scale[3], offset[3]) == pytest.approx((known.std(), known.mean()))


def test_a_target_that_no_validation_row_has_is_not_calibrated():
    rows = GAPS[:, 0] & GAPS[:, 2]
    assert (TASK.temperature(TASK.encode(TARGETS[rows]), OUTPUTS[rows]) == 1).all()


def test_genes_are_weighed_by_the_rows_that_have_the_target():
    genes = RANDOM.normal(size=(ROWS, 3))
    genes[:, 0] += np.where(GAPS[:, 1], 50, COLUMNS["age"] - 60)
    # Of rows that died, those with a high second gene did so early.
    dead = np.where(COLUMNS["death"] == "1:DECEASED", 1, -1) * ~GAPS[:, 2]
    genes[:, 1] = np.where(GAPS[:, 2], 50, 9 * dead) + genes[:, 1]
    found = TASK.gene_statistics([(np.arange(ROWS), genes)], TASK.encode(TARGETS), np.ones(ROWS))
    assert found[:2].min() > 5 * found[2]
    rows = np.flatnonzero(GAPS[:, 2])
    without = TASK.gene_statistics([(rows, genes[rows])], TASK.encode(TARGETS), np.ones(ROWS))
    assert np.isfinite(without).all() and without.argmax() == 0


def test_the_loss_of_a_compiled_model_is_finite():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(TASK.outputs)])
    model.compile("sgd", TASK.keras_loss(), metrics=TASK.keras_metrics())
    history = model.fit(RANDOM.normal(size=(ROWS, 2)), TASK.encode(TARGETS), verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_kinds_and_classes_are_listed():
    kinds = {one.name: one.type for one in Mixed.targets_of(TARGETS, NAMES)}
    assert kinds == {"type": Classification.type, "age": Regression.type, "days": Survival.type}
    assert Mixed.labels(TARGETS, NAMES) == {"type: a", "type: b", "type: c"}
    few = np.array([[0.0, 1.0, 1.0, None], ["a", "b", "a", "b"]], object).T
    assert 'task.kinds {"grade": "classification"}' in str(
        Mixed.doubts(few, np.zeros(4, bool), ["grade", "type"])
    )


def test_splits_are_stratified_by_classes_or_else_by_events():
    np.testing.assert_array_equal(Mixed.strata(TARGETS) == "None", GAPS[:, 0])
    events = Mixed.strata(TARGETS[:, 1:])
    assert set(events) == {"True", "False", "None"}
    np.testing.assert_array_equal(events == "True", TARGETS[:, 3] == True)  # noqa: E712
    assert Mixed.strata(TARGETS[:, 1:2]) is None


def test_few_events_are_doubted():
    (text, _) = Mixed.doubts(TARGETS, np.arange(ROWS) < 20, NAMES)
    assert text.startswith("days: The training part has")


def test_drawn_targets_keep_their_gaps():
    encoded = TASK.encode(TARGETS)
    drawn = TASK.drawn(UNITS, encoded, RANDOM)
    np.testing.assert_array_equal(np.isnan(drawn), np.isnan(encoded))
    assert (drawn != encoded)[~np.isnan(encoded)].mean() > 0.1
