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
# What the original's networks have no key for.
FIXED = {
    "dropout": 0.0, "input_dropout": 0.0, "activation": "relu", "normalization": "batch", "l2": 0.0,
}  # fmt: skip
SUPERVISED = FIXED | {"spectral_power": 0.0, "output_nonlinearity": "none"}
# Networks where a config says nothing of them; nothing is searched that it does not name.
NETWORKS = {
    "mlp": SUPERVISED | {"layers": 2, "units": 128},
    "resnet": SUPERVISED | {"width": 128, "n_blocks": 2, "layers_per_block": 2},
    "densenet": SUPERVISED
    | {"growth_rate": 32, "bottleneck": 32, "block_config": [[2, 3]], "compression": 0.5},
    "wired": SUPERVISED,
    "resvae": FIXED
    | {"latent": 16, "start_width": 256, "decay_ratio": 0.5, "layers": 2, "skip": "concatenate"},
}
# Keys whose values are shares of something; those of all others are whole numbers.
SHARES = ("keep_prob", "decay_ratio", "decay_ratio_list")
WORDS = ("output_nonlinear",)
MOST_LAYERS = 6


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
    if not isinstance(given, dict) or {"data", "families", "search", "training"} & set(given):
        return False
    return bool({"model", "data_train", "trainer"} & set(given))


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
        self._place, self._folder = place, folder
        self._new, self._notes = {}, {}
        for section, value in given.items():
            is_known = section in SECTIONS and section not in KEYS
            if is_known and value is not None and not isinstance(value, dict):
                raise InputError(
                    f"{place}: {section}: expected an object {{...}}; received {value!r}."
                )
        self._old = dict(_leaves({key: value for key, value in given.items() if value is not None}))
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
            if self._old.get(old) is not None:
                self._put(new, _whole(self._old[old]), old)
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
        nothing = f"null, or not a key of {self._old['model.type']}"
        self._note("", nothing, *self._old)
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
        if not math.isfinite(value):
            raise self._wrong(key, "a finite number")
        return _whole(value)

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
        found = self._new.get("data", {})
        if "features" not in found:
            raise InputError(f"{self._place}: data_train.features_file: this key must be given.")
        for rows, labels in (
            ("features", "targets"), ("validation", "validation_targets"),
            ("evaluate", "evaluate_targets"),
        ):  # fmt: skip
            if is_labelled and rows in found and labels not in found:
                key = ".".join(files[labels])
                raise InputError(f"{self._place}: {key}: this key must be given.")
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
        devices = self._number("trainer.num_gpus", 1)
        if devices > 1:
            effect = "each batch is shared, where rows are read batch by batch"
            self._put("training.devices", devices, "trainer.num_gpus", effect=effect)
        self._note("", "one device is what there is without it", "trainer.num_gpus")
        patience = self._number("trainer.patience")
        decays, divisor = (self._number(f"trainer.decay_{key}") for key in ("patience", "lr"))
        if patience is not None and (decays is not None or divisor is not None):
            effect = "each learning rate has so many epochs without gain"
            self._put("training.decay.after", patience, "trainer.patience", effect=effect)
            effect = "with patience: until training stops"
            longest = patience * ((1 if decays is None else decays) + 1)
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
        files = self._new["data"]
        rows = _lines(Path(self._folder) / files.get("targets", files["features"]))
        if "epochs" in self._new.get("training", {}):
            effect = "max_number_of_epoches_in_fixed says it"
            self._note("training.epochs", effect, "trainer.max_steps")
        elif steps is not None and rows:
            epochs = math.ceil(steps * self._number("trainer.batch_size", 64) / rows)
            self._put("training.epochs", max(1, epochs), "trainer.max_steps",
                      effect="steps x batch size / rows; patience ends it sooner")  # fmt: skip
        self._note("", "patience ends training", "trainer.max_steps")
        self._rate()

    def _rate(self):
        """A rate that is given, ends of the range test, or a range test with ends of its own."""
        rates = [key for key in RATES if self._old.get(key) is not None]
        ends = ("trainer.init_learning_rate", "trainer.end_learning_rate")
        band = [self._number(end) for end in ends]
        if rates and not self._flag("trainer.hyper_selector", True):
            self._put("training.learning_rate", self._number(rates[0]), *rates)
            self._note("", "param_spec says the rate", *ends)
        elif None not in band:
            self._put("training.learning_rate", band, *ends, effect="the range test's ends")
        elif band != [None, None]:
            raise InputError(
                f"{self._place}: {' and '.join(ends)}: expected both or neither; received {band}."
            )
        self._note("training.learning_rate", "a range test finds it", *RATES, *ends)

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
        if not is_searched:
            specs = [key for key in self._old if key.startswith("hyper_param_spec.")]
            self._note("", "hyper_selector is false: param_spec is the model", *specs)
        space = NETWORKS[family] | getattr(self, f"_{family}")()
        nonlinearity = self._options("output_nonlinear")
        if nonlinearity and family != "resvae":
            space["output_nonlinearity"] = ["none" if x is None else x for x in nonlinearity]
            self._of_specs("output_nonlinearity", "", family, "output_nonlinear")
        kept = self._options("keep_prob")
        if kept:
            space["input_dropout"] = [round(1 - share, 10) for share in kept]
            self._of_specs("input_dropout", "1 - keep_prob, on the genes", family, "keep_prob")
        self._put(f"families.{family}", space)
        if family == "wired":
            self._note("", "enas always searches", "trainer.hyper_selector")
            return
        trials = 1 + sum(len(x) - 1 for x in space.values() if isinstance(x, list))
        effect = "" if is_searched else "param_spec is the model"
        self._put("search.method", "coordinate", "trainer.hyper_selector", effect=effect)
        self._put("search.max_trials", trials)

    def _options(self, key):
        """The starting value of `param_spec` and then the candidates, each once."""
        found = self._values(f"param_spec.{key}")
        if self._is_searched:
            found = found + self._values(f"hyper_param_spec.{key}")
        return list(dict.fromkeys(found))

    def _values(self, path):
        """The values of one key as a list: words, shares in (0, 1], or whole numbers above 0."""
        if path not in self._old:
            return []
        key, given = path.split(".")[1], self._old[path]
        given = given if isinstance(given, list) else [given]
        if key in WORDS:
            if not all(value is None or isinstance(value, str) for value in given):
                raise self._wrong(path, "words or null")
            return given
        if given == [None]:
            return []
        for value in given:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if key in SHARES and not (is_number and 0 < value <= 1):
                raise self._wrong(path, "numbers above 0, at most 1")
            if key not in SHARES and not (isinstance(_whole(value), int) and value > 0):
                raise self._wrong(path, "whole numbers above 0")
        return given if key in SHARES else [int(value) for value in given]

    def _of_specs(self, new, effect, family, *keys):
        specs = [f"{spec}.{key}" for spec in ("param_spec", "hyper_param_spec") for key in keys]
        self._note(f"families.{family}.{new}", effect, *specs)

    def _moved(self, family, **names):
        """Keys that have a counterpart under another name, where they are given."""
        found = {}
        for old, new in names.items():
            options = self._options(old)
            if options:
                found[new] = options
                self._of_specs(new, "", family, old)
        return found

    def _mlp(self):
        numbered = [f"FC{layer}_SIZE" for layer in range(1, MOST_LAYERS + 1)]
        sizes = {old: self._options(old) for old in numbered if self._options(old)}
        starts, lists = self._lists("layers_list")
        if sizes and (starts or lists):
            key = next(key for key in self._old if key.endswith(".layers_list"))
            raise self._wrong(key, f"it without {next(iter(sizes))}, which says the same")
        if list(sizes) != numbered[: len(sizes)]:
            raise InputError(
                f"{self._place}: param_spec: expected sizes from FC1_SIZE on without a gap; "
                f"received {', '.join(sizes)}."
            )
        units = {f"units_{layer}": options for layer, options in enumerate(sizes.values(), 1)}
        layers = [len(sizes)] if sizes else []
        if not sizes:
            lists = [*starts, *lists]
            layers = list(dict.fromkeys([*map(len, lists), *self._options("num_layers")]))
            if max(layers, default=0) > MOST_LAYERS:
                raise InputError(
                    f"{self._place}: layers_list, num_layers: expected at most {MOST_LAYERS} "
                    f"layers; received {max(layers)}."
                )
            candidates = self._options("size_candidates")
            for layer in range(1, max(layers, default=0) + 1):
                own = [widths[layer - 1] for widths in lists if len(widths) >= layer]
                options = list(dict.fromkeys([*own, *candidates]))
                if options:
                    units[f"units_{layer}"] = options
        keys = (*numbered, "layers_list", "size_candidates")
        self._of_specs("units_1 ...", "a list a layer", "mlp", *keys)
        self._of_specs("layers", "", "mlp", "num_layers")
        first = {"units": units["units_1"][0]} if units else {}
        return units | first | ({"layers": layers} if layers else {})

    def _lists(self, key):
        """Lists of whole numbers: that of `param_spec`, and the candidates."""
        found = []
        for spec in ("param_spec", "hyper_param_spec"):
            path = f"{spec}.{key}"
            given = self._old.get(path) or []
            given = given if isinstance(given, list) else [given]
            given = given if given and isinstance(given[0], list) else [given] if given else []
            for one in given:
                if not all(isinstance(x, int) and x > 0 for x in one):
                    raise self._wrong(path, "lists of whole numbers above 0")
            found.append(given)
        start, candidates = found
        return start, [one for one in candidates if one not in start] if self._is_searched else []

    def _resnet(self):
        return self._moved("resnet", n_latent="width", n_blocks="n_blocks")

    def _densenet(self):
        found = self._moved("densenet", growth_rate="growth_rate", bn_size="bottleneck")
        start, candidates = self._lists("block_config")
        if start or candidates:
            found["block_config"] = [*start, *candidates]
            self._of_specs("block_config", "", "densenet", "block_config")
        return found

    def _resvae(self):
        ratios = self._values("param_spec.decay_ratio_list")
        starts = self._options("start_size")
        if not self._is_searched and ratios and starts:
            widths = [starts[0]]
            for ratio in ratios:
                widths.append(max(1, round(widths[-1] * ratio)))
            effect = "each the one before times a ratio"
            self._of_specs("widths", effect, "resvae", "start_size", "decay_ratio_list")
            return {"widths": [widths]}
        found = self._moved("resvae", start_size="start_width")
        effect = "one layer more: the first is start_size wide"
        layers = list(dict.fromkeys([*([len(ratios)] if ratios else []),
                                     *self._options("num_layers")]))  # fmt: skip
        if layers:
            found["layers"] = [count + 1 for count in layers]
            self._of_specs("layers", effect, "resvae", "num_layers")
        falls = list(dict.fromkeys([*ratios[:1], *self._options("decay_ratio")]))
        if falls:
            found["decay_ratio"] = falls
            self._of_specs("decay_ratio", "one for all layers", "resvae", "decay_ratio")
        effect = "the start: its length, and its first ratio for all layers"
        self._of_specs("layers, decay_ratio", effect, "resvae", "decay_ratio_list")
        return found

    def _wired(self):
        found = {}
        count = self._number("trainer.child_num_layers")
        if count is not None:
            found["layers"] = count + 1
            self._note("families.wired.layers", "one more: it counts the first, too",
                       "trainer.child_num_layers")  # fmt: skip
        widest = self._number("trainer.max_search_channel")
        if widest is not None:
            found["max_width"] = widest
            self._note("families.wired.max_width", "", "trainer.max_search_channel")
        penalty = self._same("trainer.child_l2_reg", "trainer.child_lr_reg")
        found["l2"] = 1e-4 if penalty is None else penalty
        self._note("families.wired.l2", "", "trainer.child_l2_reg", "trainer.child_lr_reg")
        self._put("search.method", "enas")
        arcs = ("evaluator.arc", "predictor.arc")
        arc = self._same(*arcs)
        if arc:
            found["arc"] = [arc]
            self._put("search.method", "coordinate", *arcs,
                      effect="families.wired.arc: this network alone is trained")  # fmt: skip
            self._put("search.max_trials", 1)
        self._note("", "the best arc found", *arcs)
        return found

    def _same(self, *keys):
        """The value of keys that mean one thing; None where none is given."""
        given = [key for key in keys if self._old.get(key) is not None]
        if len(given) > 1 and self._old[given[0]] != self._old[given[1]]:
            raise self._wrong(given[1], f"the same as {given[0]}, {self._old[given[0]]!r}")
        return self._old[given[0]] if given else None


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


def _whole(value):
    """A number such as 20.0 as 20; everything else as it is."""
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value
