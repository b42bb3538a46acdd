"""The first example gives the same number of images with every library of frames."""

import runpy

import pytest

from tests.paths import ROOT

EXAMPLE = ROOT / "examples" / "first_result.py"


def run_with(capfd: pytest.CaptureFixture[str], library: str) -> str:
    runpy.run_path(str(EXAMPLE))["main"]([library])
    return capfd.readouterr().out


def test_pandas(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_with(capfd, "pandas") == "pandas: 19878 images with a valid label\n"


@pytest.mark.extras
@pytest.mark.parametrize("library", ["polars", "duckdb"])
def test_other_libraries(capfd: pytest.CaptureFixture[str], library: str) -> None:
    pytest.importorskip(library)
    assert run_with(capfd, library) == f"{library}: 19878 images with a valid label\n"
