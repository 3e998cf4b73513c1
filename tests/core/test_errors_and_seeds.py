"""What errors say and what seeds promise."""

import pytest

from autogenome_tf.core.errors import InputError, StageError, nearest, some, unknown
from autogenome_tf.core.files import safe_names
from autogenome_tf.core.seeds import derive


def test_an_unknown_name_is_answered_with_place_name_choices_and_neighbour():
    error = unknown("families.mlp", "unit", ["units", "layers"])
    assert isinstance(error, InputError)
    assert str(error) == (
        "families.mlp: unknown name 'unit'; expected one of: layers, units. Did you mean 'units'?"
    )


def test_no_neighbour_is_made_up():
    assert nearest("qqq", ["units", "layers"]) == "" == nearest("units", [])


def test_names_need_not_be_text():
    assert nearest(11, [1, 110]) == " Did you mean '110'?"
    assert str(unknown("task.class_weight", 3, [1, 2])).startswith("task.class_weight: unknown")


def test_wrong_input_can_be_told_from_a_bug():
    assert issubclass(InputError, ValueError) and issubclass(StageError, RuntimeError)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, ""),
        (1, "'g0'"),
        (2, "'g0', 'g1'"),
        (3, "'g0', 'g1' and 1 more"),
        (20000, "'g0', 'g1' and 19998 more"),
    ],
)
def test_long_lists_are_cut_and_counted(count, said):
    assert some((f"g{i}" for i in range(count)), most=2) == said


def test_a_purpose_keeps_its_stream_for_ever():
    # Written down: another value would change every published run.
    streams = [derive(7, "split"), derive(7, "search"), derive(8, "split")]
    assert streams == [1904582222, 1458419327, 130936487]


def test_every_seed_and_purpose_has_its_own_stream():
    seeds = [derive(seed, f"trial/{number}") for seed in range(40) for number in range(100)]
    assert len(set(seeds)) == len(seeds)


def test_no_stream_is_zero_which_keras_tuner_takes_for_none():
    seeds = [derive(0, f"trial/{number}") for number in range(20000)]
    assert min(seeds) >= 1 and max(seeds) <= 2**31 - 2
    assert max(seeds) > 2**30  # the whole range is used


def test_the_place_of_a_crc_that_would_give_zero(monkeypatch):
    monkeypatch.setattr("zlib.crc32", lambda text: 0)
    assert derive(7, "split") == 1
    monkeypatch.setattr("zlib.crc32", lambda text: 2**32 - 1)
    assert 1 <= derive(7, "split") <= 2**31 - 2


def test_names_of_files_are_all_different():
    names = ["B cell", "B/cell", "B_cell_1", "b_cell", "x", "x_5", "X"]
    found = [name.lower() for name in safe_names(names)]
    assert len(set(found)) == len(names)
