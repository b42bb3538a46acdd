"""What the tests of the command line have, too: votes on disk, a published run, a small disk."""

from tests.cli.conftest import disk, open_folder, published, work, write

__all__ = ["disk", "open_folder", "published", "work", "write"]
