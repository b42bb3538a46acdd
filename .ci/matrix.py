"""Try the wheel with every minor version of our dependencies, each time in a fresh environment.

In each the installed command must print on sample_votes what the README says it does, and the golden cases must give
what they should. A line for each environment; fails if one of them does. Needs `packaging`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import versions
from distributions import build_distributions

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TESTS = ["tests/strategies/test_plantnet_golden.py", "tests/assessment/conformal/test_golden.py", "tests/test_arrow.py"]
"""What is run besides the sample: results, and what crosses from one library to another."""
TEST_TOOLS = ["pytest", "pytest-xdist", "pytest-timeout", "hypothesis"]
AT_A_TIME = 2
VOLATILE = re.compile(r"\b\d+\.\d+ s\b|\b\d{8}T\d{6}Z(?:-\d+)?\b")
HAS = "from importlib.metadata import version as v; print(*(f'{n} {v(n)}' for n in '%s'.split()), sep=', ')"


def main() -> None:
    """Try all environments, two at a time."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _, wheel = build_distributions(work / "dist")
        jobs = [(sys.executable, [f"{package}=={one}.*" for package, one in env.items()]) for env in versions.matrix()]
        for minor in other_pythons():
            if interpreter := find_python(minor):
                jobs += [(interpreter, oldest_on(interpreter, work)), (interpreter, [])]
            else:
                print(f"Python {minor}: not tested here, there is no python{minor}", flush=True)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            tried = list(pool.map(lambda job: tell(*job, wheel, work), jobs))
    print(f"{sum(tried)} of {len(tried)} environments ok")
    raise SystemExit(not all(tried))


def tell(interpreter: str, pins: list[str], wheel: Path, work: Path) -> bool:
    """Try one environment and say how it went."""
    with tempfile.TemporaryDirectory(dir=work) as name:
        try:
            print(f"ok      {attempt(interpreter, pins, wheel, Path(name))}", flush=True)
        except (subprocess.CalledProcessError, AssertionError) as error:
            said = f"{error.output}{error.stderr}" if isinstance(error, subprocess.CalledProcessError) else ""
            print(f"FAILED  {interpreter} {' '.join(pins)}: {error}\n{said}", flush=True)
            return False
    return True


def attempt(interpreter: str, pins: list[str], wheel: Path, folder: Path) -> str:
    """Install the wheel beside what is pinned and use it; returns which versions it was."""
    python, program = make_environment(interpreter, folder / "env")
    output_of(python, "-m", "pip", "install", "-q", *versions.WHEELS, *pins, wheel, *TEST_TOOLS)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "COLUMNS": "100"}
    votes = ROOT / "sample_votes" / "votes.parquet"
    done = subprocess.run(
        [program, "run", votes], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    expected = re.search(r"begin run on sample_votes -->\n```console\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert expected is not None, "the README does not show a run on sample_votes"
    assert VOLATILE.sub("", done.stdout) == VOLATILE.sub("", expected[1]), f"on the sample: {done.stdout}"
    assert "warning" not in done.stderr, f"on the sample: {done.stderr}"
    # Threads of pytest-xdist are of no use here: two environments are tried side by side.
    output_of(python, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *TESTS, cwd=ROOT, env=environment)
    names = " ".join([*versions.VARIED, "scipy"])
    return f"{output_of(python, '--version').strip()}, {output_of(python, '-c', HAS % names).strip()}"


def make_environment(interpreter: str, folder: Path) -> tuple[Path, Path]:
    """A fresh environment: its Python, and where the command will be."""
    output_of(interpreter, "-m", "venv", folder)
    return folder / "bin" / "python", folder / "bin" / "plant-aggregate"


def other_pythons() -> list[str]:
    """The minor versions that pyproject.toml claims, without that of the matrix."""
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    claimed = [line.removeprefix("Programming Language :: Python :: ") for line in versions.PROJECT["classifiers"]]
    return [minor for minor in claimed if re.fullmatch(r"3\.\d+", minor) and minor != mine]


def find_python(minor: str) -> str | None:
    """An interpreter that starts, on the path or among those of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = [path] if (path := shutil.which(f"python{minor}")) else []
    for candidate in [*on_path, *map(str, sorted(root.glob(f"versions/{minor}.*/bin/python{minor}")))]:
        starts = subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False)
        if starts.returncode == 0:
            return candidate
    return None


def oldest_on(interpreter: str, work: Path) -> list[str]:
    """The requirements of the oldest environment that there is for another Python."""
    python, _ = make_environment(interpreter, work / f"planning-{Path(interpreter).name}")
    output_of(python, "-m", "pip", "install", "-q", "packaging")
    return output_of(python, Path(__file__).with_name("versions.py"), "oldest").split()


def output_of(*command: str | Path, **options: Any) -> str:
    """What a command prints; it must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


if __name__ == "__main__":
    main()
