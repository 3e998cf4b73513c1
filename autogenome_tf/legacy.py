"""AutoGenome's own JSON, key by key, as a config of this package."""

import dataclasses
import functools
import math
import os
import re
from pathlib import Path

from autogenome_tf.errors import InputError, unknown

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
    "trainer.num_gpus": "the networks of all folds train together on one device",
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
            "type": "files are read in blocks; the matrix itself must fit into memory",
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
    "trainer.max_steps", "trainer.init_learning_rate", "trainer.end_learning_rate",
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
# What the original's networks have no key for.
FIXED = {"dropout": 0.0, "activation": "relu", "normalization": "batch", "l2": 0.0}
SUPERVISED = FIXED | {"spectral_power": 0.0}


@dataclasses.dataclass(frozen=True)
class Note:
    """What became of one key.

    Attributes:
        old: The original's key.
        new: The key here, or "" where it has no effect.
        effect: What it does, or why it does nothing.
    """

    old: str
    new: str
    effect: str


def is_original(given):
    """Whether the keys of a config are those of the original."""
    return isinstance(given, dict) and bool({"model", "data_train", "trainer"} & set(given))


def ported(given, place, folder):
    """Answer for every key of an original config.

    Args:
        given: What its JSON holds.
        place: Its name, for errors.
        folder: What its paths are relative to.

    Returns:
        The keys of a config here as nested dicts, and a `Note` for each old key.

    Raises:
        InputError: For a key that the original does not have, a value that it does not take, or one
            that has no counterpart here; the message names the nearest.
    """
    return _Port(given, place, folder).ported()


