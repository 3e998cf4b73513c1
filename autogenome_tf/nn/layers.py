"""Keras layers that families share, with the regularisation a trial asks for."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.core.seeds import derive

_INITIALIZERS = {"relu": "HeNormal", "elu": "HeNormal", "selu": "LecunNormal"}
# The L1 of gates where a trial names none.
GATE_L1 = 1e-3


class LayerFactory:
    """Make the layers of one network from the values of one trial.

    Its methods take and return symbolic Keras tensors of (rows, units).

    Args:
        values: Hyperparameters of the trial; those of `families.COMMON` are used.
        seed: Every layer's initial weights and dropout derive from it and the layer's number.
        levels: The `Membership` of each level of units that stand for gene sets; none by default.
        is_plain: Whether to use Keras' own layers alone, for the weights that `to_dense_weights`
            returns.
    """

    def __init__(
        self, values: dict[str, Any], seed: int, levels: Sequence[Any] = (), is_plain: bool = False
    ):
        self._values = values
        self._seed = seed
        self._count = 0
        self.levels, self._is_plain = levels, is_plain

    def dense(self, x: Any, units: int, name: str | None = None) -> Any:
        """Apply a dense layer with the trial's L2 on its kernel.

        Args:
            x: (rows, inputs).
            units: Number of outputs; a NumPy integer is fine.
            name: Of the layer; Keras makes one by default.
        """
        layer = keras.layers.Dense(
            int(units),
            name=name,
            kernel_initializer=self._initializer("GlorotUniform"),
            kernel_regularizer=self._regularizer(),
        )
        return layer(x)

    def masked(self, x: Any, rows: np.ndarray, columns: np.ndarray, units: int) -> Any:
        """Apply a `MaskedDense` layer with the trial's L2 on its kernel.

        Args:
            x: (rows, inputs).
            rows: (connections,) index of an input.
            columns: (connections,) index of a unit.
            units: Number of outputs.
        """
        if self._is_plain:
            return self.dense(x, units)
        layer = MaskedDense(
            units, rows, columns,
            kernel_initializer=self._initializer("LecunNormal"),
            kernel_regularizer=self._regularizer(),
        )  # fmt: skip
        return layer(x)

    def gated(self, x: Any) -> Any:
        """Apply a `FeatureGate` on every gene if the trial asks for gates.

        Args:
            x: (rows, genes) Keras tensor.
        """
        if not self._values.get("gates") or self._is_plain:
            return x
        return FeatureGate(keras.regularizers.L1(self._values.get("gate_l1", GATE_L1)))(x)

    def activated(self, x: Any, name: str | None = None) -> Any:
        """Normalise, activate and drop out, as the trial asks; `name` is the activation's.

        Args:
            x: Keras tensor.
            name: Name of the layer.
        """
        if self._values.get("normalization") == "batch":
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.Activation(self._values["activation"], name=name)(x)
        return self._dropped(x, keras.layers.Dropout, self._values.get("dropout", 0.0))

    def noisy(self, x: Any, space: str) -> Any:
        """Add noise to the input while training: dropout of genes, or its twin in row space.

        A gene that is dropped with rate r and rescaled has noise of variance r / (1 - r), which a
        rotation spreads over the coordinates.

        Args:
            x: (rows, genes), or (rows, coordinates) in the span of the training rows.
            space: "genes" or "rows": the columns of `x`.
        """
        rate = self._values.get("input_dropout", 0.0)
        if space == "rows":
            return self._dropped(x, keras.layers.GaussianNoise, (rate / (1 - rate)) ** 0.5)
        return self._dropped(x, keras.layers.Dropout, rate)

    def concatenate(self, *tensors: Any) -> Any:
        """Join tensors along their units.

        Args:
            *tensors: Keras tensors of (rows, units).
        """
        return keras.layers.Concatenate()(list(tensors))

    def _dropped(self, x, layer, strength):
        return layer(strength, seed=self._next_seed())(x) if strength else x

    def _initializer(self, usual: str):
        name = _INITIALIZERS.get(self._values.get("activation", ""), usual)
        return getattr(keras.initializers, name)(seed=self._next_seed())

    def _regularizer(self):
        l2 = self._values.get("l2", 0.0)
        return keras.regularizers.L2(l2) if l2 else None

    def _next_seed(self):
        self._count += 1
        return derive(self._seed, f"layer/{self._count}")


def _saved_as(name):
    """Register a layer's class under the name that it has in files of version 0.1.0.

    A file has the registered name for the layer and the class's ``__name__`` for its weights.
    """

    def register(layer):
        layer.__name__ = name
        return keras.saving.register_keras_serializable("autogenome_tf")(layer)

    return register


@_saved_as("Masked")
class MaskedDense(keras.layers.Layer):
    """A dense layer that has weights for allowed connections alone.

    ``y = x @ W + b`` with ``W[rows, columns] = kernel`` and no weight anywhere else, so that what
    is not connected costs nothing and cannot be learned. Initial weights have the scale of a dense
    layer with as many inputs as the unit is connected to.

    Args:
        units: Number of outputs.
        rows: (connections,) index of an input.
        columns: (connections,) index of a unit; no connection comes twice.
        kernel_initializer: A Keras initializer scaled by fan-in.
        kernel_regularizer: Of the connections' weights; None by default.
        **options: As for any Keras layer.
    """

    def __init__(
        self, units: int, rows: np.ndarray, columns: np.ndarray,
        kernel_initializer: Any = "LecunNormal", kernel_regularizer: Any = None, **options: Any,
    ):  # fmt: skip
        super().__init__(**options)
        self.units = int(units)
        # TensorFlow's sparse product goes through outputs, then inputs.
        order = np.lexsort((rows, columns))
        self.rows, self.columns = np.asarray(rows)[order], np.asarray(columns)[order]
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, shape: tuple) -> None:
        """Make the weights, (connections,) and (units,).

        Args:
            shape: Shape of the input, (rows, inputs).
        """
        self.kernel = self.add_weight(
            shape=self.rows.shape, name="kernel", initializer=self._initial,
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = self.add_weight(shape=(self.units,), name="bias", initializer="zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Compute (rows, inputs) -> (rows, units).

        Args:
            x: (rows, inputs) tensor.
        """
        return self.stacked(x[None], [self.kernel[None], self.bias[None]])[0]

    def stacked(self, x: tf.Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
        """Compute all replicas at once, each by its own weights.

        Args:
            x: (replicas, rows, inputs).
            weights: (replicas, connections) kernels and (replicas, units) biases.

        Returns:
            (replicas, rows, units).
        """
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

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Return (rows, units) for (rows, inputs).

        Args:
            shape: Shape of the input, (rows, inputs).
        """
        return (*shape[:-1], self.units)

    def to_dense(self, kernel: np.ndarray, inputs: int) -> np.ndarray:
        """Return (replicas, inputs, units) kernels of dense layers for (replicas, connections).

        Args:
            kernel: (replicas, connections) weights.
            inputs: Number of inputs.
        """
        found = np.zeros((len(kernel), inputs, self.units), "float32")
        found[:, self.rows, self.columns] = kernel
        return found

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "rows": self.rows.tolist(),
            "columns": self.columns.tolist(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }

    def _initial(self, shape, dtype):
        """Draw weights for units of a single input; scale them to each unit's number of inputs."""
        drawn = self.kernel_initializer((1, *shape), dtype)[0]
        inputs = np.bincount(self.columns, minlength=self.units)
        return drawn / np.sqrt(inputs[self.columns]).astype("float32")


@_saved_as("Gate")
class FeatureGate(keras.layers.Layer):
    """Every input times its own gate of at least 0, which an L1 penalty closes.

    A gate is ``relu(kernel)`` and starts at 1. With an L2 penalty on the layer behind it, the two
    together shrink an input's whole column of weights, so that uninformative genes are left out.

    Args:
        kernel_regularizer: L1 of the gates; None by default.
        **options: As for any Keras layer.
    """

    def __init__(self, kernel_regularizer: Any = None, **options: Any):
        super().__init__(**options)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, shape: tuple) -> None:
        """Make the gates, (inputs,).

        Args:
            shape: Shape of the input, (rows, genes).
        """
        self.kernel = self.add_weight(
            shape=shape[-1:], name="kernel", initializer="ones",
            regularizer=self.kernel_regularizer,
        )  # fmt: skip

    def call(self, x: Any) -> Any:
        """Compute (rows, inputs) -> (rows, inputs).

        Args:
            x: (rows, genes) tensor.
        """
        return x * keras.ops.relu(self.kernel)

    def stacked(self, x: tf.Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
        """Compute all replicas at once, (replicas, rows, inputs), each by its own gates.

        Args:
            x: (replicas, rows, genes) tensor.
            weights: The gates, (replicas, genes).
        """
        return x * tf.nn.relu(weights[0])[:, None]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        regularizer = keras.regularizers.serialize(self.kernel_regularizer)
        return super().get_config() | {"kernel_regularizer": regularizer}
