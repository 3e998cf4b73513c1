"""Port of the original's data, task, training and search keys, one after another."""

import logging
import math
import os
import re
from pathlib import Path

from autogenome_tf.config.autogenome._keys import (
    FAMILIES,
    MOVES,
    OPTIMIZERS,
    RATES,
    WITHOUT_EFFECT,
    whole,
)
from autogenome_tf.config.autogenome._networks import Network
from autogenome_tf.core.errors import InputError, some, unknown
from autogenome_tf.tasks import kind_of

log = logging.getLogger(__name__)

# Keys of `data` that name files: section and key of the original.
_FILES = {
    "features": ("data_train", "features_file"),
    "targets": ("data_train", "labels_file"),
    "validation": ("data_train", "validation_features"),
    "validation_targets": ("data_train", "validation_labels"),
    "evaluate": ("data_evaluate", "features_file"),
    "evaluate_targets": ("data_evaluate", "labels_file"),
    "predict": ("data_predict", "features_file"),
}


def put_all(keys):
    """Put a config here in place of every key of `Keys`.

    Args:
        keys: Keys of the original config.
    """
    family = _family(keys)
    _data(keys, is_labelled=family != "resvae")
    _task(keys, family)
    for old, new in MOVES.items():
        if keys.old.get(old) is not None:
            keys.put(new, whole(keys.old[old]), old)
    _name(keys)
    _schedule(keys)
    _optimizer(keys)
    _monitor(keys)
    Network(keys, family).put()
    for key in ("evaluator.checkpoint_path", "predictor.checkpoint_path"):
        _checkpoint(keys, key)
    for key in keys.old:
        if key in WITHOUT_EFFECT:
            keys.note("", WITHOUT_EFFECT[key], key)
    left, kind = keys.left, keys.old["model.type"]
    if left:
        text = f"{keys.place}: {some(left)}: no key of a config of {kind}, so it has no effect."
        log.warning("%s", text, extra={"about": "config"})
    keys.note("", f"null, or not a key of {kind}", *keys.old)


def _family(keys):
    given = keys.word("model.type", "")
    if given.lower() not in FAMILIES:
        names = ("MLP", "ResNet", "DenseNet", "VAE", "enas")
        raise unknown(f"{keys.place}: model.type", given, names)
    family = FAMILIES[given.lower()]
    keys.note(f"families.{family}", "", "model.type")
    return family


def _name(keys):
    """Take over the name, changed into one that can be a folder on any system."""
    given = keys.word("name", "")
    keys.put("name", re.sub(r"[^A-Za-z0-9._-]+", "-", given).lstrip("._-") or "autogenome")


def _file(keys, section, key):
    """Return the path of a file of a section, or None."""
    name = keys.word(f"{section}.{key}")
    if name is None:
        return None
    return os.path.join(keys.word(f"{section}.data_dir", ""), name)


def _data(keys, is_labelled):
    _files(keys, is_labelled)
    names = keys.word("explainer.features_name_file")
    if names:
        keys.put("data.feature_names", names, "explainer.features_name_file")
    keys.note("", "genes are numbered", "explainer.features_name_file")
    share = keys.number("data_train.validation_split")
    has_files = "validation" in keys.new["data"]
    if share is None and not has_files:
        share = 0.2
    keys.put(
        "data.split", {"test": 0.0, "validation": 0.0 if has_files else share},
        "data_train.validation_split",
        effect="the files take its place" if has_files else "nothing is held out as a test",
    )  # fmt: skip
    keys.put("search.folds", 1)


def _files(keys, is_labelled):
    """Take over the names of files; refuse a config without rows, or rows without labels."""
    for new, (section, key) in _FILES.items():
        path = _file(keys, section, key)
        if path and not is_labelled and new.endswith("targets"):
            effect = "a VAE needs none; with data.target they score its latent space"
            keys.note("", effect, f"{section}.{key}")
        elif path:
            keys.put(f"data.{new}", path, f"{section}.{key}", f"{section}.data_dir")
        keys.note(f"data.{new}", "there is none", f"{section}.{key}")
    found = keys.new.get("data", {})
    if "features" not in found:
        raise InputError(f"{keys.place}: data_train.features_file: this key must be given.")
    for rows, labels in (
        ("features", "targets"), ("validation", "validation_targets"),
        ("evaluate", "evaluate_targets"),
    ):  # fmt: skip
        if is_labelled and rows in found and labels not in found:
            key = ".".join(_FILES[labels])
            raise InputError(f"{keys.place}: {key}: this key must be given.")


def _task(keys, family):
    if family == "resvae":
        keys.put("task.type", "representation")
        keys.note("", "the loss is the evidence lower bound", "trainer.loss")
        return
    is_regression = keys.flag("model.is_regression", False)
    several = keys.flag("model.multi_tasks", False)
    keys.put("task.type", "regression" if is_regression else "classification",
              "model.is_regression")  # fmt: skip
    if several:
        keys.put("data.target", "*", "model.multi_tasks", effect="every column of the labels")
    keys.note("", "there is one column of labels", "model.multi_tasks")
    loss = keys.word("trainer.loss")
    if is_regression:
        keys.note("task.loss", "a regression minimises mse", "trainer.loss")
    elif not several:
        _classes(keys)
    if loss is not None and not is_regression:
        if loss not in ("cross_entropy", "focal_loss"):
            known = ("cross_entropy", "focal_loss")
            raise unknown(f"{keys.place}: trainer.loss", loss, known)
        keys.put("task.loss", loss, "trainer.loss")
    keys.note("", "the usual one", "trainer.loss")