class _Port:
    """One config on its way: keys of the original in, keys here and notes out."""

    def __init__(self, given, place, folder):
        self._old, self._place, self._folder = dict(_leaves(given)), place, folder
        self._new, self._notes = {}, {}
        for key in self._old:
            if key not in KEYS:
                beside = [known for known in KEYS if known.startswith(f"{key.split('.')[0]}.")]
                raise unknown(f"{place}: a config of AutoGenome", key, beside or SECTIONS)

    def ported(self):
        """See the function of this name."""
        family = self._family()
        self._data(is_labelled=family != "resvae")
        self._task(family)
        for old, new in MOVES.items():
            if old in self._old:
                self._put(new, self._old[old], old)
        self._name()
        self._schedule()
        self._optimizer()
        self._monitor()
        self._network(family)
        for key in ("evaluator.checkpoint_path", "predictor.checkpoint_path"):
            self._checkpoint(key)
        for key in self._old:
            if key in WITHOUT_EFFECT:
                self._note("", WITHOUT_EFFECT[key], key)
        return self._new, [self._notes[key] for key in self._old]

    # Keys ----------------------------------------------------------------------------------

    def _put(self, new, value, *old, effect=""):
        """Set a key here, and note the old ones that it comes from."""
        *parents, last = new.split(".")
        section = functools.reduce(lambda at, key: at.setdefault(key, {}), parents, self._new)
        section[last] = value
        self._note(new, effect, *old)

    def _note(self, new, effect, *old):
        for key in old:
            if key in self._old:
                self._notes.setdefault(key, Note(key, new, effect))

    def _wrong(self, key, expected):
        return InputError(
            f"{self._place}: {key}: expected {expected}; received {self._old[key]!r}."
        )

    def _number(self, key, default=None):
        value = self._old.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(key, "a number")
        return value

    def _flag(self, key, default):
        value = self._old.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def _word(self, key, default=None):
        value = self._old.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "text")
        return default if value is None else value

    def _list(self, key):
        value = self._old.get(key)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    # What is learned from what -------------------------------------------------------------

    def _family(self):
        given = self._word("model.type", "")
        if given.lower() not in FAMILIES:
            names = ("MLP", "ResNet", "DenseNet", "VAE", "enas")
            raise unknown(f"{self._place}: model.type", given, names)
        family = FAMILIES[given.lower()]
        self._note(f"families.{family}", "", "model.type")
        return family

    def _name(self):
        """A name that can be a folder on any system."""
        given = self._word("name", "")
        self._put("name", re.sub(r"[^A-Za-z0-9._-]+", "-", given).lstrip("._-") or "autogenome")

    def _file(self, section, key):
        """Path of a file of a section, or None."""
        name = self._word(f"{section}.{key}")
        if name is None:
            return None
        return os.path.join(self._word(f"{section}.data_dir", ""), name)

    def _data(self, is_labelled):
        files = {
            "features": ("data_train", "features_file"),
            "targets": ("data_train", "labels_file"),
            "validation": ("data_train", "validation_features"),
            "validation_targets": ("data_train", "validation_labels"),
            "evaluate": ("data_evaluate", "features_file"),
            "evaluate_targets": ("data_evaluate", "labels_file"),
            "predict": ("data_predict", "features_file"),
        }
        for new, (section, key) in files.items():
            path = self._file(section, key)
            if path:
                self._put(f"data.{new}", path, f"{section}.{key}", f"{section}.data_dir")
            self._note(f"data.{new}", "there is none", f"{section}.{key}")
        if "features" not in self._new.get("data", {}):
            raise InputError(f"{self._place}: data_train.features_file: this key must be given.")
        if is_labelled and "targets" not in self._new["data"]:
            raise InputError(f"{self._place}: data_train.labels_file: this key must be given.")
        names = self._word("explainer.features_name_file")
        if names:
            self._put("data.feature_names", names, "explainer.features_name_file")
        self._note("", "genes are numbered", "explainer.features_name_file")
        share = self._number("data_train.validation_split")
        has_files = "validation" in self._new["data"]
        if share is None and not has_files:
            share = 0.2
        self._put(
            "data.split", {"test": 0.0, "validation": 0.0 if has_files else share},
            "data_train.validation_split",
            effect="the files take its place" if has_files else "nothing is held out as a test",
        )  # fmt: skip
        self._put("search.folds", 1)

    def _task(self, family):
        if family == "resvae":
            self._put("task.type", "representation")
            self._note("", "the loss is the evidence lower bound", "trainer.loss")
            return
        is_regression = self._flag("model.is_regression", False)
        several = self._flag("model.multi_tasks", False)
        self._put("task.type", "regression" if is_regression else "classification",
                  "model.is_regression")  # fmt: skip
        if several:
            self._put("data.target", "*", "model.multi_tasks", effect="every column of the labels")
        self._note("", "there is one column of labels", "model.multi_tasks")
        loss = self._word("trainer.loss")
        if is_regression:
            self._note("task.loss", "a regression minimises mse", "trainer.loss")
        elif loss is not None:
            if loss not in ("cross_entropy", "focal_loss"):
                known = ("cross_entropy", "focal_loss")
                raise unknown(f"{self._place}: trainer.loss", loss, known)
            self._put("task.loss", loss, "trainer.loss")
        self._note("", "the usual one", "trainer.loss")

    # How it is trained ---------------------------------------------------------------------

    def _schedule(self):
        patience = self._number("trainer.patience")
        decays, divisor = (self._number(f"trainer.decay_{key}") for key in ("patience", "lr"))
        if patience is not None and (decays is not None or divisor is not None):
            effect = "each learning rate has so many epochs without gain"
            self._put("training.decay.after", patience, "trainer.patience", effect=effect)
            effect = "with patience: until training stops"
            longest = patience * (int(decays or 1) + 1)
            self._put("training.patience", longest, "trainer.decay_patience", effect=effect)
        elif patience is not None:
            self._put("training.patience", patience, "trainer.patience")
        if divisor is not None:
            if divisor < 1:
                raise self._wrong("trainer.decay_lr", "a divisor of at least 1")
            self._put("training.decay.factor", 1 / divisor, "trainer.decay_lr",
                      effect="what it was divided by, as a factor")  # fmt: skip
        self._note("", "it goes with patience", "trainer.decay_patience", "trainer.patience")
        self._note("", "the usual one", "trainer.decay_lr")
        steps = self._number("trainer.max_steps")
        rows = _lines(Path(self._folder) / self._new["data"]["features"])
        if steps is not None and rows:
            epochs = math.ceil(steps * self._number("trainer.batch_size", 64) / rows)
            self._put("training.epochs", max(1, epochs), "trainer.max_steps",
                      effect="steps x batch size / rows; patience ends it sooner")  # fmt: skip
        self._note("", "patience ends training", "trainer.max_steps")
        band = [self._number(f"trainer.{end}_learning_rate") for end in ("init", "end")]
        ends = ("trainer.init_learning_rate", "trainer.end_learning_rate")
        if None not in band:
            self._put("training.learning_rate", band, *ends, effect="the range test's ends")
        self._note("training.learning_rate", "a range test", *ends)

    def _optimizer(self):
        given = self._word("optimizer.type")
        if given is None:
            return
        name = given.lower()
        if name in OPTIMIZERS:
            raise InputError(
                f"{self._place}: optimizer.type: TensorFlow 2 has no {name}; the nearest is "
                f"{OPTIMIZERS[name]}."
            )
        self._put("training.optimizer", name, "optimizer.type")

    def _monitor(self):
        """What ranks candidates, and that its direction is not the opposite of what is asked."""
        kind, given = self._new["task"]["type"], self._word("trainer.monitor")
        known = {"accuracy": "accuracy", "f1_score": "f1_macro", "loss": "log_loss"}
        if given is not None and given not in known:
            raise unknown(f"{self._place}: trainer.monitor", given, known)
        direction = self._word("trainer.selected_mode")
        if direction not in (None, "max", "min"):
            raise unknown(f"{self._place}: trainer.selected_mode", direction, ("max", "min"))
        if given and direction and (given == "loss") != (direction == "min"):
            raise InputError(
                f"{self._place}: trainer.selected_mode: {given} is best at its "
                f"{'least' if given == 'loss' else 'greatest'}; received {direction!r}."
            )
        if given and kind == "classification":
            self._put("search.objective", known[given], "trainer.monitor")
        elif given and kind == "regression":
            effect = "" if given == "loss" else "a regression has no accuracy: the error ranks"
            self._put("search.objective", "rmse", "trainer.monitor", effect=effect)
        self._note("search.objective", "elbo, the held-out bound", "trainer.monitor")
        self._note("", "it follows from monitor", "trainer.selected_mode")

    def _checkpoint(self, key):
        given = self._word(key, "default")
        if given != "default":
            raise InputError(
                f"{self._place}: {key}: checkpoints of TensorFlow 1 cannot be read; expected "
                f"'default', or ag.load(folder) for a run made here; received {given!r}."
            )
        self._note("", "the model of the run", key)

    # The network ---------------------------------------------------------------------------

    def _network(self, family):
        is_searched = self._flag("trainer.hyper_selector", True)
        self._is_searched = is_searched and family != "wired"
        space = getattr(self, f"_{family}")()
        nonlinearity = self._options("output_nonlinear")
        if nonlinearity and family != "resvae":
            space["output_nonlinearity"] = ["none" if x is None else x for x in nonlinearity]
            self._of_specs("output_nonlinearity", "", family, "output_nonlinear")
        kept = self._options("keep_prob")
        if kept:
            space["input_dropout"] = [round(1 - share, 10) for share in kept]
            self._of_specs("input_dropout", "1 - keep_prob, on the genes", family, "keep_prob")
        self._put(f"families.{family}", space)
        self._rate(is_searched)
        for key in set(self._old) - set(WITHOUT_EFFECT):
            if key.startswith(("param_spec.", "hyper_param_spec.")):
                self._note("", f"not a key of {self._old['model.type']} where it is searched", key)
        if family == "wired":
            self._note("", "enas always searches", "trainer.hyper_selector")
            return
        trials = 1 + sum(len(x) - 1 for x in space.values() if isinstance(x, list))
        self._put("search.method", "coordinate", "trainer.hyper_selector",
                  effect="" if is_searched else "param_spec is the model")  # fmt: skip
        self._put("search.max_trials", trials)

    def _rate(self, is_searched):
        keys = [key for key in RATES if key in self._old]
        if keys and not is_searched:
            self._put("training.learning_rate", self._number(keys[0]), *keys)
        self._note("training.learning_rate", "a range test finds it", *keys)

    def _options(self, key):
        """The starting value of `param_spec` and then the candidates, each once."""
        found = [self._old[f"param_spec.{key}"]] if f"param_spec.{key}" in self._old else []
        if self._is_searched or not found:
            found += self._list(f"hyper_param_spec.{key}")
        if not self._is_searched:
            found = found[:1]
        if key in ("keep_prob", "decay_ratio", "start_size", "n_latent"):
            for value in found:
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise InputError(f"{self._place}: {key}: expected numbers; received {value!r}.")
        return [value for place, value in enumerate(found) if value not in found[:place]]

    def _of_specs(self, new, effect, family, *keys):
        specs = [f"{spec}.{key}" for spec in ("param_spec", "hyper_param_spec") for key in keys]
        self._note(f"families.{family}.{new}", effect, *specs)

    def _moved(self, family, space, **names):
        """A space with keys that have a counterpart under another name."""
        for old, new in names.items():
            options = self._options(old)
            if options:
                space[new] = options
                self._of_specs(new, "", family, old)
        return space

    def _mlp(self):
        numbered = {f"units_{layer}": f"FC{layer}_SIZE" for layer in range(1, 7)}
        units = {new: self._options(old) for new, old in numbered.items() if self._options(old)}
        layers = [len(units)] if units else self._options("num_layers")
        listed, sizes = self._list("param_spec.layers_list"), self._options("size_candidates")
        if listed:
            layers = [len(listed), *(count for count in layers if count != len(listed))]
            layers = layers if self._is_searched else layers[:1]
        for layer in range(1, max(layers, default=0) + 1) if not units else ():
            start = listed[layer - 1 : layer]
            own = [*start, *(size for size in sizes if size not in start)]
            if own:
                units[f"units_{layer}"] = own if self._is_searched else own[:1]
        space = SUPERVISED | units
        if layers:
            space["layers"] = layers
        if units:
            space["units"] = units["units_1"][0]
        self._of_specs("units_1 ...", "a layer each", "mlp", *numbered.values(), "layers_list",
                       "size_candidates")  # fmt: skip
        self._of_specs("layers", "", "mlp", "num_layers")
        return space

    def _resnet(self):
        space = SUPERVISED | {"layers_per_block": 2}
        return self._moved("resnet", space, n_latent="width", n_blocks="n_blocks")

    def _densenet(self):
        names = {"growth_rate": "growth_rate", "bn_size": "bottleneck"}
        space = self._moved("densenet", SUPERVISED | {"compression": 0.5}, **names)
        start = self._list("param_spec.block_config")
        blocks = [start] if start else []
        if self._is_searched or not start:
            blocks += [one for one in self._list("hyper_param_spec.block_config") if one != start]
        if blocks:
            space["block_config"] = blocks if self._is_searched else blocks[:1]
            self._of_specs("block_config", "", "densenet", "block_config")
        return space

    def _resvae(self):
        space = FIXED | {"skip": "concatenate", "latent": 16}
        self._moved("resvae", space, start_size="start_width", decay_ratio="decay_ratio")
        ratios = self._list("param_spec.decay_ratio_list")
        effect = "one layer more: the first is start_size wide"
        if self._is_searched:
            layers = self._options("num_layers")
            if layers:
                space["layers"] = [count + 1 for count in layers]
                self._of_specs("layers", effect, "resvae", "num_layers")
        elif ratios and "start_width" in space:
            widths = [space.pop("start_width")[0]]
            for ratio in ratios:
                widths.append(max(1, round(widths[-1] * ratio)))
            space["widths"] = [widths]
            space.pop("decay_ratio", None)
            self._of_specs("widths", "each the one before times a ratio", "resvae",
                           "decay_ratio_list")  # fmt: skip
        return space

    def _wired(self):
        space = dict(SUPERVISED)
        count = self._number("trainer.child_num_layers")
        if count is not None:
            space["layers"] = int(count) + 1
            self._note("families.wired.layers", "one more: it counts the first, too",
                       "trainer.child_num_layers")  # fmt: skip
        widest = self._number("trainer.max_search_channel")
        if widest is not None:
            space["max_width"] = widest
            self._note("families.wired.max_width", "", "trainer.max_search_channel")
        penalties = ("trainer.child_l2_reg", "trainer.child_lr_reg")
        space["l2"] = next((self._number(k) for k in penalties if k in self._old), 1e-4)
        self._note("families.wired.l2", "", *penalties)
        self._put("search.method", "enas")
        arcs = [self._old[k] for k in ("evaluator.arc", "predictor.arc") if self._old.get(k)]
        if arcs:
            space["arc"] = [arcs[0]]
            self._put("search.method", "coordinate", "evaluator.arc", "predictor.arc",
                      effect="families.wired.arc: this network alone is trained")  # fmt: skip
            self._put("search.max_trials", 1)
        self._note("", "the best arc found", "evaluator.arc", "predictor.arc")
        return space


def _leaves(given, path=()):
    """(key, value) of everything that is no section, levels without meaning left out."""
    for key, value in given.items():
        here = path if key in LEVELS else (*path, key)
        if isinstance(value, dict):
            yield from _leaves(value, here)
        else:
            yield ".".join(here), value


def _lines(path):
    """How many rows a text file without header has; 0 where it cannot be read as text."""
    if not path.is_file() or not re.search(r"\.(tsv|csv|txt)$", path.name):
        return 0
    with open(path, "rb") as stream:
        return sum(1 for line in stream if line.strip())
