"""A config of AutoGenome runs unchanged; every key of it is answered for."""

import copy
import json
import re
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from documents import GUIDES, block
from figures import drawn

import autogenome_tf as ag
from autogenome_tf import cli, families
from autogenome_tf.config import autogenome
from autogenome_tf.config._config import Config
from autogenome_tf.config._json import read_json
from autogenome_tf.config.autogenome import _keys, _networks
from autogenome_tf.core.errors import InputError
from autogenome_tf.search import method

pytestmark = pytest.mark.usefixtures("few_learners")

SAMPLES, GENES = 100, 23_361
TYPES = ("MLP", "ResNet", "DenseNet", "enas", "VAE")


def write_data(folder, genes):
    """Files as the original's example has them: no header, no ids, 70 of one class and then 30."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [70, 30])
    values = random.normal(8, 1, (SAMPLES, genes)).round(3)
    values[labels == 1, : 40 + genes // 50] += 2
    frame = pd.DataFrame(values)
    frame.to_csv(folder / "little_exp.tsv", sep=" ", header=False, index=False)
    pd.Series(labels).to_csv(folder / "little_learning_target.tsv", header=False, index=False)
    names = "".join(f"{'Oprk1 Xkr4 Rp1'.split()[i % 3]}_{i // 3}\n" for i in range(genes))
    (folder / "names_2.txt").write_text(names)
    return folder


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """Data of the size of the original's example."""
    return write_data(tmp_path_factory.mktemp("example"), GENES)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The same of 60 genes."""
    return write_data(tmp_path_factory.mktemp("small"), 60)


# Without candidates.
ONE = {"trainer__hyper_selector": False}
SPECS = {
    "MLP": (
        {"layers_list": [8, 16], "keep_prob": 1, "output_nonlinear": "sigmoid",
         "optimizer_param": {"learning_rate": 1e-3}},
        {"size_candidates": [16, 8], "num_layers": [2, 3], "keep_prob": [0.8, 1.0],
         "output_nonlinear": [None, "relu"], "optimizer_param": {}},
    ),
    "ResNet": (
        {"n_latent": 16, "n_blocks": 2, "keep_prob": 0.8, "output_nonlinear": "sigmoid",
         "optimizer_param": {"best_lr": 1e-3}},
        {"n_latent": [16, 8], "n_blocks": [2, 1], "keep_prob": [0.8, 1.0]},
    ),
    "DenseNet": (
        {"growth_rate": 8, "bn_size": 8, "block_config": [2, 3], "keep_prob": 1,
         "output_nonlinear": None},
        {"growth_rate": [8, 4], "bn_size": [8, 16], "block_config": [[2, 3], [2, 3, 4]]},
    ),
    "VAE": (
        {"keep_prob": 1.0, "start_size": 64, "decay_ratio_list": [0.8, 0.6]},
        {"keep_prob": [0.8, 1.0], "start_size": [64, 32], "num_layers": [2, 1],
         "decay_ratio": [0.6, 0.8]},
    ),
}  # fmt: skip


def original(folder, kind="MLP", **changes):
    """A config with the keys of the original's documents; changes as section__key=value."""
    rows = {"data_dir": str(folder), "features_file": "little_exp.tsv", "delimiter": " "}
    labels = {"labels_file": "little_learning_target.tsv"}
    steps = {"log_every_n_steps": 10, "output_every_n_steps": 1, "max_number_of_steps": 100,
             "batch_size": 100}  # fmt: skip
    given = {
        "name": f"{kind.lower()}_demo",
        "model": {"type": kind, "args": {"output_classes": 2}},
        "data_train": {
            "type": "DataLoader",
            "args": rows | labels | {"validation_split": 0.2, "shuffle": True},
        },
        "data_evaluate": {"type": "DataLoader", "args": rows | labels},
        "data_predict": {"type": "DataLoader", "args": dict(rows)},
        "input_fn": {"num_threads": 16},
        "trainer": {
            "hyper_selector": True, "batch_size": 64, "save_dir": "./experiments",
            "monitor": "accuracy", "selected_mode": "max", "num_gpus": 1, "patience": 3,
            "pre_train_epoch": 1, "max_steps": 64000, "loss": "cross_entropy",
        },
        "optimizer": {"type": "Adam"},
        "evaluator": dict(steps),
        "predictor": dict(steps),
        "explainer": {"type": "Shap", "args": {
            "plot_type": "bar", "features_name_file": str(folder / "names_2.txt"),
            "num_samples": 8, "ranked_outputs": 5,
        }},
    }  # fmt: skip
    if kind in SPECS:
        start, candidates = copy.deepcopy(SPECS[kind])
        given["param_spec"] = {"type": "origin_params", "args": start}
        given["hyper_param_spec"] = {"type": "hyper_params", "args": candidates}
    if kind == "VAE":
        del given["model"]["args"], given["data_train"]["args"]["labels_file"]
        del given["data_evaluate"], given["explainer"], given["evaluator"]
        given["trainer"] |= {"monitor": "loss", "selected_mode": "min", "select_by_eval": False}
    if kind == "enas":
        del given["optimizer"]
        given["trainer"] = {
            "child_num_layers": 3, "batch_size": 64, "max_number_of_epoches_in_search": 2,
            "max_number_of_epoches_in_fixed": 3, "top_k_candidates": 2, "child_l2_reg": 1e-4,
            "max_search_channel": 16, "log_every_n_steps": 10, "save_dir": "./experiments",
        }  # fmt: skip
        given["evaluator"] |= {"checkpoint_path": "default", "arc": None}
        given["predictor"] |= {"checkpoint_path": "default", "arc": None}
    for path, value in changes.items():
        section, key = path.split("__")
        level = given.setdefault(section, {})
        level = level.setdefault("args", {}) if section not in ("trainer", "optimizer") else level
        level[key] = value
    return given


