"""Copy the Python in the README, the docs and the notebooks to build/snippets, a file a page, for the type checker.

A line of code has the number there that it has in its page; what is no code is left blank.
"""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNIPPETS = ROOT / "build" / "snippets"


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


def main() -> None:
    """Write them all anew."""
    shutil.rmtree(SNIPPETS, ignore_errors=True)
    SNIPPETS.mkdir(parents=True)
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.ipynb")):
        text = page.read_text(encoding="utf-8")
        code = code_of_notebook(text) if page.suffix == ".ipynb" else code_of_page(text)
        if code.strip():
            (SNIPPETS / f"{page.stem}.py").write_text(code, encoding="utf-8")


if __name__ == "__main__":
    main()
