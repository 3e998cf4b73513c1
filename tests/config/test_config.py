"""What the config promises: the contract's keys and defaults, and errors that name the place."""

import json
import re

import pydantic
import pytest

from autogenome_tf.config._config import Config
from autogenome_tf.config._sections import Section
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import KINDS

# The config that users know, every default written out; `name` and the data files have none.
CONTRACT = """{
  "name": "tumour-type",
  "seed": 7,
  "output_dir": "runs",
  "data": {
    "features": "expression.tsv.gz",
    "targets": "labels.tsv",
    "target": "cancer_type",
    "evaluate": null, "predict": null,
    "split": {"test": 0.2, "validation": 0.2, "group": null},
    "transform": "auto", "scale": "standard", "missing": "error", "top_variable": null,
    "memory": 1.0
  },
  "task": {"type": "classification", "loss": "cross_entropy", "class_weight": null},
  "families": {"linear": {}, "forest": {"most_values": 5000000}, "mlp": {}, "resnet": {},
               "densenet": {}},
  "search": {"method": "bayesian", "max_trials": 30, "max_seconds": null, "epochs": 20,
             "folds": "auto", "objective": "auto"},
  "training": {"epochs": 200, "batch_size": "auto", "optimizer": "adam", "learning_rate": "auto",
               "patience": 15},
  "ensemble": {"size": 1},
  "explanation": {"method": "auto", "background": 100, "samples": 100, "top": 20},
  "export": {"version": 1}
}"""
# Keys of the contract that the examples in it leave out.
FURTHER = {"data": {"log2_floor": 20.0}, "training": {"space": "rows", "l2": 0.01}}


def refusal(given):
    """The one line that a wrong config is answered with."""
    with pytest.raises(InputError) as caught:
        Config.of({"name": "demo"} | given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["my run", "", "Überleben", ".x"])
def test_a_wrong_name_is_refused_in_words(name):
    said = refusal({"name": name})
    assert "name: expected letters without accents, digits, '.', '_' and '-'" in said
    assert f'received "{name}"' in said and "^" not in said


def written(folder, text):
    """Write a config file and return its path."""
    path = folder / "config.json"
    path.write_text(text, encoding="utf-8")
    return path


def keys(section=Config, path=()):
    """The path of every key of the schema."""
    for name, field in section.model_fields.items():
        yield (*path, name)
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield from keys(kind, (*path, name))


def nested(path, value):
    """Put a value under a path of keys."""
    for key in reversed(path):
        value = {key: value}
    return value


KEYS = [pytest.param(path, id=".".join(path)) for path in keys()]


# The contract ------------------------------------------------------------------------------


def test_the_contract_is_accepted_with_every_value_kept():
    given = json.loads(CONTRACT)
    config = Config.of(given).model_dump()
    for section, values in given.items():
        kept = config[section]
        if isinstance(values, dict) and section != "families":
            kept = {key: kept[key] for key in values}
        assert kept == values, section


def test_the_defaults_are_the_contracts():
    contract = json.loads(CONTRACT)
    files = {"features": "expression.tsv.gz", "targets": "labels.tsv", "target": "cancer_type"}
    assert contract["data"].items() >= files.items()
    short = Config.of({"name": "tumour-type", "data": files})
    assert short == Config.of(contract)


