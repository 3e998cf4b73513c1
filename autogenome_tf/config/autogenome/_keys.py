"""Every key of the original, and how keys and values of a config of its are read."""

import dataclasses
import functools
import math

from autogenome_tf.core.errors import InputError, unknown

FAMILIES = {
    "mlp": "mlp", "resnet": "resnet", "densenet": "densenet", "densnet": "densenet",
    "vae": "resvae", "enas": "wired",
}  # fmt: skip
# Optimizers that are no more, and the nearest.
OPTIMIZERS = {"kfac": "lamb", "dynamic_momentum": "momentum"}
# Levels that hold no key of their own.
LEVELS = ("args", "optimizer_param", "network_param", "architecture_param")
MOVES = {
    "name": "name",
    "input_fn.seed": "seed",
    "trainer.save_dir": "output_dir",
    "trainer.batch_size": "training.batch_size",
    "trainer.pre_train_epoch": "search.epochs",
    "trainer.max_number_of_epoches_in_search": "search.epochs",
    "trainer.max_number_of_epoches_in_fixed": "training.epochs",
    "trainer.top_k_candidates": "search.top_k",
    "trainer.min_delta": "training.min_gain",
    "explainer.num_samples": "explanation.samples",
    "explainer.ranked_outputs": "explanation.top",
}
RATES = tuple(
    f"{spec}.{key}"
    for spec in ("param_spec", "hyper_param_spec")
    for key in ("best_lr", "learning_rate")
)
# What a key cannot mean here, and why.
QUEUES = "TensorFlow 2 has no input queues"
STEPS = "every row is taken once, whatever the batches"
WITHOUT_EFFECT = {
    "input_fn.capacity": QUEUES,
    "input_fn.enqueue_many": QUEUES,
    "input_fn.min_after_dequeue": QUEUES,
    "input_fn.num_threads": QUEUES,
    "input_fn.allow_smaller_final_batch": QUEUES,
    "model.output_classes": "classes are counted in the labels",
    "trainer.auto_batch": "batches are made of rows in memory",
    "trainer.save_model_secs": "trials are on disk as they end; a killed run goes on from them",
    "trainer.log_every_n_steps": "every trial is a line",
    "trainer.evaluate_every_n_epochs": "every epoch is judged",
    "trainer.decay_min_delta": "min_delta counts at every learning rate",
    "trainer.select_by_eval": "candidates are always ranked on rows they did not train on",
    "explainer.type": "values are those of shap.DeepExplainer",
    "explainer.plot_type": "bars, dots and violins are all drawn",
    "param_spec.type": "there is one kind",
    "hyper_param_spec.type": "there is one kind",
} | {
    f"{section}.{key}": reason
    for sections, keys in (
        (("evaluator", "predictor"), {
            "log_every_n_steps": STEPS,
            "output_every_n_steps": STEPS,
            "max_number_of_steps": STEPS,
            "batch_size": "results do not depend on it",
        }),
        (("data_train", "data_evaluate", "data_predict"), {
            "type": "a matrix above data.memory is read batch by batch, whatever the loader",
            "delimiter": "it is detected",
            "shuffle": "rows are drawn by the seed, classes in their proportions",
        }),
    )
    for section in sections
    for key, reason in keys.items()
}  # fmt: skip
# What the functions below answer for, beside those.
ANSWERED = (
    "model.type", "model.is_regression", "model.multi_tasks", "data_train.data_dir",
    "data_train.features_file", "data_train.labels_file", "data_train.validation_split",
    "data_train.validation_features", "data_train.validation_labels", "data_evaluate.data_dir",
    "data_evaluate.features_file", "data_evaluate.labels_file", "data_predict.data_dir",
    "data_predict.features_file", "trainer.hyper_selector", "trainer.monitor",
    "trainer.selected_mode", "trainer.patience", "trainer.decay_lr", "trainer.decay_patience",
    "trainer.max_steps", "trainer.num_gpus", "trainer.init_learning_rate",
    "trainer.end_learning_rate",
    "trainer.loss", "trainer.child_num_layers", "trainer.child_lr_reg", "trainer.child_l2_reg",
    "trainer.max_search_channel", "optimizer.type", "evaluator.checkpoint_path",
    "predictor.checkpoint_path", "evaluator.arc", "predictor.arc",
    "explainer.features_name_file",
    *(
        f"{spec}.{key}"
        for spec in ("param_spec", "hyper_param_spec")
        for key in (
            *(f"FC{layer}_SIZE" for layer in range(1, 7)), "layers_list", "size_candidates",
            "num_layers", "keep_prob", "output_nonlinear", "n_latent", "n_blocks", "growth_rate",
            "bn_size", "block_config", "start_size", "decay_ratio", "decay_ratio_list",
            "best_lr", "learning_rate",
        )
    ),
)  # fmt: skip
KEYS = (*ANSWERED, *MOVES, *WITHOUT_EFFECT)
SECTIONS = tuple(dict.fromkeys(key.split(".")[0] for key in KEYS))


