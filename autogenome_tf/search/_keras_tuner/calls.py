"""The record of a chief: the calls that its oracle has had, a line of JSON a call."""

import json
import os
from pathlib import Path
from typing import Any


class Calls:
    """Keep the calls of an oracle; it is deterministic, so that they are its state.

    Args:
        path: Of the file; it need not be there.
    """

    def __init__(self, path: Path):
        self.path = path

    def lines(self) -> list[list[Any]]:
        """Read the calls: seconds since the search began, name of the call, its arguments.

        A last line that was not written to its end is cut off.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            os.truncate(self.path, len(whole.encode()))
        return [json.loads(line) for line in whole.splitlines()]

    def add(self, seconds: float, *call: Any) -> None:
        """Write a call.

        Args:
            seconds: Since the search began.
            *call: Its name and its arguments, as JSON has them.
        """
        line = json.dumps([round(seconds, 3), *call])
        with open(self.path, "a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def seconds(self) -> float:
        """Return the seconds until the last call; 0 before the first."""
        lines = self.lines()
        return lines[-1][0] if lines else 0.0