def ported(given, folder):
    """The config here, checked, and the notes by old key."""
    keys, notes = autogenome.ported(given, "old.json", folder)
    return Config.of(keys), {note.old: note for note in notes}


# Key by key --------------------------------------------------------------------------------

# Old keys beside those of `original`, a value each, and what must come of it.
FURTHER = [
    ("MLP", "data_train__validation_split", 0.3, lambda c: c.data.split.validation == 0.3),
    ("MLP", "data_train__validation_features", None, lambda c: c.data.validation is None),
    ("MLP", "data_train__validation_labels", None, lambda c: c.data.validation_targets is None),
    ("MLP", "data_train__type", "BigDataLoader", lambda c: True),
    ("MLP", "input_fn__capacity", 50000, lambda c: True),
    ("MLP", "input_fn__enqueue_many", True, lambda c: True),
    ("MLP", "input_fn__min_after_dequeue", 0, lambda c: True),
    ("MLP", "input_fn__seed", 11, lambda c: c.seed == 11),
    ("MLP", "input_fn__allow_smaller_final_batch", True, lambda c: True),
    ("MLP", "model__is_regression", True,
     lambda c: c.task.type == "regression" and c.task.loss == "mse" and c.objective == "rmse"),
    ("MLP", "model__multi_tasks", True, lambda c: c.data.target == "*"),
    ("MLP", "trainer__monitor", "f1_score", lambda c: c.objective == "f1_macro"),
    ("MLP", "trainer__monitor", "accuracy", lambda c: c.objective == "accuracy"),
    ("MLP", "trainer__evaluate_every_n_epochs", 1, lambda c: True),
    ("MLP", "trainer__min_delta", 0.001, lambda c: c.training.min_gain == 0.001),
    ("MLP", "trainer__patience", 10, lambda c: c.training.patience == 10),
    ("MLP", "trainer__decay_lr", 10,
     lambda c: c.training.decay.factor == pytest.approx(0.1) and c.training.decay.after == 3),
    ("MLP", "trainer__decay_min_delta", 0.001, lambda c: True),
    ("MLP", "trainer__decay_patience", 0, lambda c: c.training.patience == 3),
    ("MLP", "trainer__patience", 20.0, lambda c: c.training.patience == 20),
    ("MLP", "trainer__batch_size", None, lambda c: c.training.batch_size == "auto"),
    ("MLP", "hyper_param_spec__num_layers", [2.0], lambda c: c.families["mlp"]["layers"] == [2]),
    ("ResNet", "hyper_param_spec__n_blocks", [], lambda c: c.families["resnet"]["n_blocks"] == [2]),
    ("enas", "trainer__max_steps", 64000, lambda c: c.training.epochs == 3),
    ("VAE", "evaluator__arc", None, lambda c: True),
    ("VAE", "model__is_regression", False, lambda c: c.task.type == "representation"),
    ("MLP", "trainer__child_num_layers", 3, lambda c: c.families["mlp"]["layers"] == [2, 3]),
    ("MLP", "hyper_param_spec__layers_list", [[16, 8, 8]],
     lambda c: c.families["mlp"]["layers"] == [2, 3]
     and c.families["mlp"]["units_1"] == [8, 16] and c.families["mlp"]["units_3"] == [8, 16]),
    ("MLP", "trainer__decay_patience", 2,
     lambda c: c.training.patience == 9 and c.training.decay.after == 3),
    ("MLP", "trainer__select_by_eval", True, lambda c: True),
    ("MLP", "trainer__auto_batch", False, lambda c: True),
    ("MLP", "trainer__save_model_secs", 600, lambda c: True),
    ("MLP", "trainer__num_gpus", 4, lambda c: c.training.devices == 4),
    ("MLP", "trainer__max_steps", 1000, lambda c: c.training.epochs == 640),
    ("MLP", "trainer__loss", "focal_loss", lambda c: c.task.loss == "focal_loss"),
    ("MLP", "trainer__init_learning_rate", None, lambda c: c.training.learning_rate == "auto"),
    ("MLP", "trainer__end_learning_rate", None, lambda c: c.training.learning_rate == "auto"),
    ("MLP", "trainer__hyper_selector", False,
     lambda c: c.search.max_trials == 1 and c.training.learning_rate == 1e-3),
    ("MLP", "optimizer__type", "ADAMW", lambda c: c.training.optimizer == "adamw"),
    ("MLP", "evaluator__checkpoint_path", "default", lambda c: True),
    ("MLP", "predictor__checkpoint_path", "default", lambda c: True),
    ("ResNet", "hyper_param_spec__output_nonlinear", [None, "tanh"],
     lambda c: c.families["resnet"]["output_nonlinearity"] == ["sigmoid", "none", "tanh"]),
    ("DenseNet", "param_spec__best_lr", 0.01, lambda c: c.training.learning_rate == "auto"),
    ("VAE", "param_spec__learning_rate", 0.01, lambda c: c.training.learning_rate == "auto"),
    ("VAE", "trainer__loss", "cross_entropy", lambda c: c.task.loss == "elbo"),
    ("enas", "trainer__child_lr_reg", 1e-4, lambda c: c.families["wired"]["l2"] == 1e-4),
    ("enas", "trainer__child_num_layers", 6, lambda c: c.families["wired"]["layers"] == 7),
    ("enas", "evaluator__arc", [1, 4, 0, 1, 1, 0],
     lambda c: c.families["wired"]["arc"] == [[1, 4, 0, 1, 1, 0]] and c.search.max_trials == 1),
    ("enas", "predictor__arc", None, lambda c: "arc" not in c.families["wired"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "key", "value", "holds"), FURTHER)
def test_a_key_has_its_effect_or_a_reason(small, kind, key, value, holds):
    config, notes = ported(original(small, kind, **{key: value}), small)
    assert holds(config)
    note = notes[key.replace("__", ".")]
    assert note.new or note.effect


SIZES = [f"FC{layer}_SIZE" for layer in range(1, 7)]


def test_sizes_of_layers_may_be_numbered(small):
    given = original(small, "MLP")
    given["param_spec"]["args"] = {key: 512 for key in SIZES} | {"keep_prob": 0.8}
    given["hyper_param_spec"]["args"] = {key: [64, 32, 16, 8] for key in SIZES}
    config, notes = ported(given, small)
    network = config.families["mlp"]
    assert network["layers"] == [6] and network["units"] == 512
    assert all(network[f"units_{layer}"] == [512, 64, 32, 16, 8] for layer in range(1, 7))
    assert config.search.max_trials == 1 + 6 * 4
    assert notes["hyper_param_spec.FC6_SIZE"].new == "families.mlp.units_1 ..."


def test_numbered_sizes_and_candidates_for_all_layers_go_together(small):
    given = original(small, "MLP")
    given["param_spec"]["args"] = {"FC1_SIZE": 32, "FC2_SIZE": 16}
    given["hyper_param_spec"]["args"] = {"num_layers": [2, 3], "size_candidates": [64, 16]}
    config, _ = ported(given, small)
    network = config.families["mlp"]
    assert network["layers"] == [2, 3] and network["units_1"] == [32, 64, 16]
    assert network["units_2"] == [16, 64] and network["units_3"] == [64, 16]


def test_outputs_of_a_regression_have_no_bounds(small):
    given = original(
        small, "MLP", model__is_regression=True, param_spec__output_nonlinear="sigmoid"
    )
    config, notes = ported(given, small)
    assert config.families["mlp"]["output_nonlinearity"] == "none"
    assert "no bounds" in notes["param_spec.output_nonlinear"].effect
    wrong = {"name": "t", "task": {"type": "regression"},
             "families": {"mlp": {"output_nonlinearity": ["none", "relu"]}}}  # fmt: skip
    with pytest.raises(InputError, match=r"families.mlp.output_nonlinearity: .*expected none"):
        families.spaces(Config.of(wrong))


def test_labels_of_a_vae_are_left_out_and_that_is_said(small):
    given = original(small, "VAE", data_train__labels_file="little_learning_target.tsv")
    config, notes = ported(given, small)
    assert config.data.targets is None
    assert "a VAE needs none" in notes["data_train.labels_file"].effect


def test_every_finalist_has_its_trial(small):
    config, _ = ported(original(small, "enas", trainer__top_k_candidates=40), small)
    assert config.search.top_k == method("enas").most_trials(config.search) == 40


def test_lists_of_layers_may_be_whole_floats(small):
    given = original(small, "MLP", hyper_param_spec__layers_list=[[16.0, 8]])
    config, _ = ported(given, small)
    assert config.families["mlp"]["units_1"] == [8, 16]


def test_every_key_of_the_original_is_in_a_test(small):
    tested = {key.replace("__", ".") for _, key, _, _ in FURTHER}
    tested |= {f"{spec}.{key}" for spec in ("param_spec", "hyper_param_spec") for key in SIZES}
    for kind in TYPES:
        tested |= set(dict(_keys.leaves(original(small, kind))))
    assert tested <= set(autogenome.KEYS)
    assert set(map(anywhere, tested)) == set(map(anywhere, autogenome.KEYS))


def anywhere(key):
    """A key without the one of several like sections that it stands in."""
    return re.sub(r"^(hyper_)?param_spec|^data_[a-z]+", "", key)


@pytest.mark.parametrize("kind", TYPES)
def test_every_key_is_noted_once_and_in_order(small, kind):
    given = original(small, kind)
    _, notes = autogenome.ported(given, "old.json", small)
    assert [note.old for note in notes] == [key for key, _ in _keys.leaves(given)]
    assert all(note.new or note.effect for note in notes)


@pytest.mark.parametrize(
    ("kind", "family"),
    [("MLP", "mlp"), ("mlp", "mlp"), ("RESNET", "resnet"), ("DenseNet", "densenet"),
     ("densnet", "densenet"), ("vae", "resvae"), ("ENAS", "wired")],
)  # fmt: skip
def test_all_spellings_of_a_type(small, kind, family):
    spelled = {"mlp": "MLP", "resnet": "ResNet", "densenet": "DenseNet", "wired": "enas"}
    given = original(small, spelled.get(family, "VAE"))
    given["model"]["type"] = kind
    config, _ = ported(given, small)
    assert set(config.families) == {family}


def test_networks_start_at_param_spec_and_go_through_the_candidates(small):
    config, _ = ported(original(small, "MLP"), small)
    assert config.families["mlp"] == _networks.NETWORKS["mlp"] | {
        "layers": [2, 3], "units": 8, "units_1": [8, 16], "units_2": [16, 8], "units_3": [16, 8],
        "input_dropout": [0, 0.2], "output_nonlinearity": ["sigmoid", "none", "relu"],
    }  # fmt: skip
    # A start, then the other values of each: layers, three widths, dropout, two nonlinearities.
    assert config.search.method == "coordinate" and config.search.max_trials == 1 + 1 + 3 + 1 + 2
    densenet, _ = ported(original(small, "DenseNet"), small)
    assert densenet.families["densenet"]["block_config"] == [[2, 3], [2, 3, 4]]
    vae, _ = ported(original(small, "VAE"), small)
    assert vae.families["resvae"]["layers"] == [3, 2] and vae.task.type == "representation"
    assert vae.families["resvae"]["decay_ratio"] == [0.8, 0.6]


@pytest.mark.parametrize("kind", TYPES)
def test_nothing_is_searched_that_the_config_does_not_name(small, kind):
    given = original(small, kind)
    given.pop("param_spec", None), given.pop("hyper_param_spec", None)
    config, _ = ported(given, small)
    (space,) = families.spaces(config).values()
    assert config.families == {_keys.FAMILIES[kind.lower()]: next(iter(config.families.values()))}
    if kind == "enas":
        space = {n: h for n, h in space.items() if not n.startswith(("width_", "skip_"))}
    else:
        assert config.search.max_trials == 1
    assert all(len(hyper.options) == 1 for hyper in space.values())
    assert space["input_dropout"].options == (0.0,)


@pytest.mark.parametrize("kind", TYPES)
def test_a_key_of_another_type_is_noted(small, kind):
    given = original(small, kind)
    there = dict(_keys.leaves(given))
    for key in autogenome.KEYS:
        section, *rest = key.split(".")
        if rest and key not in there and not key.endswith(("_SIZE", "validation_features")):
            given.setdefault(section, {})[rest[0]] = None
    _, notes = autogenome.ported(given, "old.json", small)
    assert len(notes) == len(dict(_keys.leaves(given)))


def test_a_value_of_a_key_of_another_type_is_a_warning(small, caplog):
    for kind in TYPES:
        autogenome.ported(original(small, kind), "old.json", small)
    assert not caplog.records
    given = original(small, "MLP")
    given["param_spec"]["args"]["n_latent"] = 32
    autogenome.ported(given, "old.json", small)
    assert "'param_spec.n_latent': no key of a config of MLP" in caplog.text


def test_without_a_search_param_spec_is_the_model(small):
    fixed = {"trainer__hyper_selector": False}
    mlp, _ = ported(original(small, "MLP", **fixed), small)
    assert mlp.families["mlp"]["units_2"] == [16] and mlp.families["mlp"]["layers"] == [2]
    vae, _ = ported(original(small, "VAE", **fixed), small)
    assert vae.families["resvae"]["widths"] == [[64, 51, 31]]
    both = {"trainer__init_learning_rate": 1e-4, "trainer__end_learning_rate": 0.1}
    ramp, _ = ported(original(small, "MLP", **both), small)
    assert ramp.training.learning_rate == [1e-4, 0.1]


def test_validation_files_take_the_place_of_a_split(small):
    files = {"data_train__validation_features": "little_exp.tsv",
             "data_train__validation_labels": "little_learning_target.tsv",
             "data_train__validation_split": None}  # fmt: skip
    config, notes = ported(original(small, "MLP", **files), small)
    assert config.data.split.validation == 0 and config.data.validation_targets
    assert notes["data_train.validation_labels"].new == "data.validation_targets"


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("MLP", {"trainer__patienc": 3}, "unknown name 'trainer.patienc'.*trainer.patience"),
        ("MLP", {"explain__type": "Shap"}, "unknown name 'explain.type'; .*mean 'explainer'"),
        ("MLP", {"optimizer__type": "kfac"}, "no kfac; the nearest is lamb"),
        ("MLP", {"optimizer__type": "dynamic_momentum"}, "the nearest is momentum"),
        ("MLP", {"trainer__loss": "hinge"}, "trainer.loss: unknown name 'hinge'"),
        ("MLP", {"trainer__monitor": "auc"}, "trainer.monitor: unknown name 'auc'"),
        ("MLP", {"trainer__selected_mode": "min"}, "accuracy is best at its greatest"),
        ("MLP", {"data_evaluate__labels_file": None}, "data_evaluate.labels_file: .*be given"),
        ("MLP", {"param_spec__FC1_SIZE": 64}, "layers_list: expected it without FC1_SIZE"),
        ("MLP", {"hyper_param_spec__num_layers": [7]}, "at most 6 layers; received 7"),
        ("MLP", {"hyper_param_spec__layers_list": [[64, 128], 64]}, "lists of whole numbers above"),
        ("MLP", {"hyper_param_spec__num_layers": ["2"]}, "num_layers: expected whole numbers"),
        ("MLP", {"param_spec__keep_prob": 0}, "keep_prob: expected numbers above 0"),
        ("MLP", {"trainer__max_steps": float("inf")}, "max_steps: expected a finite number"),
        ("MLP", {"trainer__init_learning_rate": 0.1}, "expected both or neither"),
        ("VAE", {"param_spec__decay_ratio_list": [20]}, "decay_ratio_list: expected numbers"),
        ("enas", {"trainer__child_lr_reg": 1e-3}, "child_lr_reg: expected the same as"),
        ("MLP", {"trainer__patience": "ten"}, "trainer.patience: expected a number; .*'ten'"),
        ("MLP", {"trainer__hyper_selector": 1}, "trainer.hyper_selector: expected true or false"),
        ("MLP", {"param_spec__keep_prob": "all"}, "keep_prob: expected numbers above 0"),
        ("MLP", {"data_train__features_file": None}, "data_train.features_file: .* must be given"),
        ("MLP", {"evaluator__checkpoint_path": "a.ckpt"}, "checkpoints of TensorFlow 1 cannot"),
        ("MLP", {"model__type": "CNN"}, "model.type: unknown name 'CNN'"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_an_error_that_names_it(small, kind, changes, said):
    given = original(small, kind, **changes)
    if "model__type" in changes:
        given["model"] = {"type": changes["model__type"]}
    with pytest.raises(InputError, match=said):
        ported(given, small)


@pytest.mark.parametrize(
    ("key", "value"),
    [("trainer__batch_size", -1), ("trainer__patience", 2.5), ("optimizer__type", "adm"),
     ("data_train__validation_split", 2), ("explainer__num_samples", 0)],
)  # fmt: skip
def test_a_value_that_is_refused_here_is_named_by_its_key_there(
    small, tmp_path, capsys, key, value
):
    old = written(tmp_path, original(small, "MLP", **{key: value}))
    for verb in (["check", str(old)], ["port", str(old), str(tmp_path / "new.json")]):
        assert cli.main(verb) == 2
        assert f"The key of AutoGenome is {key.replace('__', '.')}." in capsys.readouterr().err


def test_a_word_of_the_name_of_a_file_is_not_taken_for_a_key(small, tmp_path, capsys):
    files = {"validation_features": "x.tsv", "validation_labels": "y.tsv"}
    given = original(small, "MLP", **{f"data_train__{key}": file for key, file in files.items()})
    old = written(tmp_path, given, "my name.json")
    assert cli.main(["check", str(old), "--set", "search.folds=3"]) == 2
    error = capsys.readouterr().err
    assert "my name.json: search.folds: rows of data.validation" in error
    assert "The key of AutoGenome" not in error


@pytest.mark.parametrize(("count", "warnings"), [(2, 0), (3, 1), (None, 0)])
def test_another_number_of_classes_than_there_are_labels_is_a_warning(
    small, caplog, count, warnings
):
    given = original(small, "MLP")
    given["model"]["args"]["output_classes"] = count
    autogenome.ported(given, "old.json", small)
    assert caplog.text.count("model.output_classes says 3, and") == len(caplog.records) == warnings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1\n "b": 2}', "line 2, column 2: received '\"b\"' behind '1'; expected ','"),
        ('{"a": {\n} // vae\n"b": 2}', "line 3, column 1: .* behind '}'; expected ','"),
        ('{"a": [128，64]}', "line 1, column 11: received '，'; expected ',' in its place"),
        ('{"a"： 1}', "line 1, column 5: received '：'; expected ':' in its place"),
        ('{“a”: 1}', "line 1, column 2: received '“'; expected '\"' in its place"),
        ('{"a": [1 2.5]}', "column 10: received '2.5' behind '1'; expected ','"),
        ('{"a" 1}', "line 1, column 6: received '1' behind '\"a\"'; expected ':'"),
        ('{"a" = 1}', "line 1, column 6: received '='; expected ':' in its place"),
        ('{"a": 1;\n"b": 2}', "line 1, column 8: received ';'; expected ',' in its place"),
        ('{"a": 1, "a": 2}', "'a' comes twice, as 1 and as 2"),
        ('{"a": 1', "line 1, column 8: Unexpected end of input"),
    ],
)  # fmt: skip
def test_json_that_cannot_be_read_says_what_to_put_where(tmp_path, text, said):
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(InputError, match=said):
        read_json(tmp_path / "old.json")


