"""A whole config, frozen, from JSON and back, with errors that name the place."""

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field, field_validator, model_validator

from autogenome_tf.config import autogenome
from autogenome_tf.config._defaults import default_families, with_dependent_defaults
from autogenome_tf.config._json import merged, put, read_json
from autogenome_tf.config._members import file_keys
from autogenome_tf.config._messages import NAME, first_problem
from autogenome_tf.config._rules import check_rules
from autogenome_tf.config._sections import (
    Data,
    Ensemble,
    Evaluation,
    Explanation,
    Export,
    Output,
    Search,
    Section,
    SplitSection,
    TaskSection,
    Training,
    listed,
)
from autogenome_tf.core.errors import InputError
from autogenome_tf.tasks import DEFAULT

log = logging.getLogger(__name__)

SCANPY_PREFIX = "scanpy:"
# Keys of `data` that name files.
PATHS = (
    "features", "targets", "feature_names", "gene_names", "abundance", "validation",
    "validation_targets", "evaluate", "evaluate_targets", "predict", "split",
)  # fmt: skip


class Config(Section):
    """One run, as asked for; every key with its default.

    >>> Config.of({"name": "demo", "data": {"features": "x.tsv"}}).search.max_trials
    30
    """

    name: str = Field(
        pattern=NAME,
        description="Name of the run and its folder; required.",
    )
    seed: Annotated[int, Field(ge=0)] = Field(7, description="Seed of all random numbers.")
    output_dir: Annotated[str, Field(min_length=1)] = Field(
        "runs", description="Folder in which the run folder is made."
    )
    data: Data = Field(default_factory=Data)
    task: TaskSection = Field(default_factory=lambda: TaskSection(loss=DEFAULT.losses[0]))
    families: dict[str, dict[str, Any]] = Field(
        default_factory=default_families,
        min_length=1,
        description=(
            "Families to search, each with its hyperparameters: a list narrows one, a scalar "
            "fixes it. Default: linear, mlp, resnet, densenet, and for classes and values forest "
            "where it is quick; for a representation resvae."
        ),
    )
    search: Search = Field(default_factory=Search)
    training: Training = Field(default_factory=Training)
    ensemble: Ensemble = Field(default_factory=Ensemble)
    evaluation: Evaluation = Field(default_factory=Evaluation)
    explanation: Explanation = Field(default_factory=Explanation)
    export: Export = Field(default_factory=Export)
    output: Output = Field(default_factory=Output)

    @field_validator("families", mode="before")
    @classmethod
    def _families_are_objects(cls, families):
        if isinstance(families, dict):
            return {name: {} if given is None else given for name, given in families.items()}
        return families

    @field_validator("families")
    @classmethod
    def _files_are_named_by_texts(cls, families):
        for name, given in families.items():
            for key in file_keys(name):
                files = listed(given.get(key))
                if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
                    raise ValueError(
                        f"{name}.{key}: expected names of files; received {given[key]!r}"
                    )
        return families

    @model_validator(mode="before")
    @classmethod
    def _dependent_defaults(cls, values):
        return with_dependent_defaults(values)

    @model_validator(mode="after")
    def _sections_fit(self):
        check_rules(self)
        return self

    @property
    def objective(self) -> str:
        """Return the metric that ranks trials, with `auto` resolved."""
        chosen = self.search.objective
        return next(iter(self.task.kind.objectives)) if chosen == "auto" else chosen

    @property
    def files(self) -> list[str]:
        """Return the paths of the data files it names."""
        data = self.data
        split = [data.split] if isinstance(data.split, str) else []
        named = [data.features, *listed(data.targets), data.feature_names, data.gene_names]
        named += [data.abundance, *split]
        for name in ("validation", "evaluate"):
            named += [getattr(data, name), *listed(getattr(data, f"{name}_targets"))]
        named.append(data.predict)
        for name, given in self.families.items():
            named += [path for key in file_keys(name) for path in listed(given.get(key))]
        return [path for path in dict.fromkeys(named) if path and not _is_no_path(path)]

    @property
    def further(self) -> list[str]:
        """Return the columns beside the targets that rows need, such as groups and weights."""
        data = self.data
        return [*listed(data.group), *data.covariates, *data.sites, *listed(data.weight)]

    def reading(self, features: str) -> "Config":
        """Return the config with another matrix, which contains genes only.

        Args:
            features: Path of the matrix.
        """
        data = self.data.model_copy(update={"features": features, "exclude": []})
        return self.model_copy(update={"data": data})

    def differing(self, other: "Config") -> list[str]:
        """Return the names of the keys whose values differ from another config's.

        Args:
            other: Config to compare with.
        """
        ours, theirs = (dict(_leaves(config.model_dump())) for config in (self, other))
        return [name for name in ours | theirs if ours.get(name) != theirs.get(name)]

    def targeting(self, names: Sequence[str | list[str]]) -> "Config":
        """Return the config with its targets named, where it names none.

        Args:
            names: Names of the targets; a list is a pair of time and event.

        Raises:
            InputError: Where the task has no such targets.
        """
        if self.data.target is not None or not names:
            return self
        target = names[0] if len(names) == 1 else list(names)
        known = self.model_dump(exclude_unset=True)
        return self.of(merged(known, {"data": {"target": target}}))

    @classmethod
    def of(cls, given: Mapping[str, Any], place: str = "config") -> "Config":
        """Check a plain dict.

        Args:
            given: The keys of a config as nested dicts.
            place: What to call it in an error.

        Raises:
            InputError: At the first wrong key or value, with its path.
        """
        try:
            return cls.model_validate(given)
        except pydantic.ValidationError as error:
            raise InputError(f"{place}: {first_problem(error, cls)}") from None

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> "Config":
        """Read a JSON config; ``//`` comments and trailing commas are fine, and so is AutoGenome's.

        Args:
            path: The file. Paths in it are relative to its folder and come back absolute.
            overrides: Texts such as ``"search.max_trials=20"``; the value is JSON or a bare word.

        Raises:
            InputError: For a missing file, broken JSON, or the first wrong key or value.
        """
        path = Path(path)
        given = read_json(path)
        if not isinstance(given, dict):
            raise InputError(f"{path}: expected a JSON object {{...}}; received {given!r}.")
        folder = path.resolve().parent
        if autogenome.is_original(given):
            found, notes = cls.ported(given, str(path), path.parent, overrides)
            log.info("%s: a config of AutoGenome; keys without effect here:", path)
            for note in notes:
                if not note.new:
                    log.info("  %s: %s", note.old, note.effect)
            return found.resolved(folder)
        for override in overrides:
            put(given, override)
        return cls.of(given, place=str(path)).resolved(folder)

    @classmethod
    def ported(
        cls,
        given: Mapping[str, Any],
        place: str,
        folder: str | Path,
        overrides: Iterable[str] = (),
    ) -> tuple["Config", list[autogenome.Note]]:
        """Return the config that one of AutoGenome stands for, and a note for each of its keys.

        Args:
            given: What its JSON holds.
            place: Its name, for errors.
            folder: What its paths are relative to.
            overrides: As in `load`.

        Raises:
            InputError: For the first wrong key or value, by AutoGenome's name of the key.
        """
        keys, notes = autogenome.ported(given, place, folder)
        for override in overrides:
            put(keys, override)
        try:
            return cls.of(keys, place), notes
        except InputError as error:
            raise autogenome.with_old_name(error, place, notes) from None

    def resolved(self, folder: str | Path) -> "Config":
        """Return the config with absolute paths, taken relative to `folder`; ``~`` is home."""

        def absolute(path):
            if _is_no_path(path):
                return path
            return os.path.normpath(Path(folder) / os.path.expanduser(path))

        return self._with_paths(absolute)

    def relative(self, folder: str | Path) -> "Config":
        """Return the config with paths relative to `folder`, so that both can move together."""

        def seen(path):
            return path if _is_no_path(path) else os.path.relpath(path, folder)

        return self._with_paths(seen)

    def _with_paths(self, change):
        def changed(value):
            return [change(path) for path in value] if isinstance(value, list) else change(value)

        paths = {
            name: changed(value)
            for name, value in self.data
            if name in PATHS and value and not isinstance(value, SplitSection)
        }
        data = self.data.model_copy(update=paths)
        update = {"data": data, "output_dir": change(self.output_dir)}
        families = {
            name: given | {key: changed(given[key]) for key in file_keys(name) if key in given}
            for name, given in self.families.items()
        }
        return self.model_copy(
            update=update if families == self.families else update | {"families": families}
        )

    def as_json(self, is_short: bool = False) -> str:
        """Return the config as JSON text, every default filled in, or without them.

        Args:
            is_short: Whether to leave out keys that have their default.
        """
        return json.dumps(self.model_dump(exclude_unset=is_short), indent=2) + "\n"


def _is_no_path(value):
    return not value or value.startswith(SCANPY_PREFIX)


def _leaves(given, above=""):
    """Return the values of nested dicts by their dotted names."""
    for name, value in given.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
