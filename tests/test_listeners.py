"""Progress is shown in notebooks, and elsewhere only where it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import plant_aggregate
from plant_aggregate.kernels.compiler import ANNOUNCEMENT
from plant_aggregate.listeners import COMPILING, Lines, listening
from plant_aggregate.progress import SILENT
from tests.paths import ROOT

VOTES = str(ROOT / "sample_votes" / "votes.parquet")


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def phase(self, name: str, total: int | None = None, unit: str = "") -> None:
        self.heard.append(name)

    def advance(self, steps: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        self.heard.append(text)


def stderr_of(code: str) -> list[str]:
    """What a script prints on its stderr, which is a pipe."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


def fit_in_script(progress: str) -> str:
    return (
        "import plant_aggregate\n"
        f"votes = plant_aggregate.read_votes({VOTES!r})\n"
        f"plant_aggregate.PlantNet().fit(votes, {progress})"
    )


def test_a_script_is_silent_by_default() -> None:
    assert stderr_of(fit_in_script("")) == []


def test_in_a_pipe_progress_is_a_line_for_each_phase() -> None:
    phases = [line.split(maxsplit=1)[1] for line in stderr_of(fit_in_script("progress=True"))]
    assert phases == ["pair users and species", "estimate", "derive columns"]


def test_nobody_listens_if_there_is_no_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(False) as listener:
        assert listener is SILENT
    monkeypatch.setattr("sys.stderr", None)
    with listening(True) as listener:
        assert listener is SILENT


@pytest.mark.parametrize("strategy", [plant_aggregate.PlantNet(), plant_aggregate.Majority()])
def test_any_listener_hears_of_the_phases(strategy: plant_aggregate.PlantNet, tmp_path: Path) -> None:
    listener = Heard()
    plant_aggregate.run(VOTES, tmp_path / "consensus", strategy, progress=listener)
    assert "estimate" in listener.heard
    assert listener.heard[-1] == "publish"


def test_the_compiler_is_announced_once_and_only_meanwhile() -> None:
    outer, inner = Heard(), Heard()
    with listening(outer), listening(inner):
        ANNOUNCEMENT.make()
        ANNOUNCEMENT.make()
    ANNOUNCEMENT.make()
    assert (outer.heard, inner.heard) == ([COMPILING], [])
    assert ANNOUNCEMENT.call is None


def test_lines_are_single_ones() -> None:
    written: list[str] = []
    lines = Lines(written.append)
    lines.phase("read\n", 1000, "rows")
    lines.advance()
    assert [line.split(maxsplit=1)[1] for line in written] == [r"read\n: 1,000 rows"]


CELLS = {
    "nothing in the first second": "with listeners.listening() as shown: shown.phase('read', 10, 'rows')",
    "then a bar": (
        "listeners.PATIENCE = listeners.INTERVAL = 0.0\n"
        "listener = listeners.NotebookBar()\n"
        "listener.phase('read <files>', 10, 'rows')\n"
        "listener.advance(3)"
    ),
    "which can say what takes long": "listener.note(listeners.COMPILING)",
    "and goes": "listener.close()",
    "by default": f"votes = plant_aggregate.read_votes({VOTES!r})\nconsensus = plant_aggregate.PlantNet().fit(votes)",
    "not if it is not wanted": "consensus = plant_aggregate.PlantNet().fit(votes, progress=False)",
}


@pytest.mark.extras
def test_a_notebook_shows_a_bar_of_which_nothing_stays() -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook()
    setup = "import plant_aggregate\nfrom plant_aggregate import listeners"
    shown_then = "listener._display.update = lambda data, raw: print(data['text/html'])"
    cells = [setup, *CELLS.values()]
    cells.insert(3, shown_then)
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    _, quiet, bar, _, note, end, by_default, unwanted = ([*cell.outputs] for cell in notebook.cells)
    empty = {"text/html": "", "text/plain": ""}
    assert quiet == unwanted == []
    assert bar[0].data["text/html"] == '<progress value="3" max="10"></progress> read &lt;files&gt;: 3 of 10 rows'
    assert note[0].text == f"<progress></progress> {COMPILING} ...\n"
    assert end[0].text == "\n"
    assert [output.data for output in by_default] == [empty, empty]
