"""The guides are true: the map is that of the code, and the files to add are members."""

import re
from pathlib import Path

import house
import pytest
from dropped import dropped

from autogenome_tf.core.open_sets import members

GUIDE = (Path(__file__).parents[2] / "tutorials" / "architecture.md").read_text("utf-8")
ADDED = re.findall(
    r"Save this as `autogenome_tf/(\S+)/(\w+)\.py`.*?```python\n(.*?)```", GUIDE, re.S
)


def test_the_map_is_that_of_the_house():
    found = re.search(r"<!-- map -->\n(.*?)<!-- end of map -->", GUIDE, re.S)[1]
    assert found.strip() == house.guide_map().strip()


def test_every_open_set_that_the_guide_names_has_an_example():
    assert {folder for folder, _, _ in ADDED} >= set(house.OPEN.values())


@pytest.mark.parametrize(("folder", "name", "text"), ADDED, ids=[name for _, name, _ in ADDED])
def test_a_file_of_the_guide_is_a_member(folder, name, text):
    assert name not in members(folder)
    with dropped(folder, name, text):
        assert name in members(folder)
        exec(compile(text, f"{name}.py", "exec"), {"__name__": f"example.{name}"})
