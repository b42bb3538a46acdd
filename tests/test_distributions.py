"""What is built and handed on: complete, truthful about itself, and of use without a clone.

CI runs all tests in the unpacked source distribution (``.ci/lowest``), and the wheel beside many versions of others
(``.ci/matrix.py``); here are the parts that can be looked at without the network.
"""

import email.message
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.version import Version

import plant_aggregate
from tests.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.extras]

ONLY_IN_A_CLONE = {".gitignore"}
MADE_BY_SETUPTOOLS = re.compile(r"PKG-INFO|setup\.cfg|plant_aggregate\.egg-info/.*")


class Built(NamedTuple):
    sdist: Path
    wheel: Path
    source: Path  # the source distribution, unpacked


def output_of(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both distributions, built without the network."""
    for name, lowest in (("build", "1.2.1"), ("setuptools", "77.0.3"), ("twine", "6.1")):
        pytest.importorskip(name)
        if Version(version(name)) < Version(lowest):
            pytest.skip(f"{name} {lowest} or later is not installed")
    folder = tmp_path_factory.mktemp("distributions")
    made = output_of(sys.executable, ROOT / ".ci" / "distributions.py", folder / "dist", "--no-isolation")
    sdist, wheel = map(Path, made.splitlines())
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return Built(sdist, wheel, folder / sdist.name.removesuffix(".tar.gz"))


@pytest.fixture(scope="module")
def metadata(built: Built) -> email.message.Message:
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_the_source_distribution_has_what_a_clone_has(built: Built) -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no clone, or git is not installed")
    tracked = {name for name in output_of("git", "ls-files", cwd=ROOT).splitlines() if (ROOT / name).exists()}
    held = {str(path.relative_to(built.source)) for path in built.source.rglob("*") if path.is_file()}
    missing = tracked - held - ONLY_IN_A_CLONE
    assert missing == set()
    untracked = set(output_of("git", "ls-files", "--others", "--exclude-standard", cwd=ROOT).splitlines())
    assert {name for name in held - tracked - untracked if not MADE_BY_SETUPTOOLS.fullmatch(name)} == set()


def test_twine_has_nothing_to_say_against_them(built: Built) -> None:
    output_of(sys.executable, "-m", "twine", "check", "--strict", built.sdist, built.wheel)


def test_the_metadata_is_in_its_current_form(built: Built, metadata: email.message.Message) -> None:
    assert metadata["Metadata-Version"] >= "2.4"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Version"] == plant_aggregate.__version__
    classifiers = metadata.get_all("Classifier", [])
    assert not [one for one in classifiers if one.startswith("License ::")]  # refused beside an expression
    assert metadata.get_all("Project-URL")
    assert "Keywords" in metadata
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert {name.split("/")[0] for name in names} == {"plant_aggregate", names[-1].split("/")[0]}


def test_the_description_leads_nowhere_that_an_index_lacks(metadata: email.message.Message) -> None:
    text = str(metadata.get_payload())
    assert text.startswith("# plant-aggregate")
    links = re.findall(r"\]\(([^)]*)\)|(?:src|srcset|href)=\"([^\"]*)\"", text)
    assert links
    assert [link for pair in links if (link := "".join(pair)) and not link.startswith("https://")] == []


def test_the_wheel_works_and_the_tests_that_ship_find_what_they_need(built: Built, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    output_of(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", installed, built.wheel)
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path)}
    votes = built.source / "sample_votes" / "votes.parquet"
    where = output_of(sys.executable, "-c", "import plant_aggregate as p; print(p.__file__)", cwd="/", env=environment)
    assert Path(where.strip()).is_relative_to(installed)
    said = output_of(sys.executable, "-m", "plant_aggregate", "run", votes, "-q", cwd=tmp_path, env=environment)
    assert "published as consensus/latest" in said
    names = ("docs", "library", "own_ground", "versions", "extension_points")
    about_files = [f"tests/test_{name}.py" for name in names]
    tests = ["-n", "0", "-p", "no:cacheprovider", "-m", "not slow and not extras", *about_files]
    output_of(sys.executable, "-m", "pytest", *tests, cwd=built.source, env=environment)