def test_comments_trailing_commas_and_full_width_signs_in_texts_are_fine(tmp_path):
    (tmp_path / "old.json").write_text('{ // one，two\n "a": "x：y", /* 、 */ "b": [1,],}')
    assert read_json(tmp_path / "old.json") == {"a": "x：y", "b": [1]}
    (tmp_path / "old.json").write_text('{"selected_mode": "max", "selected_mode": "max"}')
    assert read_json(tmp_path / "old.json") == {"selected_mode": "max"}


def test_null_sections_are_left_out_and_others_must_be_objects(small):
    given = original(small, "MLP") | {"param_spec": None, "evaluator": None}
    config, notes = ported(given, small)
    assert config.families["mlp"]["layers"] == [2, 3] and "evaluator.batch_size" not in notes
    with pytest.raises(InputError, match="evaluator: expected an object"):
        ported(given | {"evaluator": []}, small)
    assert ported(given | {"evaluator": {}, "optimizer": {"args": {}}}, small)[0].families


@pytest.mark.parametrize("unknown", [{"trainer": {"args": {"batches": {}}}}, {"evalutor": {}}])
def test_an_empty_section_that_is_not_known_is_refused(small, unknown):
    name = "trainer.batches" if "trainer" in unknown else "evalutor"
    with pytest.raises(InputError, match=f"a config of AutoGenome: unknown name '{name}'"):
        ported(original(small, "MLP") | unknown, small)