def test_further_keys_of_the_contract_are_accepted():
    config = Config.of({"name": "demo"} | FURTHER)
    assert config.data.log2_floor == 20
    assert (config.training.space, config.training.l2) == ("rows", 0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_and_the_objective_follow_the_type(kind):
    config = Config.of({"name": "demo", "task": {"type": kind}})
    usual = {"classification": ("cross_entropy", "log_loss"), "regression": ("mse", "r2"),
             "survival": ("cox", "partial_log_likelihood"),
             "mixed": ("joint", "skill"), "representation": ("elbo", "elbo")}  # fmt: skip
    assert (config.task.loss, config.objective) == usual[kind]
    for loss in KINDS[kind].losses:
        assert Config.of({"name": "demo", "task": {"type": kind, "loss": loss}}).task.loss == loss
    for objective in KINDS[kind].objectives:
        given = {"name": "demo", "task": {"type": kind}, "search": {"objective": objective}}
        assert Config.of(given).objective == objective


def test_integers_stand_for_real_numbers():
    given = {"split": {"test": 0, "validation": 0}}
    assert Config.of({"name": "demo", "data": given}).data.split.test == 0
    assert Config.of({"name": "demo", "training": {"l2": 1}}).training.l2 == 1


def test_a_family_without_settings_may_be_null():
    assert Config.of({"name": "demo", "families": {"mlp": None}}).families == {"mlp": {}}


def test_a_config_is_frozen():
    config = Config.of({"name": "demo"})
    for section, key in ((config, "seed"), (config.search, "max_trials"), (config.data, "split")):
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(section, key, 1)


# Errors ------------------------------------------------------------------------------------


# Keys that are true or false.
SWITCHES = ("output.figures", "output.bins", "evaluation.learning_curve")


@pytest.mark.parametrize("path", KEYS)
def test_a_misspelt_key_names_its_path_and_the_nearest_key(path):
    *parents, key = path
    misspelt = f"{key}x"
    said = refusal(nested((*parents, misspelt), "value"))
    assert f"config: {'.'.join((*parents, misspelt))}: unknown key" in said
    assert f"Did you mean {key!r}?" in said


def test_an_unknown_key_without_a_neighbour_lists_the_known_ones():
    said = refusal({"ensemble": {"qqq": 1}})
    assert said == "config: ensemble.qqq: unknown key; expected one of: size, seeds."


@pytest.mark.parametrize("path", KEYS)
def test_a_value_of_a_wrong_type_names_its_path_and_what_came(path):
    said = refusal(nested(path, [[1]]))
    # Where a list may stand, its first element is what is wrong; of a pair its first name.
    place = re.escape(".".join(path))
    assert re.fullmatch(
        rf"config: {place}(\.0)*: expected .*; received (1|\[1\]|\[\[1\]\])\.", said
    )


@pytest.mark.parametrize("path", [path for path in KEYS if path.id not in SWITCHES])
def test_true_is_taken_for_no_number_and_no_text(path):
    assert refusal(nested(path, True)).startswith(f"config: {'.'.join(path)}: expected ")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": -1}, "seed: expected greater than or equal to 0; received -1."),
        ({"seed": "7"}, 'seed: expected a valid integer; received "7".'),
        ({"name": "a/b"}, "name: expected letters "),
        ({"data": {"split": {"test": 1}}}, "data.split.test: expected less than 1; received 1."),
        ({"data": {"split": {"test": -0.1}}}, "data.split.test: expected greater than or equal"),
        ({"data": {"split": {"test": 0.5, "validation": 0.5}}}, "received 0.5 + 0.5."),
        ({"data": {"top_variable": 0}}, "data.top_variable: expected greater than or equal to 1"),
        ({"data": {"log2_floor": 0}}, "data.log2_floor: expected greater than 0; received 0."),
        ({"data": {"transform": "log2p"}}, "Did you mean 'log2'?"),
        ({"data": {"transform": ["auto", "log2"]}}, "expected it alone or with rank"),
        ({"data": {"scale": "Standard"}}, "Did you mean 'standard'?"),
        ({"task": {"type": "regresion"}}, "Did you mean 'regression'?"),
        ({"task": {"loss": "mse"}}, "task: classification is trained with one of cross_entropy"),
        ({"task": {"type": "regression", "class_weight": "balanced"}}, "is for classification"),
        ({"task": {"class_weight": "balancd"}}, "expected 'balanced' or a JSON object"),
        ({"families": {}}, "families: expected at least 1 item"),
        ({"families": {"mlp": 3}}, "families.mlp: expected a JSON object; received 3."),
        ({"search": {"max_trials": 0}}, "search.max_trials: expected greater than or equal to 1"),
        ({"search": {"max_seconds": 0}}, "search.max_seconds: expected greater than 0"),
        ({"search": {"folds": 0}}, "search.folds: expected 'auto' or greater than or equal to 1"),
        ({"search": {"folds": "five"}}, "search.folds: expected 'auto' or a valid integer"),
        ({"search": {"objective": "acuracy"}}, "Did you mean 'accuracy'?"),
        ({"search": {"objective": "r2"}}, "task.type classification is ranked by one of"),
        ({"training": {"learning_rate": 0}}, "training.learning_rate: expected 'auto' or greater"),
        ({"training": {"optimizer": "Adam"}}, "Did you mean 'adam'?"),
        ({"training": {"l2": -1}}, "training.l2: expected greater than or equal to 0"),
        ({"export": {"version": 0}}, "export.version: expected greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_names_its_path_and_the_range(given, said):
    assert said in refusal(given)


def test_a_config_needs_a_name():
    with pytest.raises(InputError, match=r"^config: name: this key must be given\.$"):
        Config.of({})


def test_genes_of_a_representation_keep_their_spread_unless_the_config_says_otherwise():
    def scale(task, **data):
        return Config.of({"name": "demo", "task": {"type": task}, "data": data}).data.scale

    assert scale("representation") == "centre"
    assert scale("representation", scale="standard") == scale("classification") == "standard"


def test_a_search_by_balanced_accuracy_weighs_classes_unless_the_config_says_otherwise():
    def weight(task=None, objective="balanced_accuracy"):
        given = {"name": "t", "search": {"objective": objective}} | ({"task": task} if task else {})
        return Config.of(given).task.class_weight

    assert weight() == weight({"type": "classification"}) == "balanced"
    assert weight({"class_weight": None}) is weight(objective="accuracy") is None
    assert weight({"class_weight": {"a": 2.0}}) == {"a": 2.0}
    with pytest.raises(InputError, match="search.objective"):
        weight({"type": "regression"})


def test_a_wrong_class_weight_names_its_class():
    said = refusal({"task": {"class_weight": {"healthy": 1, "tumour": 0}}})
    assert "task.class_weight.tumour" in said and "greater than 0" in said


@pytest.mark.parametrize("target", ["time", ["death", "last_visit", "status"]])
def test_survival_is_of_a_time_and_an_event_before_files_are_read(target):
    given = {"task": {"type": "survival"}, "data": {"features": "x.tsv", "target": target}}
    assert "needs two columns, the time and the event" in refusal(given)
    star = {"data": {"features": "x.tsv", "target": "*"}, "name": "demo"}
    assert Config.of(given | star).data.target == "*"


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("weight", {"weight": "y"}),
        ("split.group", {"split": {"group": "y"}}),
        ("sites", {"sites": ["x", "y"]}),
    ],
)
def test_a_target_is_nothing_else(key, given):
    said = refusal({"data": {"features": "x.tsv", "target": "y"} | given})
    assert f"data.{key}: y is a target; expected another column" in said


