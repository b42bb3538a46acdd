"""Entry point of ``plant-aggregate``: signals are handled before the rest of the program is loaded."""

import sys

from . import interrupts
from .log_format import format_in, set_format


def main(program: str = "plant-aggregate") -> None:
    """Run the command line of this process, which help calls ``program``."""
    set_format(format_in(sys.argv[1:]))
    interrupts.listen(sys.argv[1:])
    from .process import run

    run(program)


if __name__ == "__main__":
    main()
