"""A functional Keras model on several sets of weights at once.

Tensors gain a first axis of replicas: (rows, features) becomes (replicas, rows, features). Layers
that networks are made of are computed on the stacks directly, which traces as fast as one network;
any other layer with weights is vectorised by TensorFlow.
"""

import keras
import tensorflow as tf


class Stacked:
    """Runs a functional Keras model on stacked weights.

    Args:
        network: The model; its own weights are not used.
    """

    def __init__(self, network):
        self._network = network
        self._known = {
            keras.layers.Dense: self._dense,
            keras.layers.BatchNormalization: self._normalised,
            keras.layers.Dropout: self._dropped,
            keras.layers.GaussianNoise: self._noisy,
        }

    def __call__(self, x, weights, training=False, seed=None):
        """Compute the outputs.

        Args:
            x: (replicas, rows, inputs).
            weights: Path of each variable of the model to its stack, (replicas, ...).
            training: Whether noise and batch statistics are used.
            seed: (2,) int32 tensor, a new one each step; a replica's noise does not depend on how
                many others there are.

        Returns:
            (replicas, rows, outputs), and the new value of each moving statistic by path.
        """
        updates, positions = {}, {}

        def operation(layer):
            positions[layer.name] = len(positions)
            if type(layer) in self._known:
                own = None if seed is None else seed + tf.constant([0, positions[layer.name]])
                compute = self._known[type(layer)]
                return lambda x, **_: compute(layer, x, weights, training, own, updates)
            if getattr(layer, "non_trainable_variables", None):
                # Its moving statistics or random state would be lost without a word.
                raise TypeError(f"replicas cannot train the layer {type(layer).__name__}")
            if getattr(layer, "weights", None):
                return lambda x, **_: self._vectorised(layer, x, weights, training)
            return layer.call

        # Keras' own walk through a functional model; public calls run it on unstacked tensors only.
        outputs = self._network._run_through_graph(x, operation_fn=operation)
        return keras.tree.flatten(outputs)[0], updates

    def penalty(self, weights):
        """The regularisation of all kernels; L1 and L2 add up over replicas."""
        terms = [
            layer.kernel_regularizer(weights[layer.kernel.path])
            for layer in self._network.layers
            if getattr(layer, "kernel_regularizer", None) is not None
        ]
        return tf.add_n(terms) if terms else tf.constant(0.0)

    @staticmethod
    def _dense(layer, x, weights, training, seed, updates):
        x = tf.matmul(x, weights[layer.kernel.path])
        if layer.use_bias:
            x += weights[layer.bias.path][:, None]
        return layer.activation(x)

    @staticmethod
    def _normalised(layer, x, weights, training, seed, updates):
        mean_path, variance_path = layer.moving_mean.path, layer.moving_variance.path
        if training:
            mean, variance = tf.nn.moments(x, axes=[1])
            for path, value in ((mean_path, mean), (variance_path, variance)):
                updates[path] = weights[path] + (1 - layer.momentum) * (value - weights[path])
        else:
            mean, variance = weights[mean_path], weights[variance_path]
        factor = weights[layer.gamma.path] * tf.math.rsqrt(variance + layer.epsilon)
        return x * factor[:, None] + (weights[layer.beta.path] - mean * factor)[:, None]

    @staticmethod
    def _dropped(layer, x, weights, training, seed, updates):
        if not training:
            return x
        kept = tf.random.stateless_uniform(tf.shape(x), seed) >= layer.rate
        return tf.where(kept, x / (1 - layer.rate), 0.0)

    @staticmethod
    def _noisy(layer, x, weights, training, seed, updates):
        if not training:
            return x
        return x + layer.stddev * tf.random.stateless_normal(tf.shape(x), seed)

    @staticmethod
    def _vectorised(layer, x, weights, training):
        def one(arguments):
            trainable, x = arguments
            return layer.stateless_call(trainable, [], x)[0]

        trainable = [weights[v.path] for v in layer.trainable_variables]
        return tf.vectorized_map(one, (trainable, x))
