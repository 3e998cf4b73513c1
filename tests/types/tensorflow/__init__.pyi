# TensorFlow ships no types, and those that type checkers bundle know a part of it only.
from typing import Any

def __getattr__(name: str) -> Any: ...
