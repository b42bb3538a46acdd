"""The description for package indexes: the README, where links to files of the repository would lead nowhere."""

import re
from pathlib import Path

from setuptools import setup

README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
PICTURE = re.compile(r"^!\[[^]]*\]\((?!https:)[^)]*\)\n+", re.MULTILINE)
LINK = re.compile(r"\[([^]]*)\]\((?!https:)([^)]*)\)")

named = LINK.sub(r"\1 (`\2`)", PICTURE.sub("", README))
description = f"{named}\nThe files that are named here are in the source distribution.\n"
setup(long_description=description, long_description_content_type="text/markdown")