def test_a_config_of_ours_with_a_wrong_section_is_no_original():
    assert not autogenome.is_original({"name": "t", "data": {"features": "x"}, "trainer": {}})


# Runs --------------------------------------------------------------------------------------


def written(folder, given, name="old.json"):
    """A config on disk, with the comments and commas that the original's have."""
    text = json.dumps(given, indent=1).replace("{\n", "{ // as in the documents\n", 1)
    path = folder / name
    path.write_text(text[:-2] + ",\n}")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "VAE"])
def test_the_original_s_example_runs_through_all_verbs(example, small, tmp_path, kind):
    # One kind has the original's 23,361 genes, and candidates; each candidate is a graph to trace.
    folder, candidates = (example, {}) if kind == "MLP" else (small, ONE)
    automl = ag.auto(written(tmp_path, original(folder, kind, **candidates)))
    board = automl.train()
    scores, frame = automl.evaluate(), automl.predict()
    family = _keys.FAMILIES[kind.lower()]
    assert family in set(board["family"])
    assert automl.folder == tmp_path / "experiments" / f"{kind.lower()}_demo"
    assert (frame["part"] == "predict").sum() == SAMPLES
    log = (automl.folder / "log.txt").read_text()
    assert "input_fn.num_threads: TensorFlow 2 has no input queues" in log
    assert scores["evaluate"]["accuracy"]["value"] > 0.8
    table = automl.explain()
    assert table["feature"][0].split("_")[0] in ("Oprk1", "Xkr4", "Rp1")
    assert len(table) == (GENES if kind == "MLP" else 60)