@dataclasses.dataclass(frozen=True)
class Note:
    """Effect of one old key on the new config.

    Attributes:
        old: The original's key.
        new: The key here, or "" where it has no effect.
        effect: What it does, or why it does nothing.
    """

    old: str
    new: str
    effect: str


class Keys:
    """One config on its way: keys of the original in, keys here and notes out.

    Args:
        given, place, folder: As for `autogenome.ported`.

    Attributes:
        old: Values by the original's dotted keys; None for null.
        new: The keys of a config here, as nested dicts.
        place, folder: As given.
    """

    def __init__(self, given, place, folder):
        self.place, self.folder = place, folder
        self.new, self._notes = {}, {}
        sections = [name for name in SECTIONS if name not in KEYS]
        for section in sections:
            value = given.get(section)
            if value is not None and not isinstance(value, dict):
                raise InputError(
                    f"{place}: {section}: expected an object {{...}}; received {value!r}."
                )
        # A known section may be empty.
        filled = {key: value for key, value in given.items() if value or key not in sections}
        self.old = dict(leaves(filled))
        for key in self.old:
            if key not in KEYS:
                beside = [known for known in KEYS if known.startswith(f"{key.split('.')[0]}.")]
                raise unknown(f"{place}: a config of AutoGenome", key, beside or SECTIONS)

    @property
    def notes(self):
        """Return a `Note` for each old key, in order."""
        return [self._notes[key] for key in self.old]

    @property
    def left(self) -> list[str]:
        """Return the old keys that have a value and no note yet."""
        given = [key for key, value in self.old.items() if value is not None]
        return [key for key in given if key not in self._notes]

    def put(self, new, value, *old, effect=""):
        """Set a key here, and note the old ones that it comes from.

        Args:
            new: Dotted name of the new key.
            value: Its value.
            effect: Text of the effect for the note.
            *old: Dotted names of old keys.
        """
        *parents, last = new.split(".")
        section = functools.reduce(lambda at, key: at.setdefault(key, {}), parents, self.new)
        section[last] = value
        self.note(new, effect, *old)

    def note(self, new, effect, *old):
        """Note the effect of old keys that have no note yet.

        Args:
            new: Dotted name of the new key; "" for none.
            effect: Text of the effect.
            *old: Dotted names of old keys.
        """
        for key in old:
            if key in self.old:
                self._notes.setdefault(key, Note(key, new, effect))

    def wrong(self, key, expected):
        """Return the error for a value.

        Args:
            key: Dotted name of an old key.
            expected: Expected value, in words.
        """
        return InputError(f"{self.place}: {key}: expected {expected}; received {self.old[key]!r}.")

    def number(self, key, default=None):
        """Return a finite number, whole ones as int.

        Args:
            key: Dotted name of an old key.
            default: Value where the key is not given.
        """
        value = self.old.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(key, "a number")
        if not math.isfinite(value):
            raise self.wrong(key, "a finite number")
        return whole(value)

    def flag(self, key, default):
        """Return true or false.

        Args:
            key: Dotted name of an old key.
            default: Value where the key is not given.
        """
        value = self.old.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def word(self, key, default=None):
        """Return text.

        Args:
            key: Dotted name of an old key.
            default: Value where the key is not given.
        """
        value = self.old.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "text")
        return default if value is None else value

    def same(self, *keys):
        """Return the value of keys that mean the same; None where none is given.

        Args:
            *keys: Dotted names of old keys.
        """
        given = [key for key in keys if self.old.get(key) is not None]
        if len(given) > 1 and self.old[given[0]] != self.old[given[1]]:
            raise self.wrong(given[1], f"the same as {given[0]}, {self.old[given[0]]!r}")
        return self.old[given[0]] if given else None


def leaves(given, path=()):
    """Return (key, value) of all values, without section levels that have no meaning."""
    for key, value in given.items():
        here = path if key in LEVELS else (*path, key)
        if isinstance(value, dict) and (value or key in LEVELS):
            yield from leaves(value, here)
        elif value is not None or key not in LEVELS:
            yield ".".join(here), value


def whole(value):
    """Return a number such as 20.0 as the int 20; everything else unchanged."""
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value
