"""What the tools read of the exports that are for them: offline, with caches in a temporary folder."""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.exports.huggingface import HuggingFace
from plant_aggregate.exports.training import TrainingData, training_table
from tests.pages import run_blocks, work_on_sample

from .made_flora import LABELS, made_run, png, write_images

pytestmark = [pytest.mark.extras, pytest.mark.filterwarnings("ignore")]  # of the tools

SPLITS = ("train", "validation", "test")
OPTIONS: dict[str, Any] = {"test": 0.2, "val": 0.2}


@pytest.fixture(autouse=True, scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of their own for datasets and mlcroissant, and no connection to anywhere."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection is opened")

    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(cache))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("CROISSANT_CACHE", str(cache))
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(logging.root, "handlers", [])  # those of absl write to stderr
        yield cache


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flora")


@pytest.fixture(scope="module")
def run(folder: Path) -> plant_aggregate.Run:
    return made_run(folder)


@pytest.fixture(scope="module")
def images(run: plant_aggregate.Run, folder: Path) -> Path:
    return write_images(run, folder)


@pytest.fixture(scope="module")
def data(run: plant_aggregate.Run) -> TrainingData:
    return training_table(run, HuggingFace(**OPTIONS))


def load(path: str | Path, offline: Path, **options: Any) -> Any:
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset(str(path), cache_dir=str(offline), **options)


def test_datasets_has_the_labels_and_columns_of_every_split(
    run: plant_aggregate.Run, data: TrainingData, work: Path, offline: Path
) -> None:
    plant_aggregate.export(run, "huggingface", "out", **OPTIONS)
    loaded = load(work / "out", offline)
    assert list(loaded) == list(SPLITS)
    for name in SPLITS:
        wanted, label = data.splits[name], loaded[name].features["label"]
        assert label.names == sorted(LABELS)
        assert label.dtype == "int64"
        assert [label.int2str(index) for index in loaded[name]["label"]] == wanted["label"].to_pylist()
        assert list(loaded[name]["label"]) == wanted["class_index"].to_pylist()
        for column in (
            "observation_id",
            "genus",
            "sample_weight",
            "ambiguous",
            "n_votes",
            "soft_labels",
            "soft_shares",
        ):
            assert list(loaded[name][column]) == wanted[column].to_pylist()


@pytest.mark.parametrize(("test", "val", "splits"), [(0, 0.3, ["train", "validation"]), (0, 0, ["train"])])
def test_datasets_reads_the_splits_that_there_are(
    run: plant_aggregate.Run, work: Path, offline: Path, test: float, val: float, splits: list[str]
) -> None:
    plant_aggregate.export(run, "huggingface", "out", test=test, val=val)
    loaded = load(work / "out", offline)
    assert list(loaded) == splits
    assert sum(loaded.num_rows.values()) == 400


def test_datasets_does_not_take_the_export_of_the_night_before_from_its_cache(
    run: plant_aggregate.Run, work: Path, offline: Path
) -> None:
    sizes = []
    for seed in (0, 1):
        plant_aggregate.export(run, "huggingface", "nightly", seed=seed, overwrite=True, **OPTIONS)
        loaded = load(work / "nightly", offline)
        files = {name: pq.read_table(work / "nightly" / "data" / f"{name}.parquet") for name in SPLITS}
        for name in SPLITS:
            assert list(loaded[name]["observation_id"]) == files[name]["observation_id"].to_pylist()
        sizes.append(loaded.num_rows)
    assert sizes[0] != sizes[1]


def test_datasets_reads_integer_labels_and_columns_without_a_value(tmp_path: Path, offline: Path) -> None:
    run = made_run(tmp_path, labels=[100, 3, 12])
    plant_aggregate.export(run, "huggingface", tmp_path / "out", **OPTIONS)
    loaded = load(tmp_path / "out", offline)
    assert [split.features["label"].names for split in loaded.values()] == [["3", "12", "100"]] * 3
    assert set(loaded["test"]["genus"]) == {None}
    assert loaded["test"].features["genus"].dtype == "string"


@pytest.mark.parametrize("embed", [True, False])
def test_datasets_decodes_the_pictures(
    run: plant_aggregate.Run, images: Path, work: Path, offline: Path, embed: bool
) -> None:
    pytest.importorskip("PIL")
    plant_aggregate.export(run, "huggingface", "out", images=images, embed=embed, **OPTIONS)
    ids = run.read_table(columns=["observation_id"])["observation_id"].to_pylist()
    for split in load(work / "out", offline).values():
        for row in split.select(range(10)):
            number = 2 * ids.index(row["observation_id"]) + row["image_number"]
            assert row["image"].getpixel((0, 0)) == tuple(number.to_bytes(3, "big"))


