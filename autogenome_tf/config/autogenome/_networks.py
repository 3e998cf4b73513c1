"""The search space of a family by the original's keys."""

from autogenome_tf.config.autogenome._keys import whole
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import kind_of

# What the original's networks have no key for.
FIXED = {
    "dropout": 0.0, "input_dropout": 0.0, "activation": "relu", "normalization": "batch", "l2": 0.0,
}  # fmt: skip
SUPERVISED = FIXED | {"spectral_power": 0.0, "gene_power": 0.0, "output_nonlinearity": "none"}
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
# The family's own `max_width`, where a config says nothing.
WIDEST = 1024


def _is_size(value):
    return isinstance(whole(value), int) and not isinstance(value, bool) and value > 0


class Network:
    """Network section of an original config, as families and hyperparameters.

    Args:
        keys: The config, a `Keys`.
        family: Name of the family here.
    """

    def __init__(self, keys, family):
        self._keys, self._family = keys, family
        self._is_named = not keys.flag("trainer.hyper_selector", True)
        self._is_searched = not self._is_named and family != "wired"

    def put(self):
        """Put the search space and the search here."""
        if self._is_named:
            specs = [key for key in self._keys.old if key.startswith("hyper_param_spec.")]
            self._keys.note("", "hyper_selector is false: param_spec is the model", *specs)
        space = NETWORKS[self._family] | getattr(self, f"_{self._family}")()
        nonlinearity = self._options("output_nonlinear")
        if nonlinearity and kind_of(self._keys.new["task"]["type"]).has_units:
            effect = "targets are standardised, and so have no bounds"
            self._of_specs("output_nonlinearity", effect, "output_nonlinear")
        elif nonlinearity and self._family != "resvae":
            space["output_nonlinearity"] = ["none" if x is None else x for x in nonlinearity]
            self._of_specs("output_nonlinearity", "", "output_nonlinear")
        kept = self._options("keep_prob")
        if kept:
            space["input_dropout"] = [round(1 - share, 10) for share in kept]
            self._of_specs("input_dropout", "1 - keep_prob, on the genes", "keep_prob")
        self._keys.put(f"families.{self._family}", space)
        if self._family == "wired":
            self._keys.note("", "enas always searches", "trainer.hyper_selector")
            return
        trials = 1 + sum(len(x) - 1 for x in space.values() if isinstance(x, list))
        effect = "param_spec is the model" if self._is_named else ""
        self._keys.put("search.method", "coordinate", "trainer.hyper_selector", effect=effect)
        self._keys.put("search.max_trials", trials)

    def _options(self, key):
        """Return the starting value of `param_spec` and then the candidates, each once."""
        found = self._values(f"param_spec.{key}")
        if self._is_searched:
            found = found + self._values(f"hyper_param_spec.{key}")
        return list(dict.fromkeys(found))

    def _values(self, path):
        """Return the values of a key as a list: words, shares in (0, 1], or integers above 0."""
        if path not in self._keys.old:
            return []
        key, given = path.split(".")[1], self._keys.old[path]
        given = given if isinstance(given, list) else [given]
        if key in WORDS:
            if not all(value is None or isinstance(value, str) for value in given):
                raise self._keys.wrong(path, "words or null")
            return given
        if given == [None]:
            return []
        for value in given:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if key in SHARES and not (is_number and 0 < value <= 1):
                raise self._keys.wrong(path, "numbers above 0, at most 1")
            if key not in SHARES and not (isinstance(whole(value), int) and value > 0):
                raise self._keys.wrong(path, "whole numbers above 0")
        return given if key in SHARES else [int(value) for value in given]

    def _of_specs(self, new, effect, *keys):
        specs = [f"{spec}.{key}" for spec in ("param_spec", "hyper_param_spec") for key in keys]
        self._keys.note(f"families.{self._family}.{new}", effect, *specs)

    def _moved(self, **names):
        """Return the keys that have a counterpart under another name, where they are given."""
        found = {}
        for old, new in names.items():
            options = self._options(old)
            if options:
                found[new] = options
                self._of_specs(new, "", old)
        return found

    def _mlp(self):
        numbered = [f"FC{layer}_SIZE" for layer in range(1, MOST_LAYERS + 1)]
        sizes = {old: self._options(old) for old in numbered if self._options(old)}
        starts, lists = self._lists("layers_list")
        if sizes and (starts or lists):
            key = next(key for key in self._keys.old if key.endswith(".layers_list"))
            raise self._keys.wrong(key, f"it without {next(iter(sizes))}, which says the same")
        if list(sizes) != numbered[: len(sizes)]:
            raise InputError(
                f"{self._keys.place}: param_spec: expected sizes from FC1_SIZE on without a gap; "
                f"received {', '.join(sizes)}."
            )
        lists, counts = [*starts, *lists], [len(sizes)] if sizes else []
        layers = list(dict.fromkeys([*counts, *map(len, lists), *self._options("num_layers")]))
        if max(layers, default=0) > MOST_LAYERS:
            raise InputError(
                f"{self._keys.place}: layers_list, num_layers: expected at most {MOST_LAYERS} "
                f"layers; received {max(layers)}."
            )
        units, candidates = {}, self._options("size_candidates")
        for layer in range(1, max(layers, default=0) + 1):
            own = [widths[layer - 1] for widths in lists if len(widths) >= layer]
            own = sizes.get(f"FC{layer}_SIZE", own)
            options = list(dict.fromkeys([*own, *candidates]))
            if options:
                units[f"units_{layer}"] = options
        keys = (*numbered, "layers_list", "size_candidates")
        self._of_specs("units_1 ...", "a list a layer", *keys)
        self._of_specs("layers", "", "num_layers")
        first = {"units": units["units_1"][0]} if units else {}
        return units | first | ({"layers": layers} if layers else {})

    def _lists(self, key):
        """Return the lists of whole numbers: that of `param_spec`, and the candidates."""
        found = []
        for spec in ("param_spec", "hyper_param_spec"):
            path = f"{spec}.{key}"
            given = self._keys.old.get(path) or []
            given = given if isinstance(given, list) else [given]
            given = given if given and isinstance(given[0], list) else [given] if given else []
            for one in given:
                if not isinstance(one, list) or not all(map(_is_size, one)):
                    raise self._keys.wrong(path, "lists of whole numbers above 0")
            found.append([[int(size) for size in one] for one in given])
        start, candidates = found
        return start, [one for one in candidates if one not in start] if self._is_searched else []

    def _resnet(self):
        return self._moved(n_latent="width", n_blocks="n_blocks")

    def _densenet(self):
        found = self._moved(growth_rate="growth_rate", bn_size="bottleneck")
        start, candidates = self._lists("block_config")
        if start or candidates:
            found["block_config"] = [*start, *candidates]
            self._of_specs("block_config", "", "block_config")
        return found

    def _resvae(self):
        ratios = self._values("param_spec.decay_ratio_list")
        starts = self._options("start_size")
        if not self._is_searched and ratios and starts:
            widths = [starts[0]]
            for ratio in ratios:
                widths.append(max(1, round(widths[-1] * ratio)))
            effect = "each the one before times a ratio"
            self._of_specs("widths", effect, "start_size", "decay_ratio_list")
            return {"widths": [widths]}
        found = self._moved(start_size="start_width")
        effect = "one layer more: the first is start_size wide"
        counts: list[int] = [*([len(ratios)] if ratios else []), *self._options("num_layers")]
        layers = list(dict.fromkeys(counts))
        if layers:
            found["layers"] = [count + 1 for count in layers]
            self._of_specs("layers", effect, "num_layers")
        falls = list(dict.fromkeys([*ratios[:1], *self._options("decay_ratio")]))
        if falls:
            found["decay_ratio"] = falls
            self._of_specs("decay_ratio", "one for all layers", "decay_ratio")
        effect = "the start: its length, and its first ratio for all layers"
        self._of_specs("layers, decay_ratio", effect, "decay_ratio_list")
        return found

    def _wired(self):
        found = {}
        count = self._keys.number("trainer.child_num_layers")
        if count is not None:
            found["layers"] = count + 1
            self._keys.note("families.wired.layers", "one more: it counts the first, too",
                       "trainer.child_num_layers")  # fmt: skip
        widest = self._keys.number("trainer.max_search_channel")
        if widest is not None:
            found["max_width"] = widest
            self._keys.note("families.wired.max_width", "", "trainer.max_search_channel")
        found |= {
            "width_1": found.get("max_width", WIDEST),
            "linear_bypass": False,
            "label_smoothing": 0.0,
        }
        penalty = self._keys.same("trainer.child_l2_reg", "trainer.child_lr_reg")
        found["l2"] = 1e-4 if penalty is None else penalty
        self._keys.note("families.wired.l2", "", "trainer.child_l2_reg", "trainer.child_lr_reg")
        self._keys.put("search.method", "enas")
        finalists = self._keys.number("trainer.top_k_candidates")
        if finalists:
            self._keys.put("search.max_trials", finalists)
        arcs = ("evaluator.arc", "predictor.arc")
        arc = self._keys.same(*arcs)
        if arc:
            found["arc"] = [arc]
            self._keys.put("search.method", "coordinate", *arcs,
                      effect="families.wired.arc: this network alone is trained")  # fmt: skip
            self._keys.put("search.max_trials", 1)
        self._keys.note("", "the best arc found", *arcs)
        return found
