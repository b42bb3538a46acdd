"""Every public name is on the page of public names, with its members."""

import inspect
import re

import pytest

import plant_aggregate
from plant_aggregate import charts
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^### ([\w.]+)\n\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL))
NAMES = [name for name in plant_aggregate.__all__ if name not in ("__version__", "charts")]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(plant_aggregate, name))]


def members_of(kind: type) -> set[str]:
    """Methods, properties and fields that are public and ours; those of strategies are described once for all."""
    members = {name for name, member in inspect.getmembers_static(kind) if hasattr(member, "__get__")}
    ours = [parent for parent in kind.__mro__ if parent.__module__.startswith("plant_aggregate.")]
    fields = {name for parent in ours for name in vars(parent).get("__dataclass_fields__", {})}
    named = {name for parent in ours for name in (*vars(parent), *fields)} & (members | fields)
    return {name for name in named if not name.startswith("_") and not isinstance(vars(kind).get(name), type)}


RECORDERS = ["torch.ScoreRecorder", "lightning.score_callback", "transformers.score_callback"]


def test_every_public_name_has_an_entry() -> None:
    """A new one belongs into GROUPS of docs/public_names.py, and then `make docs`."""
    of_modules = [*(f"charts.{name}" for name in charts.__all__), *(f"recorders.{name}" for name in RECORDERS)]
    assert sorted(ENTRIES) == sorted([*NAMES, *of_modules])


@pytest.mark.parametrize("name", CLASSES)
def test_every_member_of_a_public_class_is_in_its_entry(name: str) -> None:
    kind, entry = getattr(plant_aggregate, name), ENTRIES[name]
    if issubclass(kind, Exception) or kind.__name__ != name:
        return
    described = set(re.findall(r"^- `\.(\w+)", entry, re.MULTILINE)) | set(re.findall(r"\b(\w+)=", entry))
    missing = members_of(kind) - described
    if hasattr(kind, "takes"):
        missing -= {"fit", "fit_predict", "thresholds", "passes", "ambiguity", "name", "takes"}
        assert "`.fit(votes" in PAGE
    assert missing - {"extends", "table"} == set()


def test_no_entry_is_without_words() -> None:
    assert [name for name, entry in ENTRIES.items() if not re.search(r"^[A-Z].*\w{3}.*\.$", entry, re.MULTILINE)] == []
    assert re.findall(r"^- `.*`: ?$", PAGE, re.MULTILINE) == []


def test_functions_are_shown_with_their_parameters() -> None:
    for name in NAMES:
        item = getattr(plant_aggregate, name)
        if inspect.isfunction(item):
            shown = ENTRIES[name].split("```")[1]
            assert set(inspect.signature(item).parameters) <= set(re.findall(r"\w+", shown))