def test_datasets_reads_the_image_folders_with_their_metadata(
    run: plant_aggregate.Run, images: Path, work: Path, offline: Path
) -> None:
    pytest.importorskip("PIL")
    plant_aggregate.export(run, "imagefolder", "out", images=images, how="copy", **OPTIONS)
    loaded = load("imagefolder", offline, data_dir=str(work / "out"))
    assert list(loaded) == list(SPLITS)
    ids = run.read_table(columns=["observation_id"])["observation_id"].to_pylist()
    labels = run.read_table(columns=["label"])["label"].to_pylist()
    for name, split in loaded.items():
        metadata = pq.read_table(work / "out" / name / "metadata.parquet")
        assert split.num_rows == metadata.num_rows
        for row in split:
            place = ids.index(row["observation_id"])
            assert row["label"] == labels[place] == sorted(LABELS)[row["class_index"]]
            assert row["image"].getpixel((0, 0))[:2] == tuple((2 * place).to_bytes(3, "big"))[:2]


def test_webdataset_reads_every_sample_of_all_shards(run: plant_aggregate.Run, images: Path, work: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    plant_aggregate.export(run, "webdataset", "out", images=images, shard_size=100, **OPTIONS)
    ids = run.read_table(columns=["observation_id"])["observation_id"].to_pylist()
    n = 0
    for name in SPLITS:
        shards = json.loads((work / "out" / f"{name}.json").read_text())["shardlist"]
        paths = [str(work / "out" / shard["url"]) for shard in shards]
        samples = list(webdataset.WebDataset(paths, shardshuffle=False).decode())
        assert len(samples) == sum(shard["nsamples"] for shard in shards)
        for sample in samples:
            place = ids.index(sample["json"]["observation_id"])
            number = int(sample["__key__"].rpartition("_")[2])
            assert sample["png"] == png(2 * place + number)
            assert sorted(LABELS)[sample["cls"]] == sample["json"]["label"]
        n += len(samples)
    assert n == len(pq.read_table(images))


def test_mlcroissant_finds_nothing_wrong_and_reads_all_records(
    run: plant_aggregate.Run, data: TrainingData, work: Path
) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    plant_aggregate.export(run, "croissant", "out", license="CC-BY-4.0", url="https://example.org", **OPTIONS)
    dataset = mlcroissant.Dataset(str(work / "out" / "croissant.json"))
    assert (list(dataset.metadata.issues.errors), list(dataset.metadata.issues.warnings)) == ([], [])
    for name in SPLITS:
        wanted = data.splits[name].to_pylist()
        records = list(dataset.records(name))
        assert len(records) == len(wanted)
        for record, row in zip(records, wanted, strict=True):
            plain = {key.removeprefix(f"{name}/"): value for key, value in record.items()}
            assert plain["observation_id"] == str(row["observation_id"]).encode()
            assert plain["label"] == row["label"].encode()
            assert plain["class_index"] == row["class_index"]
            assert plain["sample_weight"] == row["sample_weight"]
            assert plain["soft_labels"] == [label.encode() for label in row["soft_labels"]]
    classes = list(dataset.records("classes"))
    assert [record["classes/name"].decode() for record in classes] == sorted(LABELS)


def test_the_code_on_the_page_of_exports_runs(work: Path, offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("datasets", "mlcroissant", "webdataset"):
        pytest.importorskip(package)
    work_on_sample(work)
    run = plant_aggregate.run("sample_votes/votes.parquet", "consensus")
    table = run.read_table(columns=["observation_id"]).slice(0, 6000).append_column("image", pa.array(["p.png"] * 6000))
    pq.write_table(table, "images.parquet")
    Path("p.png").write_bytes(png(1))
    for name in ("huggingface", "croissant"):
        plant_aggregate.export(run, name, name)
    for name in ("imagefolder", "webdataset"):
        plant_aggregate.export(run, name, name, images="images.parquet")
    made = run_blocks("exports.md")
    assert all(name in made["label"].names for name in made["names"])
    assert len(made["samples"]) == sum(shard["nsamples"] for shard in made["listed"])
    assert made["samples"][0]["png"] == png(1)
    assert made["first"]["train/observation_id"].isdigit()
