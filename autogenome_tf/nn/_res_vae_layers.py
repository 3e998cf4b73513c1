"""Encoder, decoder and classifier of a Res-VAE: dense stems and blocks with skip connections."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from autogenome_tf.nn.layers import LayerFactory
from autogenome_tf.nn.likelihoods import BOUND

# Names of the last layers: the linear skip connection, the log variances, the end of the blocks.
ENCODER_ENDS = ("around", "spread", "mean")
DECODER_ENDS = ("around", "decoded")


def build_encoder(
    layers: LayerFactory, inputs: int, latent: int, widths: Sequence[int], *, skip: str,
    linear: bool, blind: int = 0,
) -> keras.Model:  # fmt: skip
    """Make the encoder: (rows, inputs) -> means and log variances, (rows, latent) each.

    Args:
        layers: Makes the layers.
        inputs: Genes and covariates.
        latent: Latent units.
        widths: Of the blocks, the stem's first.
        skip: "add" or "concatenate".
        linear: Whether a linear map leads around all blocks to the means.
        blind: Number of the last inputs whose weights start at 0; they stay there where training
            shows only zeros.
    """
    rows = keras.Input((inputs,), name="genes")
    seen = layers.noisy(rows, "genes")
    hidden = _blocks(layers, seen, widths, skip)
    around, spread, deep = ENCODER_ENDS
    mean = layers.dense(hidden, latent, deep)
    if linear:
        mean = keras.layers.Add()([layers.dense(seen, latent, around), mean])
    log_variance = keras.ops.clip(layers.dense(hidden, latent, spread), -BOUND, BOUND)
    model = keras.Model(rows, [mean, log_variance], name="encoder")
    for layer in model.layers if blind else ():
        if isinstance(layer, keras.layers.Dense) and layer.input is seen:
            kernel = layer.kernel.numpy()
            kernel[inputs - blind :] = 0
            layer.kernel.assign(kernel)
    return model


def build_decoder(
    layers: LayerFactory, inputs: int, outputs: int, widths: Sequence[int], *, skip: str,
    linear: bool, shifts: int = 0,
) -> keras.Model:  # fmt: skip
    """Make the decoder: (rows, inputs) -> (rows, outputs).

    Args:
        layers: Makes the layers.
        inputs: Latent units and covariates.
        outputs: Heads of the likelihood times genes.
        widths: Of the blocks, the stem's first.
        skip: "add" or "concatenate".
        linear: Whether a linear map leads around all blocks.
        shifts: Number of the last inputs that the blocks do not see: each shifts the outputs of all
            rows alike.
    """
    points = keras.Input((inputs,), name="latent")
    around, deep = DECODER_ENDS
    is_shift = np.arange(inputs) >= inputs - shifts
    seen = keras.layers.Rescaling((~is_shift).astype(float).tolist())(points) if shifts else points
    decoded = layers.dense(_blocks(layers, seen, widths, skip), outputs, deep)
    if linear:
        decoded = keras.layers.Add()([layers.dense(points, outputs, around), decoded])
    elif shifts:
        shifting = keras.layers.Rescaling(is_shift.astype(float).tolist())(points)
        decoded = keras.layers.Add()([layers.dense(shifting, outputs, "shift"), decoded])
    return keras.Model(points, decoded, name="decoder")


def build_wired_decoder(
    layers: LayerFactory, units: Sequence[int], genes: Sequence[int], *, inputs: int, latent: int,
    outputs: int, heads: int,
) -> keras.Model:  # fmt: skip
    """Make a linear decoder wired by gene sets: (rows, inputs) -> (rows, heads * outputs).

    Args:
        layers: Makes the layers.
        units: (connections,) indices of latent units.
        genes: (connections,) indices of the genes that they are wired to.
        inputs: Latent units and covariates; covariates are wired to all genes.
        latent: Latent units.
        outputs: Number of genes.
        heads: Of the likelihood; each is wired alike.
    """
    around = np.repeat(np.arange(latent, inputs), outputs)
    rows = np.concatenate([np.asarray(units), around])
    columns = np.concatenate([np.asarray(genes), np.tile(np.arange(outputs), inputs - latent)])
    shifts = np.repeat(np.arange(heads) * outputs, len(columns))
    points = keras.Input((inputs,), name="latent")
    decoded = layers.masked(
        points, np.tile(rows, heads), np.tile(columns, heads) + shifts, outputs * heads
    )
    return keras.Model(points, decoded, name="decoder")


def build_classifier(latent: int, classes: int) -> keras.Model:
    """Make the classifier: (rows, latent) -> logits (rows, classes), all 0 at the start.

    Args:
        latent: Latent units.
        classes: Number of classes.
    """
    points = keras.Input((latent,), name="latent")
    layer = keras.layers.Dense(classes, kernel_initializer="zeros", name="logits")
    return keras.Model(points, layer(points), name="classifier")


def scaled_classifier(model: keras.Model, scale: np.ndarray) -> keras.Model:
    """Rebuild a classifier for latent units that are multiplied by a scale.

    Args:
        model: The classifier of the units as they were.
        scale: (units,) factors, none of them 0.
    """
    kernel, bias = model.get_weights()
    other = build_classifier(*kernel.shape)
    other.set_weights([kernel / scale[:, None], bias])
    return other


def scaled(
    encoder: keras.Model, decoder: keras.Model, scale: np.ndarray
) -> tuple[keras.Model, keras.Model]:
    """Make an encoder whose units are multiplied, and a decoder that divides them again.

    Args:
        encoder: Returns means and log variances.
        decoder: Takes units, then covariates.
        scale: (units,) factors above 0.
    """
    mean, log_variance = encoder.outputs
    shift = (2 * np.log(scale)).tolist()
    ends = [
        keras.layers.Rescaling(scale.tolist())(mean),
        keras.layers.Rescaling(1.0, offset=shift)(log_variance),
    ]
    inputs = decoder.input_shape[-1]
    back = np.ones(inputs)
    back[: len(scale)] = 1 / scale
    points = keras.Input((inputs,), name="latent")
    decoded = decoder(keras.layers.Rescaling(back.tolist())(points))
    return (
        keras.Model(encoder.inputs[0], ends, name="encoder"),
        keras.Model(points, decoded, name="decoder"),
    )


def build_plain_decoder(kernel: np.ndarray, bias: np.ndarray) -> keras.Model:
    """Make a linear decoder of one dense layer, (inputs, outputs) and (outputs,)."""
    points = keras.Input(kernel.shape[:1], name="latent")
    layer = keras.layers.Dense(kernel.shape[-1], name=DECODER_ENDS[-1])
    model = keras.Model(points, layer(points), name="decoder")
    model.set_weights([kernel, bias])
    return model


def _blocks(layers: LayerFactory, x: Any, widths: Sequence[int], skip: str) -> Any:
    """Apply a dense stem, then blocks with a skip connection around each."""
    x = layers.activated(layers.dense(x, widths[0]))
    for width in widths[1:]:
        inside = layers.activated(layers.dense(x, width))
        if skip == "concatenate":
            x = layers.concatenate(x, inside)
        else:
            around = x if x.shape[-1] == width else layers.dense(x, width)
            x = keras.layers.Add()([around, inside])
    return x
