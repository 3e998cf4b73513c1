"""Names of members of open sets, and of other sets, as values of a config."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from autogenome_tf.core.errors import nearest
from autogenome_tf.core.open_sets import classes, declared, members


class MemberOf:
    """The type of a name of a member of an open set; a file dropped into its folder is one.

    Args:
        folder: Place of the folder in the package, such as ``"search/methods"``.
        *others: Further names that are allowed, such as "auto".
        having: Attribute that is true of the members that are allowed; None: all of them are.
    """

    def __init__(self, folder: str, *others: str, having: str | None = None):
        self._folder, self._others, self._having = folder, others, having

    def names(self) -> tuple[str, ...]:
        """List the names that are allowed."""
        if self._having is None:
            return (*self._others, *members(self._folder))
        own = declared(self._folder)
        return (*self._others, *(name for name in own if own[name][self._having]))

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._known, handler(str))

    def __get_pydantic_json_schema__(self, _: Any, handler: GetJsonSchemaHandler) -> dict:
        return {"enum": list(self.names()), "type": "string"}

    def _known(self, name: str) -> str:
        names = self.names()
        if name not in names:
            listed = ", ".join(map(repr, names))
            raise ValueError(f"expected {listed}; received {name!r}.{nearest(name, names)}")
        return name


class OneOf:
    """The type of a text that is one of some names which the code lists; as `Literal` of them.

    Args:
        names: The texts that are allowed.
    """

    def __init__(self, names: Iterable[str]):
        self._names = list(names)

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(self._names)


def file_keys(family: str) -> list[str]:
    """List the hyperparameters of a family that name files, as its class in families/ says.

    Args:
        family: Its name; one that is not known has none.
    """
    if family not in members("families"):
        return []
    spaces = [getattr(one, "space", {}) for one in classes("families", family, object)]
    return [key for space in spaces for key, hyper in space.items() if hyper.names_files]


def described(folder: str) -> Callable[[dict[str, Any]], None]:
    """Make a function that puts each member's summary before the description of a key.

    Args:
        folder: As for `MemberOf`; its members have an attribute `summary`.

    Returns:
        The `json_schema_extra` of a `pydantic.Field`.
    """

    def describe(schema: dict[str, Any]) -> None:
        own = declared(folder)
        said = [", ".join(filter(None, (f"`{name}`", own[name].get("summary")))) for name in own]
        schema["description"] = "; ".join([*said, *filter(None, [schema.get("description")])])

    return describe
