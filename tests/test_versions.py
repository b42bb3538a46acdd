"""Which versions CI tests: those that pyproject.toml promises, in environments that can be installed."""

import importlib.util

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.paths import ROOT

SCRIPT = ROOT / ".ci" / "versions.py"
spec = importlib.util.spec_from_file_location("versions", SCRIPT)
assert spec is not None
assert spec.loader is not None
versions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(versions)

THERE = {
    "numba": {"0.59": "numpy<1.27,>=1.22", "0.60": "numpy<2.1,>=1.22", "0.61": "numpy<2.3", "0.62": "numpy<2.5"},
    "pandas": {"2.1": "numpy<2", "2.2": "numpy>=1.22", "3.0": "numpy>=1.26"},
    "pyarrow": dict.fromkeys(("17.0", "18.0", "18.1", "19.0", "20.0", "21.0"), ""),
    "numpy": dict.fromkeys(("1.26", "2.0", "2.1", "2.4", "2.5"), ""),
}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry with few versions, of which the newest numpy goes with no numba."""

    def needs(name: str, minor: str) -> dict[str, SpecifierSet]:
        line = THERE[name][minor]
        return {"numpy": Requirement(line).specifier} if line else {}

    monkeypatch.setattr(versions, "needs", needs)
    monkeypatch.setattr(versions, "minors", lambda requirement: list(THERE[requirement.name]))


def test_each_minor_version_is_in_an_environment(registry: None) -> None:
    made = versions.matrix()
    assert made[0] == {"numba": "0.59", "pandas": "2.1", "pyarrow": "17.0", "numpy": "1.26"}
    for name, there in THERE.items():
        assert [one for one in there if one not in [choice[name] for choice in made]] == (
            ["2.5"] if name == "numpy" else []
        )
    assert len(made) == len(THERE["pyarrow"])
    for choice in made:
        assert all(versions.fit(one, other) for one in choice.items() for other in choice.items())


def test_a_version_that_goes_with_no_other_is_told(registry: None, capfd: pytest.CaptureFixture[str]) -> None:
    versions.matrix()
    assert capfd.readouterr().err == "numpy 2.5: not tested, it goes with no version of the others\n"


def test_the_oldest_environment_is_of_versions_that_go_together(
    registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(THERE, "pandas", {"2.1": "numpy<1.26", "2.2": "numpy>=2", "3.0": "numpy>=2.1"})
    assert versions.oldest() == {"numba": "0.60", "pandas": "2.2", "pyarrow": "17.0", "numpy": "2.0"}
    monkeypatch.setitem(THERE, "pandas", {"2.1": "numpy<1.26"})
    with pytest.raises(SystemExit, match="no versions of numba, pandas, pyarrow, numpy go together on this Python"):
        versions.oldest()


def test_every_dependency_says_its_lowest_version() -> None:
    extras = versions.PROJECT["optional-dependencies"]
    assert all(versions.lowest(requirement) for requirement in versions.declared(*extras))
    with pytest.raises(SystemExit, match="numpy says no lowest version"):
        versions.lowest(Requirement("numpy"))
