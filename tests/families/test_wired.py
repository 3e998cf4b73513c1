"""Wired networks: what an arc says, and the network it is."""

import keras
import numpy as np
import pytest

from autogenome_tf import families
from autogenome_tf.core.errors import InputError
from autogenome_tf.families import wired
from autogenome_tf.tasks import Classification

TASK = Classification(["a", "b"])


def network(**values):
    """A wired network on 10 genes."""
    return families.hypermodel("wired")(10, TASK).network(values)


def kernels(model):
    """Shapes of the kernels, in order."""
    return [layer.kernel.shape for layer in model.layers if isinstance(layer, keras.layers.Dense)]


def test_decisions_come_in_the_order_of_autogenome():
    assert wired.decisions(4) == [
        "width_2", "width_3", "skip_1_3", "width_4", "skip_1_4", "skip_2_4"
    ]  # fmt: skip
    assert len(wired.decisions(7)) == 6 + 15


def test_the_default_has_six_searched_layers_of_five_widths():
    space = families.space("wired")
    options = wired.options(space)
    assert list(options) == wired.decisions(7)
    assert options["width_5"] == [64, 128, 256, 512, 1024] and options["skip_3_7"] == [0, 1]
    assert space["max_width"].options == (1024,) and space["l2"].options[0] == 1e-4


def test_widths_of_a_narrow_network_are_told_apart():
    assert wired.options(families.space("wired", {"max_width": 4}))["width_2"] == [1, 2, 4]
    assert wired.options(families.space("wired", {"max_width": 1}))["width_2"] == [1]


def test_a_layer_sees_the_one_before_and_those_that_skip_to_it():
    model = network(layers=4, max_width=16, arc=[1, 3, 1, 2, 0, 1])
    # 16 -> 2; 2 + 16 -> 8; 8 + 2 -> 4; 4 -> outputs
    assert kernels(model) == [(10, 16), (16, 2), (18, 8), (10, 4), (4, 2)]


def test_an_arc_and_its_names_are_the_same_network():
    said = {"width_2": 2, "width_3": 8, "skip_1_3": 1}
    arc = network(layers=3, max_width=16, arc=[1, 3, 1])
    names = network(layers=3, max_width=16, **said)
    x = np.random.default_rng(0).normal(size=(5, 10)).astype("float32")
    assert np.array_equal(arc(x), names(x))
    space = families.space("wired", {"layers": 3, "max_width": 16, "arc": [[1, 3, 1]]})
    assert {name: space[name].options for name in said} == {k: (v,) for k, v in said.items()}


def test_positions_of_an_arc_are_among_the_options_of_its_config():
    said = {"width_2": 12, "width_3": 8, "skip_1_3": 1}
    made = network(layers=3, max_width=16, **said)
    # The sixth of more widths than there are by default.
    arc = network(layers=3, max_width=16, arc=[6, 3, 1], **said)
    assert kernels(arc) == kernels(made)


def test_concatenation_is_a_sum_over_edges():
    model = network(layers=3, max_width=4, width_2=3, width_3=2, skip_1_3=1, normalization="none")
    x = np.random.default_rng(1).normal(size=(6, 10)).astype("float32")
    (k1, b1), (k2, b2), (k3, b3), (k4, b4) = (
        layer.get_weights() for layer in model.layers if isinstance(layer, keras.layers.Dense)
    )
    one = np.maximum(x @ k1 + b1, 0)
    two = np.maximum(one @ k2 + b2, 0)
    three = np.maximum(one @ k3[:4] + two @ k3[4:] + b3, 0)
    assert np.allclose(model(x), three @ k4 + b4, atol=1e-5)


WRONG = {
    "several depths": ({"layers": [3, 4]}, r"families\.wired\.layers: expected a single value"),
    "one layer": ({"layers": 1}, r"wired\.layers: expected an integer from 2 to 32; received 1"),
    "too wide": ({"max_width": 8, "width_2": 16}, r"width_2: expected an integer from 1 to 8"),
    "a third state": ({"skip_1_3": 2}, r"skip_1_3: expected an integer from 0 to 1; received 2"),
    "a layer too many": (
        {"layers": 3, "width_4": 8},
        r"families\.wired: unknown name 'width_4'; expected one of: .*'width_3'",
    ),
    "short arc": (
        {"layers": 3, "arc": [[1, 2]]},
        r"arc: expected 3 integers \(width_2, .*\[1, 2\]",
    ),
    "wide arc": ({"layers": 2, "arc": [[5]]}, r"arc: expected a position from 0 to 4 for width_2"),
    "bare arc": ({"layers": 2, "arc": [1]}, r"arc: expected lists of integers of at least 0"),
    "two arcs": ({"layers": 2, "arc": [[1], [2]]}, r"arc: expected a single value"),
    "contradiction": (
        {"layers": 2, "max_width": 16, "arc": [[1]], "width_2": 16},
        r"width_2: expected an integer from 2 to 2; received 16",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name):
    given, message = WRONG[name]
    with pytest.raises(InputError, match=message):
        families.space("wired", given)


def test_values_that_contradict_each_other_are_no_network():
    with pytest.raises(ValueError, match="width_2 is 16, above max_width 8"):
        network(layers=2, max_width=8, width_2=16)
