"""Keras layers that families share, with the regularisation a trial asks for."""

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive

_INITIALIZERS = {"relu": "HeNormal", "elu": "HeNormal", "selu": "LecunNormal"}
# The L1 of gates where a trial names none.
GATE_L1 = 1e-3


class LayerFactory:
    """Makes the layers of one network from the values of one trial.

    Args:
        values: Hyperparameters of the trial; those of ``families._space.COMMON`` are used.
        seed: Every layer's initial weights and dropout derive from it and the layer's number.
        levels: What the units of masked layers stand for, for families that have some.
        is_plain: Whether to make the network that `to_dense_weights` makes weights for: Keras' own layers alone.
    """

    def __init__(self, values, seed, levels=(), is_plain=False):
        self._values = values
        self._seed = seed
        self._count = 0
        self.levels, self._is_plain = levels, is_plain

    def dense(self, x, units, name=None):
        """A dense layer of `units`, with the trial's L2 on its kernel."""
        layer = keras.layers.Dense(
            int(units),
            name=name,
            kernel_initializer=self._initializer("GlorotUniform"),
            kernel_regularizer=self._regularizer(),
        )
        return layer(x)

    def masked(self, x, rows, columns, units):
        """A `MaskedDense` layer, with the trial's L2 on its kernel."""
        if self._is_plain:
            return self.dense(x, units)
        layer = MaskedDense(
            units, rows, columns,
            kernel_initializer=self._initializer("LecunNormal"),
            kernel_regularizer=self._regularizer(),
        )  # fmt: skip
        return layer(x)

    def gated(self, x):
        """A `FeatureGate` on every gene, where the trial asks for gates."""
        if not self._values.get("gates") or self._is_plain:
            return x
        return FeatureGate(keras.regularizers.L1(self._values.get("gate_l1", GATE_L1)))(x)

    def activated(self, x, name=None):
        """Normalise, activate and drop out, as the trial asks; the activation has the name."""
        if self._values.get("normalization") == "batch":
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.Activation(self._values["activation"], name=name)(x)
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

    def _initializer(self, usual):
        name = _INITIALIZERS.get(self._values.get("activation"), usual)
        return getattr(keras.initializers, name)(seed=self._next_seed())

    def _regularizer(self):
        l2 = self._values.get("l2", 0.0)
        return keras.regularizers.L2(l2) if l2 else None

    def _next_seed(self):
        self._count += 1
        return derive(self._seed, f"layer/{self._count}")