@pytest.mark.parametrize("kind", ["classification", "regression", "representation"])
def test_other_types_take_a_single_target(kind):
    given = {"name": "demo", "task": {"type": kind}, "data": {"features": "x.tsv", "target": "y"}}
    assert Config.of(given).data.target == "y"


def test_an_error_ends_with_one_mark():
    assert refusal({"search": {"objective": "acuracy"}}).endswith("'accuracy'?")


@pytest.mark.parametrize("path", ["training.learning_rate", "training.l2", "search.max_seconds"])
def test_infinity_is_refused(path):
    assert path in refusal(nested(path.split("."), float("inf")))


# Files -------------------------------------------------------------------------------------


def test_comments_trailing_commas_and_a_byte_order_mark_are_fine(tmp_path):
    text = '\ufeff{\n  // a comment\n  "name": "demo", /* another */\n  "seed": 3,\n}\n'
    assert Config.load(written(tmp_path, text)).seed == 3


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"name": "x",\n "seed": }', 2, 10),
        ('{\n"name": "x",\n"seed": 1 "data": {}}', 3, 11),
        ('{"name": "x"', 1, 13),
        ('{"name": "x"} and more', 1, 15),
    ],
)
def test_broken_json_names_file_line_and_column(tmp_path, text, line, column):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        Config.load(path)
    assert str(caught.value).startswith(f"{path}: not valid JSON: ")
    assert f"line {line}, column {column}: " in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b'{"name": "\xff"}', b'{"a": 1, "a": 2}'])
def test_what_is_no_json_object_is_one_clear_error(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Config.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json: no such config file"):
        Config.load(tmp_path / "absent.json")


# Overrides ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("seed=11", lambda config: config.seed == 11),
        ("search.max_trials=4", lambda config: config.search.max_trials == 4),
        ("data.split.test=0.1", lambda config: config.data.split.test == 0.1),
        ("data.target=grade", lambda config: config.data.target == "grade"),
        ("data.target=tumour grade", lambda config: config.data.target == "tumour grade"),
        ('data.target="7"', lambda config: config.data.target == "7"),
        ("data.target=a=b", lambda config: config.data.target == "a=b"),
        ('data.target=["a", "b"]', lambda config: config.data.target == ["a", "b"]),
        ("data.target=null", lambda config: config.data.target is None),
        ("families.mlp.units=[8, 16]", lambda config: config.families["mlp"] == {"units": [8, 16]}),
        ('families={"linear": {}}', lambda config: list(config.families) == ["linear"]),
    ],
)
def test_an_override_is_json_or_a_bare_word(tmp_path, override, found):
    path = written(tmp_path, '{"name": "demo", "data": {"target": "type"}}')
    assert not found(Config.load(path))
    assert found(Config.load(path, [override]))


