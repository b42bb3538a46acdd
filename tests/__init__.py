"""The tests; asserts in what they share say what was found, too."""

import pytest

pytest.register_assert_rewrite("tests.command_line", "tests.rows")