@keras.saving.register_keras_serializable("autogenome_tf")
class MaskedDense(keras.layers.Layer):
    """A dense layer that has weights for allowed connections alone.

    ``y = x @ W + b`` with ``W[rows, columns] = kernel`` and no weight anywhere else, so that what
    is not connected costs nothing and cannot be learned. Initial weights have the scale of a dense
    layer with as many inputs as the unit is connected to.

    Args:
        units: Number of outputs.
        rows: (connections,) number of an input.
        columns: (connections,) number of a unit; no connection comes twice.
        kernel_initializer: A Keras initializer scaled by fan-in.
        kernel_regularizer: Of the connections' weights.
    """

    def __init__(
        self, units, rows, columns, kernel_initializer="LecunNormal", kernel_regularizer=None,
        **options,
    ):  # fmt: skip
        super().__init__(**options)
        self.units = int(units)
        # TensorFlow's sparse product goes through outputs, then inputs.
        order = np.lexsort((rows, columns))
        self.rows, self.columns = np.asarray(rows)[order], np.asarray(columns)[order]
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, shape):
        """Make the weights, (connections,) and (units,)."""
        self.kernel = self.add_weight(
            shape=self.rows.shape, name="kernel", initializer=self._initial,
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = self.add_weight(shape=(self.units,), name="bias", initializer="zeros")

    def call(self, x):
        """(rows, inputs) -> (rows, units)."""
        return self.stacked(x[None], [self.kernel[None], self.bias[None]])[0]

    def stacked(self, x, weights):
        """(replicas, rows, inputs) -> (replicas, rows, units), each replica by its own weights."""
        kernel, bias = weights
        count, inputs = kernel.shape[0], x.shape[-1]
        # All replicas are one sparse matrix, of a block each.
        places = np.arange(count)[:, None, None] * [self.units, inputs]
        places = places + np.stack([self.columns, self.rows], axis=1)
        matrix = tf.sparse.SparseTensor(
            places.reshape(-1, 2).astype("int64"),
            tf.reshape(kernel, (-1,)),
            (count * self.units, count * inputs),
        )
        columns = tf.reshape(tf.transpose(x, (0, 2, 1)), (count * inputs, -1))
        found = tf.reshape(tf.sparse.sparse_dense_matmul(matrix, columns), (count, self.units, -1))
        return tf.transpose(found, (0, 2, 1)) + bias[:, None]

    def compute_output_shape(self, shape):
        """(rows, inputs) -> (rows, units)."""
        return (*shape[:-1], self.units)

    def to_dense(self, kernel, inputs):
        """(replicas, connections) -> the kernels of dense layers, (replicas, inputs, units)."""
        found = np.zeros((len(kernel), inputs, self.units), "float32")
        found[:, self.rows, self.columns] = kernel
        return found

    def get_config(self):
        """What the constructor takes."""
        return super().get_config() | {
            "units": self.units,
            "rows": self.rows.tolist(),
            "columns": self.columns.tolist(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }

    def _initial(self, shape, dtype):
        """Weights for units of a single input, brought to each unit's own number of them."""
        drawn = self.kernel_initializer((1, *shape), dtype)[0]
        inputs = np.bincount(self.columns, minlength=self.units)
        return drawn / np.sqrt(inputs[self.columns]).astype("float32")


@keras.saving.register_keras_serializable("autogenome_tf")
class FeatureGate(keras.layers.Layer):
    """Every input times its own gate of at least 0, which an L1 penalty closes.

    A gate is ``relu(kernel)`` and starts at 1. With an L2 penalty on the layer behind it, the two
    together shrink an input's whole column of weights, so that what tells nothing is left out.

    Args:
        kernel_regularizer: L1 of the gates.
    """

    def __init__(self, kernel_regularizer=None, **options):
        super().__init__(**options)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, shape):
        """Make the gates, (inputs,)."""
        self.kernel = self.add_weight(
            shape=shape[-1:], name="kernel", initializer="ones",
            regularizer=self.kernel_regularizer,
        )  # fmt: skip

    def call(self, x):
        """(rows, inputs) -> the same."""
        return x * keras.ops.relu(self.kernel)

    def stacked(self, x, weights):
        """(replicas, rows, inputs) -> the same, each replica by its own gates."""
        return x * tf.nn.relu(weights[0])[:, None]

    def get_config(self):
        """What the constructor takes."""
        regularizer = keras.regularizers.serialize(self.kernel_regularizer)
        return super().get_config() | {"kernel_regularizer": regularizer}


def to_dense_weights(network, weights):
    """Weights of a network for the same one of Keras' own layers: see `LayerFactory.is_plain`.

    A masked layer's connections become a kernel with zeros, which may take far more memory; gates
    become part of the kernel behind.

    Args:
        network: A functional Keras model.
        weights: Its weights, (replicas, ...) each, in its order.

    Returns:
        The weights of the plain network, (replicas, ...) each.
    """
    found = []
    for layer, own in _by_layer(network, weights):
        if isinstance(layer, FeatureGate):
            continue
        if isinstance(layer, MaskedDense):
            own[0] = layer.to_dense(own[0], layer.input.shape[-1])
        found += own
    gates = open_gates(network, weights)
    if gates is not None:
        found[0] = found[0] * gates[:, :, None]
    return found


def open_gates(network, weights):
    """How far each gate of a network is open, (replicas, inputs); None where it has none.

    Args:
        network: A functional Keras model.
        weights: Its weights, (replicas, ...) each, in its order.
    """
    for layer, own in _by_layer(network, weights):
        if isinstance(layer, FeatureGate):
            return np.maximum(own[0], 0)
    return None


def _by_layer(network, weights):
    left = iter(weights)
    return [(layer, [next(left) for _ in layer.weights]) for layer in network.layers]
