"""Layers in files: those of version 0.1.0 open, and those of today keep their names."""

from pathlib import Path

import keras
import numpy as np
import pytest

from autogenome_tf.nn.layers import FeatureGate, MaskedDense

ONES = np.ones((1, 3), "float32")


def test_a_masked_network_of_before_computes_the_same():
    # Gates 1, 2, 0; connections 1, 2, 3; biases 0.5, -0.5: saved by version 0.1.0.
    model = keras.models.load_model(Path(__file__).parent / "before" / "masked.keras")
    assert [type(layer) for layer in model.layers[1:]] == [FeatureGate, MaskedDense]
    np.testing.assert_array_equal(model(ONES), [[5.5, -0.5]])


@pytest.mark.parametrize("layer", [FeatureGate("l1"), MaskedDense(2, [0, 1, 2], [0, 0, 1])])
def test_a_saved_layer_opens_with_its_weights(layer, tmp_path):
    x = keras.Input((3,))
    model = keras.Model(x, layer(x))
    layer.set_weights([np.arange(1.0, weight.size + 1) for weight in layer.get_weights()])
    model.save(tmp_path / "model.keras")
    opened = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(opened(ONES), model(ONES))