def test_the_script_of_the_guide_runs(small, tmp_path, monkeypatch):
    given = original(small, "MLP", trainer__hyper_selector=False, trainer__max_steps=20)
    monkeypatch.chdir(written(tmp_path, given).parent)
    names = {}
    exec(block(GUIDES["porting.md"], "python", "ag.auto"), names)
    assert (names["automl"].folder / "attributions.tsv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["MLP", "VAE"])
def test_results_lie_under_the_original_s_names_too(small, tmp_path, kind):
    path = written(tmp_path, original(small, kind, **ONE))
    automl = ag.AutoGenome(Config.load(path, ["output.layout=autogenome"]))
    with drawn() if kind == "MLP" else nullcontext():
        automl.run(("train", "evaluate", "predict", "explain"))
    root, name = tmp_path / "experiments", f"{kind.lower()}_demo"
    (models,) = (root / "models" / name).iterdir()
    (files,) = (root / "output_files" / name).iterdir()
    assert models.name == files.name and len(models.name) == len("MMDD_HHMMSS")
    assert (models / "best_model.keras").read_bytes() == (
        automl.folder / "model.keras"
    ).read_bytes()
    there = {path.name for path in files.iterdir()}
    if kind == "VAE":
        latent = pd.read_csv(files / "res_vae_predicted_latent_vector_data_frame.csv")
        told = pd.read_csv(files / "res_vae_predicted_recon_x_data_frame.csv")
        assert latent.shape == (SAMPLES, 16) and told.shape == (SAMPLES, 60)
        assert "elbo" in json.loads((automl.folder / "metrics.json").read_text())["validation"]
        assert (automl.predict()["part"] == "predict").sum() == SAMPLES
        return
    assert {
        "MLP_confusion_matrix.pdf", "MLP_predicted_result_data_frame.csv",
        "_features_orders.csv", "_barTotal_feature_importance_summary.pdf",
        *(f"_dot{c}_feature_importance_summary.pdf" for c in (0, 1)),
        *(f"class_{c}feature_importance_summary.pdf" for c in (0, 1)),
        *(f"_class_{c}shap_values.csv" for c in (0, 1)),
    } == there  # fmt: skip
    results = pd.read_csv(files / "MLP_predicted_result_data_frame.csv")
    assert list(results) == ["predicted_result", "softmax_value"] and len(results) == SAMPLES
    assert np.sum(json.loads(results["softmax_value"][0])) == pytest.approx(1, abs=1e-6)
    shap_values = pd.read_csv(files / "_class_1shap_values.csv")
    orders = pd.read_csv(files / "_features_orders.csv")
    assert shap_values.shape == (8, 60) and shap_values.abs().mean().idxmax() == orders.iloc[0, 1]


@pytest.mark.parametrize("kind", TYPES)
def test_port_writes_the_config_that_the_original_s_stands_for(small, tmp_path, capsys, kind):
    old = written(tmp_path, original(small, kind))
    new = tmp_path / "elsewhere" / "new.json"
    assert cli.main(["port", str(old), str(new)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["old", "key", "new", "key", "effect"]
    assert printed[-1] == str(new)
    said = {line.split()[0] for line in printed[1:-1]}
    assert said == {key for key, _ in _keys.leaves(original(small, kind))}
    assert not autogenome.is_original(json.loads(new.read_text()))
    assert Config.load(new) == Config.load(old)


def test_port_refuses_what_is_no_config_of_the_original(tmp_path, capsys):
    (tmp_path / "a.json").write_text('{"name": "t", "data": {"features": "x.tsv"}}')
    assert cli.main(["port", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 2
    said = "not a config of AutoGenome: it has keys of this package: 'data'."
    assert said in capsys.readouterr().err
    assert not (tmp_path / "b.json").exists()


def test_auto_begins_with_blood_cells_where_nothing_is_said():
    assert ag.auto().config.data.features == "scanpy:pbmc68k_reduced"
