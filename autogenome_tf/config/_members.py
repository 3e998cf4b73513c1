"""Names of members of open sets as values of a config."""

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from autogenome_tf.core.errors import nearest
from autogenome_tf.core.open_sets import members


class MemberOf:
    """The type of a name of a member of an open set; a file dropped into its folder is one.

    Args:
        folder: Place of the folder in the package, such as ``"search/methods"``.
        *others: Further names that are allowed, such as "auto".
    """

    def __init__(self, folder: str, *others: str):
        self._folder, self._others = folder, others

    def names(self) -> tuple[str, ...]:
        """List the names that are allowed."""
        return (*self._others, *members(self._folder))

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
