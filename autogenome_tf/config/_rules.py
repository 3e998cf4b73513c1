"""Rules that keys of several sections of a config keep together."""

from typing import Any

from autogenome_tf.config._sections import listed
from autogenome_tf.core.errors import nearest
from autogenome_tf.core.open_sets import declared
from autogenome_tf.tasks import types

# The open set of search methods.
METHODS = "search/methods"


def check_rules(config: Any) -> None:
    """Refuse keys that do not fit each other.

    Args:
        config: A `Config` whose sections are valid, each by itself.

    Raises:
        ValueError: With the place of the first that breaks a rule.
    """
    for rule in _RULES:
        rule(config)


def _representations_have_less(config):
    if config.task.kind.has_targets:
        if config.data.covariates:
            raise ValueError("data.covariates: only task.type representation has covariates")
        return
    needs_targets = config.evaluation.permutations or config.evaluation.learning_curve
    refusals = (
        (config.ensemble.size != 1,
         "ensemble.size: a representation is of one model; expected 1"),
        (len(config.data.transforms) > 1,
         "data.transform: a representation has one; expected a single name"),
        (needs_targets,
         "evaluation: a representation has no targets to permute or to predict; expected "
         "permutations 0 and learning_curve false"),
        (config.search.outer,
         "search.outer: a representation predicts nothing to score; expected 0"),
        (config.data.sites,
         "data.sites: a representation predicts nothing to score; expected []"),
        (config.data.weight,
         "data.weight: rows of a representation count alike; expected null, or a task with "
         "targets"),
    )  # fmt: skip
    for is_asked, text in refusals:
        if is_asked:
            raise ValueError(text)


def _targets_are_nothing_else(config):
    data = config.data
    others = {"weight": listed(data.weight), "split.group": listed(data.group), "sites": data.sites}
    for key, names in others.items():
        for name in names:
            if name in data.target_names:
                raise ValueError(f"data.{key}: {name} is a target; expected another column")


def _objective_fits_the_task(config):
    known = ("auto", *config.task.kind.objectives)
    if config.search.objective not in known:
        raise ValueError(
            f"search.objective: task.type {config.task.type} is ranked by one of "
            f"{', '.join(known)}; received {config.search.objective!r}."
            f"{nearest(config.search.objective, known)}"
        )


def _search_method_fits(config):
    name, own = config.search.method, declared(METHODS)
    needed = own[name]["families"]
    if needed and set(config.families) != set(needed):
        raise ValueError(
            f"families: search.method {name} needs exactly the "
            f"{'family' if len(needed) == 1 else 'families'} {', '.join(needed)}; "
            f"received {', '.join(config.families)}"
        )
    if not own[name]["is_of_shared_weights"]:
        if config.search.max_parameters:
            able = [one for one in own if own[one]["is_of_shared_weights"]]
            raise ValueError(
                f"search.max_parameters: search.method {name} keeps no limit; expected null, "
                f"or search.method {' or '.join(able)}"
            )
        return
    for family, given in config.families.items():
        if "gates" in given:
            raise ValueError(
                f"families.{family}.gates: search.method {name} has none; expected no value"
            )
    if config.training.epistasis:
        others = [one for one in own if not own[one]["is_of_shared_weights"]]
        raise ValueError(
            "training.epistasis: shared weights are those of many networks; expected "
            f"search.method {' or '.join(others)}; received {name!r}"
        )


def _validation_rows_are_one_fold(config):
    if not config.data.validation:
        return
    if config.search.folds not in ("auto", 1):
        raise ValueError(
            "search.folds: rows of data.validation rank trials; expected 1 or auto, "
            f"received {config.search.folds}"
        )
    if config.search.outer:
        raise ValueError(
            "search.outer: outer folds are drawn from all rows to learn from; expected 0, or "
            "data.validation null"
        )
    if config.data.sites:
        raise ValueError("data.sites: not with data.validation; expected search.folds instead")


def _pairs_are_among_several_kinds(config):
    if config.data.pairs and not config.task.kind.is_of_several:
        raise ValueError(
            f"data.target: {list(config.data.pairs[0])} is a pair of time and event among other "
            f"targets; expected names, or task.type {' or '.join(types('is_of_several'))}; "
            f"received {config.task.type!r}"
        )
    for name in config.task.kinds:
        if any(name in pair for pair in config.data.pairs):
            raise ValueError(
                f"task.kinds: {name} is of a pair of time and event in data.target, which says "
                "its kind; expected other targets"
            )


def _targets_are_as_many_as_the_task_has(config):
    names = config.data.target_names
    # "*" stands for the columns of a file.
    if names and names != ["*"]:
        config.task.kind.check_names(names)


def _several_kinds_have_less(config):
    if not config.task.kind.is_of_several:
        return
    asked = {
        "data.rare_classes": config.data.rare_classes != "error",
        "data.sites": config.data.sites,
        "search.outer": config.search.outer,
        "evaluation.permutations": config.evaluation.permutations,
        "evaluation.learning_curve": config.evaluation.learning_curve,
        "search.method": declared(METHODS)[config.search.method]["is_of_shared_weights"],
    }
    for key, is_asked in asked.items():
        if is_asked:
            raise ValueError(
                f"{key}: not with task.type {config.task.type}, whose targets are of several "
                "kinds; expected the default, or a run for each target"
            )


def _epistasis_is_of_genotypes(config):
    if config.training.epistasis is None:
        return
    if not config.task.kind.has_units:
        raise ValueError(
            "training.epistasis: strengths are in units of the target; expected task.type "
            f"{' or '.join(types('has_units'))}; received {config.task.type!r}"
        )
    changed = set(config.data.transforms) - {"auto", "none"}
    if changed:
        raise ValueError(
            "training.epistasis: genotypes stay 0 and 1; expected data.transform none; "
            f"received {', '.join(sorted(changed))}"
        )


_RULES = (
    _representations_have_less,
    _targets_are_nothing_else,
    _objective_fits_the_task,
    _search_method_fits,
    _validation_rows_are_one_fold,
    _pairs_are_among_several_kinds,
    _targets_are_as_many_as_the_task_has,
    _several_kinds_have_less,
    _epistasis_is_of_genotypes,
)
