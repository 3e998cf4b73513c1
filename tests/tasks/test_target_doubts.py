"""Numbers and times to predict that may not be what they seem: warned of, not refused."""

import numpy as np
import pandas as pd
import pytest

from autogenome_tf.tasks import Classification, Regression, Survival
from autogenome_tf.tasks._events import read_times
from autogenome_tf.tasks._mixed_kind import MixedKind

ROWS = 40
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(50, 9, ROWS)
TIMES = RANDOM.exponential(400, ROWS) + 1
EVENTS = np.tile([1.0, 0.0], ROWS // 2)
NONE = np.zeros(ROWS, bool)


def of_numbers(*columns):
    """Return the warnings about the targets of a regression."""
    names = [f"drug{number}" for number in range(len(columns))]
    return Regression.doubts(np.stack(columns, axis=1), NONE, names)


def of_times(times=TIMES, events=EVENTS):
    """Return the warnings about times and events, but for their number."""
    texts = Survival.doubts(np.stack([times, events], axis=1), NONE, ["time", "event"])
    return [text for text in texts if "events in" not in text]


def test_measured_numbers_are_not_doubted():
    gaps = np.where(np.arange(ROWS) % 3 == 0, np.nan, VALUES)
    assert not of_numbers(VALUES, gaps, np.exp(VALUES / 20), np.full(ROWS, np.nan))


def test_a_few_whole_numbers_may_be_codes_of_classes():
    (text,) = of_numbers(np.arange(ROWS) % 3, VALUES, np.where(VALUES > 50, 2.0, np.nan))
    assert "drug0, drug2: at most 5" in text and "task.type classification" in text


@pytest.mark.parametrize("value", [1e9, -4000.0])
def test_a_value_that_outweighs_all_others_is_named(value):
    values = np.append(VALUES[1:], value)
    (text,) = of_numbers(VALUES, values)
    assert text.startswith(f"drug1: one value, {value:g}, makes up 100%")


def test_a_target_that_single_precision_cannot_tell_apart_is_named():
    assert not of_numbers(VALUES + 1e5, VALUES * 1e6, VALUES * 1e-6)
    for shifted in (VALUES / 1000 + 1e5, VALUES - 1e9):
        (text,) = of_numbers(VALUES, shifted)
        assert text.startswith("drug1: varies little for its size") and "in steps of" in text


def test_classes_that_are_measured_numbers_are_doubted():
    doses = np.resize([f"{number / 4:g}" for number in range(10)], ROWS).astype(object)
    (text,) = Classification.doubts(doses, NONE, ["dose"])
    assert "dose: 10 of 10 classes are numbers, some with fractions" in text
    for others in ([*"abcdef", "0.5"], map(str, range(10)), ["0.5", "1", "2"], ["1.0", *"abcdef"]):
        names = np.resize(list(others), ROWS).astype(object)
        assert not Classification.doubts(names, NONE, ["dose"])


def test_a_few_words_among_numbers_are_named():
    ages = np.resize([*map(str, range(40, 50)), "<40"], ROWS)[:, None].astype(object)
    (text,) = MixedKind.doubts(ages, NONE, ["age"])
    assert "age: 10 of 11 classes are numbers" in text and "such as '<40'" in text
    stages = np.resize(["1", "2", "3", "4a"], ROWS)[:, None].astype(object)
    assert not MixedKind.doubts(stages, NONE, ["stage"])


def test_times_and_events_are_not_doubted():
    assert not of_times()


def test_a_time_and_an_event_of_two_outcomes_are_doubted():
    targets = np.stack([TIMES, EVENTS], axis=1)
    for names, count in (
        (["OS_MONTHS", "PFS_STATUS"], 1),
        (["PFI.time", "PFI"], 0),
        (["OS", "event"], 0),
    ):
        texts = [text for text in Survival.doubts(targets, NONE, names) if "outcomes" in text]
        assert len(texts) == count and all(
            "'OS_MONTHS' and the event 'PFS_STATUS'" in t for t in texts
        )


def test_events_alone_are_doubted():
    (text,) = of_times(events=np.ones(ROWS))
    assert "All 40 samples had the event" in text


@pytest.mark.parametrize("times", [41000 + TIMES, 1990 + TIMES / 200], ids=["dates", "years"])
def test_times_that_may_be_dates_are_doubted(times):
    (text,) = of_times(times=times)
    assert "All times are" in text and "dates, years or ages" in text


@pytest.mark.parametrize("cell", ["2012-03-01", "574 days", ">60"])
def test_a_time_that_is_no_number_is_refused_with_what_is_one(cell):
    with pytest.raises(ValueError, match=f"'{cell}' .*Write the time since the start"):
        read_times(pd.Series([12, cell], ["a", "b"], name="time"))