def _classes(keys):
    """Warn where the labels have another number of classes than the config says."""
    said, files = keys.number("model.output_classes"), keys.new["data"]
    found = len(set(_lines(Path(keys.folder) / files["targets"]))) if said is not None else 0
    if found and found != said:
        log.warning(
            "%s: model.output_classes says %s, and %s has %d different labels. They are what the "
            "network gets; is it the right file?", keys.place, said, files["targets"], found,
            extra={"about": "config"},
        )  # fmt: skip


def _schedule(keys):
    devices = keys.number("trainer.num_gpus", 1)
    if devices > 1:
        effect = "each batch is shared, where rows are read batch by batch"
        keys.put("training.devices", devices, "trainer.num_gpus", effect=effect)
    keys.note("", "one device is what there is without it", "trainer.num_gpus")
    _patience(keys)
    _epochs(keys)
    _rate(keys)


def _patience(keys):
    """Take over patience and the decay of learning rates, which go together."""
    patience = keys.number("trainer.patience")
    decays, divisor = (keys.number(f"trainer.decay_{key}") for key in ("patience", "lr"))
    if patience is not None and (decays is not None or divisor is not None):
        effect = "each learning rate has so many epochs without gain"
        keys.put("training.decay.after", patience, "trainer.patience", effect=effect)
        effect = "with patience: until training stops"
        longest = patience * ((1 if decays is None else decays) + 1)
        keys.put("training.patience", longest, "trainer.decay_patience", effect=effect)
    elif patience is not None:
        keys.put("training.patience", patience, "trainer.patience")
    if divisor is not None:
        if divisor < 1:
            raise keys.wrong("trainer.decay_lr", "a divisor of at least 1")
        keys.put("training.decay.factor", 1 / divisor, "trainer.decay_lr",
                  effect="what it was divided by, as a factor")  # fmt: skip
    keys.note("", "it goes with patience", "trainer.decay_patience", "trainer.patience")
    keys.note("", "the usual one", "trainer.decay_lr")


def _epochs(keys):
    """Turn the number of steps into one of epochs, where the rows can be counted."""
    steps = keys.number("trainer.max_steps")
    files = keys.new["data"]
    rows = sum(1 for _ in _lines(Path(keys.folder) / files.get("targets", files["features"])))
    if "epochs" in keys.new.get("training", {}):
        effect = "max_number_of_epoches_in_fixed says it"
        keys.note("training.epochs", effect, "trainer.max_steps")
    elif steps is not None and rows:
        epochs = math.ceil(steps * keys.number("trainer.batch_size", 64) / rows)
        keys.put("training.epochs", max(1, epochs), "trainer.max_steps",
                  effect="steps x batch size / rows; patience ends it sooner")  # fmt: skip
    keys.note("", "patience ends training", "trainer.max_steps")


def _rate(keys):
    """Port the learning rate: a fixed one, or the ends of a range test."""
    rates = [key for key in RATES if keys.old.get(key) is not None]
    ends = ("trainer.init_learning_rate", "trainer.end_learning_rate")
    band = [keys.number(end) for end in ends]
    if rates and not keys.flag("trainer.hyper_selector", True):
        keys.put("training.learning_rate", keys.number(rates[0]), *rates)
        keys.note("", "param_spec says the rate", *ends)
    elif None not in band:
        keys.put("training.learning_rate", band, *ends, effect="the range test's ends")
    elif band != [None, None]:
        raise InputError(
            f"{keys.place}: {' and '.join(ends)}: expected both or neither; received {band}."
        )
    keys.note("training.learning_rate", "a range test finds it", *RATES, *ends)


def _optimizer(keys):
    given = keys.word("optimizer.type")
    if given is None:
        return
    name = given.lower()
    if name in OPTIMIZERS:
        raise InputError(
            f"{keys.place}: optimizer.type: TensorFlow 2 has no {name}; the nearest is "
            f"{OPTIMIZERS[name]}."
        )
    keys.put("training.optimizer", name, "optimizer.type")


def _monitor(keys):
    """Port the metric that ranks candidates, and refuse the opposite direction."""
    kind, given = kind_of(keys.new["task"]["type"]), keys.word("trainer.monitor")
    known = {"accuracy": "accuracy", "f1_score": "f1_macro", "loss": "log_loss"}
    if given is not None and given not in known:
        raise unknown(f"{keys.place}: trainer.monitor", given, known)
    direction = keys.word("trainer.selected_mode")
    if direction not in (None, "max", "min"):
        raise unknown(f"{keys.place}: trainer.selected_mode", direction, ("max", "min"))
    if given and direction and (given == "loss") != (direction == "min"):
        raise InputError(
            f"{keys.place}: trainer.selected_mode: {given} is best at its "
            f"{'least' if given == 'loss' else 'greatest'}; received {direction!r}."
        )
    if given and kind.has_classes:
        keys.put("search.objective", known[given], "trainer.monitor")
    elif given and kind.has_units:
        effect = "" if given == "loss" else "a regression has no accuracy: the error ranks"
        keys.put("search.objective", "rmse", "trainer.monitor", effect=effect)
    keys.note("search.objective", "elbo, the held-out bound", "trainer.monitor")
    keys.note("", "it follows from monitor", "trainer.selected_mode")


def _checkpoint(keys, key):
    given = keys.word(key, "default")
    if given != "default":
        raise InputError(
            f"{keys.place}: {key}: checkpoints of TensorFlow 1 cannot be read; expected "
            f"'default', or ag.load(folder) for a run made here; received {given!r}."
        )
    keys.note("", "the model of the run", key)


def _lines(path):
    """Yield the rows of a text file without header; none where it cannot be read as text."""
    if path.is_file() and re.search(r"\.(tsv|csv|txt)$", path.name):
        with open(path, "rb") as stream:
            yield from filter(None, map(bytes.strip, stream))
