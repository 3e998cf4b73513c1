"""Keras layers that families share, with the regularisation a trial asks for."""

import keras

from autogenome_tf.seeds import derive

_INITIALIZERS = {"relu": "HeNormal", "elu": "HeNormal", "selu": "LecunNormal"}


class Blocks:
    """Makes the layers of one network from the values of one trial.

    Args:
        values: Hyperparameters of the trial; those of ``families._space.COMMON`` are used.
        seed: Every layer's initial weights and dropout derive from it and the layer's number.
    """

    def __init__(self, values, seed):
        self._values = values
        self._seed = seed
        self._count = 0

    def dense(self, x, units, name=None):
        """A dense layer of `units`, with the trial's L2 on its kernel."""
        l2 = self._values.get("l2", 0.0)
        initializer = _INITIALIZERS.get(self._values.get("activation"), "GlorotUniform")
        layer = keras.layers.Dense(
            int(units),
            name=name,
            kernel_initializer=getattr(keras.initializers, initializer)(seed=self._next_seed()),
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
        )
        return layer(x)

    def activated(self, x):
        """Normalise, activate and drop out, as the trial asks."""
        if self._values.get("normalization") == "batch":
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.Activation(self._values["activation"])(x)
        return self._dropped(x, keras.layers.Dropout, self._values.get("dropout", 0.0))

    def noisy(self, x, space):
        """Noise on the input while training: genes drop out; coordinates of rows take its twin.

        A gene that is dropped with rate r and rescaled has noise of variance r / (1 - r), which a
        rotation spreads over the coordinates.
        """
        rate = self._values.get("input_dropout", 0.0)
        if space == "rows":
            return self._dropped(x, keras.layers.GaussianNoise, (rate / (1 - rate)) ** 0.5)
        return self._dropped(x, keras.layers.Dropout, rate)

    def concatenate(self, *tensors):
        """Join tensors along their features."""
        return keras.layers.Concatenate()(list(tensors))

    def _dropped(self, x, layer, strength):
        return layer(strength, seed=self._next_seed())(x) if strength else x

    def _next_seed(self):
        self._count += 1
        return derive(self._seed, f"layer/{self._count}")