def test_of_two_overrides_the_last_counts(tmp_path):
    path = written(tmp_path, '{"name": "demo"}')
    assert Config.load(path, ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize("override", ["seed", "=3", ""])
def test_an_override_of_a_wrong_form_is_refused(tmp_path, override):
    path = written(tmp_path, '{"name": "demo"}')
    with pytest.raises(InputError, match=f"^--set {override}: expected key.path=value"):
        Config.load(path, [override])


def test_an_override_below_a_value_is_refused(tmp_path):
    path = written(tmp_path, '{"name": "demo"}')
    with pytest.raises(InputError, match="'name' holds a value, not a section"):
        Config.load(path, ["name.first=x"])


def test_an_override_is_checked_like_the_file(tmp_path):
    path = written(tmp_path, '{"name": "demo"}')
    with pytest.raises(InputError, match="search.max_trial: unknown key.*'max_trials'"):
        Config.load(path, ["search.max_trial=3"])


# Paths -------------------------------------------------------------------------------------

PATHS = {
    "name": "demo",
    "output_dir": "../runs",
    "data": {
        "features": "x.tsv",
        "targets": ["labels/a.tsv", "b.tsv"],
        "evaluate": "/elsewhere/e.tsv",
        "predict": "./p.tsv",
        "split": "split.tsv",
    },
}


def test_paths_are_relative_to_the_config_file(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    folder.mkdir()
    path = written(folder, json.dumps(PATHS))
    monkeypatch.chdir("/")
    config = Config.load(path)
    assert config.output_dir == str(tmp_path / "runs")
    assert config.data.features == str(folder / "x.tsv")
    assert config.data.targets == [str(folder / "labels" / "a.tsv"), str(folder / "b.tsv")]
    assert config.data.evaluate == "/elsewhere/e.tsv"
    assert config.data.predict == str(folder / "p.tsv")
    assert config.data.split == str(folder / "split.tsv")
    monkeypatch.chdir(folder)
    assert Config.load("config.json") == config


def test_a_path_may_begin_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    data = {"features": "~/x.tsv", "targets": ["~/a.tsv", "b~.tsv", "~$c.tsv"]}
    config = Config.of({"name": "demo", "output_dir": "~/runs", "data": data}).resolved("/work")
    assert config.output_dir == "/home/me/runs" and config.data.features == "/home/me/x.tsv"
    assert config.data.targets == ["/home/me/a.tsv", "/work/b~.tsv", "/work/~$c.tsv"]


def test_paths_survive_the_way_into_a_run_folder_and_back(tmp_path):
    config = Config.of(PATHS).resolved(tmp_path / "configs")
    run = tmp_path / "runs" / "demo"
    run.mkdir(parents=True)
    relative = config.relative(run)
    assert relative.data.features == "../../configs/x.tsv"
    path = written(run, relative.as_json())
    assert Config.load(path) == config


def test_a_project_folder_can_move_as_a_whole(tmp_path):
    relative = Config.of(PATHS).resolved("/old/configs").relative("/old/runs/demo")
    moved = relative.resolved("/new/runs/demo")
    assert moved.data.features == "/new/configs/x.tsv"


def test_a_data_set_of_scanpy_is_no_path():
    config = Config.of({"name": "demo", "data": {"features": "scanpy:pbmc68k_reduced"}})
    assert config.resolved("/a").relative("/b").data.features == "scanpy:pbmc68k_reduced"
    assert config.files == []


def test_files_are_all_that_a_config_reads():
    named = Config.of(PATHS).files
    assert named == ["x.tsv", "labels/a.tsv", "b.tsv", "split.tsv", "/elsewhere/e.tsv", "./p.tsv"]


def test_json_of_a_config_holds_every_default_and_reads_back_equal():
    config = Config.of(json.loads(CONTRACT))
    given = json.loads(config.as_json())
    assert Config.of(given) == config
    for path in keys():
        value = given
        for key in path:
            if value is None:  # a section that is left out
                break
            assert key in value, path
            value = value[key]


WRONG_NAMES = {
    "no files": ({"targets": []}, r"data\.targets: .*at least 1"),
    "a target twice": ({"target": ["y", "y"]}, r"data: target: expected names, each once"),
    "a file twice": ({"targets": ["a.tsv", "a.tsv"]}, r"data: targets: expected names, each once"),
    "a nameless file": ({"targets": ""}, r"data: targets: expected names, .*received \[''\]"),
    "two matrices": (
        {"features": ["a.tsv", "b.tsv"]},
        r"data\.features: expected the path of one matrix; received .*a\.tsv.*; join .* concat",
    ),
    "endless memory": (
        {"memory": 1e300},
        r"data\.memory: expected .*less than or equal to 1000000000",
    ),
    "endless expansion": ({"expansion": 1e306}, r"data\.expansion: expected .*1000000000"),
}


@pytest.mark.parametrize("case", WRONG_NAMES)
def test_names_and_sizes_that_make_no_sense_are_refused(case):
    data, said = WRONG_NAMES[case]
    with pytest.raises(InputError, match=said):
        Config.of({"name": "t", "data": {"features": "x.tsv"} | data})


def test_a_matrix_in_place_of_a_config_is_refused_at_once(tmp_path):
    path = tmp_path / "expression.csv"
    path.write_text("sample,TP53\n" + "s1,0.25\n" * 400_000)
    with pytest.raises(InputError, match=r"expression.csv: not valid JSON, and 3 MiB long"):
        Config.load(path)
