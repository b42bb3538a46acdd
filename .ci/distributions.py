"""Build the source distribution and, from nothing but that, the wheel.

distributions.py FOLDER [OPTION of build]...
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info", "__pycache__", "consensus", "logs"
)
"""What is in a checkout and is no source: it must not reach what is built."""


def build_distributions(folder: Path, *options: str) -> tuple[Path, Path]:
    """The source distribution and the wheel, made in a folder."""
    with tempfile.TemporaryDirectory() as name:
        source = shutil.copytree(ROOT, Path(name, "source"), ignore=MADE)
        command = [sys.executable, "-m", "build", "--outdir", str(folder), *options, str(source)]
        subprocess.run(command, capture_output=True, text=True, check=True)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


if __name__ == "__main__":
    try:
        print(*build_distributions(Path(sys.argv[1]), *sys.argv[2:]), sep="\n")
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error}\n{error.stdout}{error.stderr}") from None
