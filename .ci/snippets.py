"""Copy the Python in the README, the docs and the notebooks to a folder, a file a page, for type checkers.

``snippets.py FOLDER`` adds to what is in the folder.
A line of code has the number there that it has in its page; what is no code is left blank.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def code_of_page(text: str) -> str:
    """The blocks that are marked as Python, in their places."""
    lines, inside = [], False
    for line in text.splitlines():
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "")
        if fence:
            inside = line == "```python"
    return "\n".join(lines) + "\n"


def code_of_notebook(text: str) -> str:
    """The cells with code, without what only IPython reads."""
    cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    lines = [line for source in cells for line in "".join(source).splitlines()]
    return "".join(f"{'' if line.startswith(('%', '!')) else line}\n" for line in lines)


def main(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.ipynb")):
        text = page.read_text(encoding="utf-8")
        code = code_of_notebook(text) if page.suffix == ".ipynb" else code_of_page(text)
        if code.strip():
            (folder / f"{page.stem}.py").write_text(code, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
