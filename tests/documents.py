"""README and guides as text, and their blocks of code, for the tests that run them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TUTORIALS = ROOT / "tutorials"
README = (ROOT / "README.md").read_text("utf-8")
GUIDES = {path.name: path.read_text("utf-8") for path in sorted(TUTORIALS.glob("*.md"))}
EVERYTHING = {"README": README} | {f"tutorials/{name}": text for name, text in GUIDES.items()}


def blocks(text, language=""):
    """List the blocks of code of one language in a text; without a language, commands."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.M | re.S)
    return [block for found, block in fence.findall(text) if found == language]


def block(text, language, part):
    """Return the one block of code that contains a part."""
    (found,) = [block for block in blocks(text, language) if part in block]
    return found


def everywhere(language):
    """List the blocks of one language in README and guides."""
    return [block for text in EVERYTHING.values() for block in blocks(text, language)]


def between(text, first, last):
    """Return the lines between two lines of a text."""
    (found,) = re.findall(rf"^{re.escape(first)}\n(.*?)\n{re.escape(last)}", text, re.M | re.S)
    return found
