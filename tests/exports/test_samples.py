"""Exports for training: the files themselves, with nothing but what reads Parquet, JSON and tar."""

import hashlib
import json
import os
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plant_aggregate
from plant_aggregate.exports.file_names import class_folders, safe_name, unique_name
from plant_aggregate.exports.huggingface import HuggingFace
from plant_aggregate.exports.training import training_table

from .made_flora import LABELS, made_run, png, write_images

SPLITS = ("train", "validation", "test")
OPTIONS: dict[str, Any] = {"test": 0.2, "val": 0.2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flora")


@pytest.fixture(scope="module")
def run(folder: Path) -> plant_aggregate.Run:
    return made_run(folder)


@pytest.fixture(scope="module")
def images(run: plant_aggregate.Run, folder: Path) -> Path:
    return write_images(run, folder)


def expected(run: plant_aggregate.Run) -> dict[str, list[tuple[int, str]]]:
    """The observations of each split, with their labels."""
    data = training_table(run, HuggingFace(**OPTIONS))
    columns = ("observation_id", "label")
    return {
        name: list(zip(*(table[column].to_pylist() for column in columns), strict=True))
        for name, table in data.splits.items()
    }


def features_of(path: Path) -> dict[str, Any]:
    metadata = pq.read_schema(path).metadata
    found: dict[str, Any] = json.loads(metadata[b"huggingface"])["info"]["features"]
    return found


def test_huggingface_has_one_sorted_class_list_in_every_file(run: plant_aggregate.Run, work: Path) -> None:
    plant_aggregate.export(run, "huggingface", "out", **OPTIONS)
    files = sorted(path.name for path in (work / "out" / "data").iterdir())
    assert files == ["test.parquet", "train.parquet", "validation.parquet"]
    wanted = expected(run)
    for name in SPLITS:
        path = work / "out" / "data" / f"{name}.parquet"
        table = pq.read_table(path)
        assert features_of(path)["label"] == {"names": sorted(LABELS), "_type": "ClassLabel"}
        assert table.schema.field("label").type == pa.int64()
        assert list(features_of(path)) == table.column_names
        labels = [sorted(LABELS)[index] for index in table["label"].to_pylist()]
        assert list(zip(table["observation_id"].to_pylist(), labels, strict=True)) == wanted[name]
    assert not any(pa.types.is_null(field.type) for field in table.schema)


def test_a_split_that_nothing_falls_into_is_no_file(run: plant_aggregate.Run, work: Path) -> None:
    done = plant_aggregate.export(run, "huggingface", "out", test=0, val=0.3)
    assert sorted(path.name for path in (work / "out" / "data").iterdir()) == ["train.parquet", "validation.parquet"]
    assert "split: test" not in (work / "out" / "README.md").read_text()
    assert done.record["options"]["test"] == 0


def test_an_all_null_column_has_its_type(tmp_path: Path) -> None:
    integers = made_run(tmp_path, labels=[12, 3, 100, 7])
    plant_aggregate.export(integers, "huggingface", tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "data" / "train.parquet")
    assert table["genus"].null_count == table.num_rows
    assert table.schema.field("genus").type == pa.string()
    features = features_of(tmp_path / "out" / "data" / "train.parquet")
    assert features["genus"] == {"dtype": "string", "_type": "Value"}
    assert features["label"]["names"] == ["3", "7", "12", "100"]
    plant_aggregate.export(integers, "imagefolder", tmp_path / "ifo", images=write_images(integers, tmp_path / "i"))
    folders = sorted(path.name for path in (tmp_path / "ifo" / "train").iterdir() if path.is_dir())
    assert folders == ["0000_3", "0001_7", "0002_12", "0003_100"]


def test_classes_of_one_name_are_told_apart(tmp_path: Path) -> None:
    run = made_run(tmp_path, labels=["T1", "T2", "T3"])
    names = {"label": ["T1", "T2", "T3"], "name": ["Acer", "Acer", "Vicia"], "genus": ["Acer", "Acer", "Vicia"]}
    pq.write_table(pa.table(names), tmp_path / "taxa.parquet")
    plant_aggregate.export(run, "huggingface", tmp_path / "out", taxonomy=tmp_path / "taxa.parquet")
    features = features_of(tmp_path / "out" / "data" / "train.parquet")
    assert features["label"]["names"] == ["Acer (T1)", "Acer (T2)", "Vicia"]


def test_the_card_says_which_file_is_which_split(run: plant_aggregate.Run, work: Path) -> None:
    plant_aggregate.export(run, "huggingface", "out", title='Trees: "of" €', license="cc-by-4.0")
    head, body = (work / "out" / "README.md").read_text().split("---\n")[1:]
    lines = head.splitlines()
    assert lines[:2] == ['pretty_name: "Trees: \\"of\\" €"', 'license: "cc-by-4.0"']
    assert lines[lines.index("  data_files:") + 1 : -1] == [
        line for name in SPLITS for line in (f"  - split: {name}", f"    path: data/{name}.parquet")
    ]
    assert lines[-1].startswith('  description: "SHA-256 of the files: ')
    assert body.startswith('\n# Trees: "of" €\n')
    assert f"run {run.run_id} of plant-aggregate" in body


@pytest.mark.parametrize("embed", [True, False])
def test_with_images_a_row_is_a_picture(
    run: plant_aggregate.Run, folder: Path, images: Path, work: Path, embed: bool
) -> None:
    done = plant_aggregate.export(run, "huggingface", "out", images=images, embed=embed, **OPTIONS)
    ids = run.read_table(columns=["observation_id"])["observation_id"].to_pylist()
    n = 0
    for name, rows in expected(run).items():
        table = pq.read_table(work / "out" / "data" / f"{name}.parquet")
        assert features_of(work / "out" / "data" / f"{name}.parquet")["image"] == {"_type": "Image"}
        got = Counter(table["observation_id"].to_pylist())
        places = {observation: ids.index(observation) for observation, _ in rows}
        wanted = {of: 2 if place % 3 == 0 else 1 for of, place in places.items() if place % 11 != 9}
        assert got == wanted
        n += table.num_rows
        for of, number, image in zip(
            *(table[c].to_pylist() for c in ("observation_id", "image_number", "image")), strict=True
        ):
            file = f"{places[of]} {number}.PNG"
            if embed:
                assert image == {"bytes": png(2 * places[of] + number), "path": file}
            else:
                assert image == {"bytes": None, "path": str(folder / "pictures" / file)}
    (block,) = (block for block in done.blocks if block.title.endswith(" images"))
    assert block.title == f"{n} images"
    assert "exported observations without an image" in block.content[1]


def test_pictures_that_cannot_be_embedded_are_counted_and_the_card_has_the_classes_with_pictures(
    run: plant_aggregate.Run, work: Path
) -> None:
    plant_aggregate.export(run, "training", "training", **OPTIONS)
    train = pq.read_table(work / "training" / "data" / "train.parquet")
    of = dict(zip(train["label"].to_pylist(), train["observation_id"].to_pylist(), strict=True))
    ids = [of[LABELS[0]], of[LABELS[1]]]
    urls = [f"https://example.org/{id}.jpg" for id in ids]
    pq.write_table(pa.table({"observation_id": ids, "image": urls}), work / "urls.parquet")
    done = plant_aggregate.export(run, "huggingface", "out", images=work / "urls.parquet", embed=True, **OPTIONS)
    (block,) = (block for block in done.blocks if block.title == "2 images")
    assert "2 URLs kept as such: only files are embedded" in block.content
    assert "2 pictures of 2 species" in (work / "out" / "README.md").read_text()


def test_image_folders_sort_by_class_index_in_every_split(run: plant_aggregate.Run, images: Path, work: Path) -> None:
    plant_aggregate.export(run, "imagefolder", "out", images=images, **OPTIONS)
    names = sorted(LABELS)
    for split in SPLITS:
        metadata = pq.read_table(work / "out" / split / "metadata.parquet")
        classes = sorted(entry.name for entry in os.scandir(work / "out" / split) if entry.is_dir())
        samples = {}
        for folder in classes:  # as torchvision.datasets.folder.make_dataset
            for root, _, files in sorted(os.walk(work / "out" / split / folder)):
                samples |= {f"{folder}/{name}": Path(root, name) for name in sorted(files)}
        assert sorted(samples) == sorted(metadata["file_name"].to_pylist())
        if split == "train":
            assert len(classes) == len(names)
        for row in metadata.to_pylist():
            folder, _, _ = row["file_name"].partition("/")
            assert int(folder.split("_")[0]) == row["class_index"]
            assert names[row["class_index"]] == row["label"]
            if split == "train":
                assert classes.index(folder) == row["class_index"]
            assert samples[row["file_name"]].is_symlink()
            assert samples[row["file_name"]].read_bytes().startswith(b"\x89PNG")
    rows = (work / "out" / "classes.csv").read_text().splitlines()
    assert rows[0] == '"class_index","label","genus","name","folder"'
    assert len(rows) == len(names) + 1


@pytest.mark.parametrize("how", ["hardlink", "copy", "index"])
def test_pictures_are_linked_copied_or_listed(run: plant_aggregate.Run, images: Path, work: Path, how: str) -> None:
    done = plant_aggregate.export(run, "imagefolder", "out", images=images, how=how, **OPTIONS)
    metadata = pq.read_table(work / "out" / "train" / "metadata.parquet")["file_name"].to_pylist()
    assert done.record["options"]["how"] == how
    if how == "index":
        assert all(os.path.isabs(name) and os.path.isfile(name) for name in metadata)
        assert [path for path in (work / "out" / "train").iterdir() if path.is_dir()] == []
        return
    for name in metadata:
        file = work / "out" / "train" / name
        assert not file.is_symlink()
        assert file.stat().st_nlink == (2 if how == "hardlink" else 1)
    assert f"train/{metadata[0]}" in done.record["files"]
    plant_aggregate.export(run, "imagefolder", "out", images=images, overwrite=True, **OPTIONS)
    plant_aggregate.export(run, "imagefolder", "out", images=images, overwrite=True, **OPTIONS)  # links are no files


def test_shards_hold_every_sample_once_under_keys_without_dots(tmp_path: Path, work: Path) -> None:
    run = made_run(tmp_path, ids="text")
    images = write_images(run, tmp_path / "images")
    for folder in ("out", "again"):
        plant_aggregate.export(run, "webdataset", folder, images=images, shard_size=50, **OPTIONS)
    plant_aggregate.export(run, "webdataset", "index", images=images, shard_size=50, how="index", **OPTIONS)
    keys = set()
    for split, rows in expected(run).items():
        listed = json.loads((work / "out" / f"{split}.json").read_text())
        index = [json.loads(line) for line in (work / "index" / f"{split}.jsonl").read_text().splitlines()]
        found, by_key = Counter[str](), {line["__key__"]: line for line in index}
        for shard in listed["shardlist"]:
            content = (work / "out" / shard["url"]).read_bytes()
            assert content == (work / "again" / shard["url"]).read_bytes()
            assert shard["filesize"] == len(content)
            with tarfile.open(work / "out" / shard["url"]) as tar:
                files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
                assert [member.name.partition(".")[2] for member in tar][:3] == ["png", "cls", "json"]
            assert len(files) == 3 * shard["nsamples"] <= 150
            for name in files:
                key, _, kind = name.partition(".")
                if kind == "json":
                    facts = json.loads(files[name])
                    found[facts["observation_id"]] += 1
                    assert int(files[f"{key}.cls"]) == facts["class_index"] == by_key[key]["cls"]
                    assert sorted(LABELS)[facts["class_index"]] == facts["label"]
                    assert by_key[key]["json"] == facts
                    assert by_key[key]["shard"] == shard["url"]
                    assert Path(by_key[key]["image"]).read_bytes() == files[f"{key}.png"]
                    keys.add(key)
        assert len(index) == sum(found.values()) == sum(shard["nsamples"] for shard in listed["shardlist"])
        assert set(found) <= {observation for observation, _ in rows}
    assert not any("." in key or "/" in key for key in keys)


def test_croissant_names_each_file_with_its_digest_and_ids_as_text(run: plant_aggregate.Run, work: Path) -> None:
    plant_aggregate.export(run, "croissant", "out", license="CC-BY-4.0", url="https://example.org", **OPTIONS)
    content = json.loads((work / "out" / "croissant.json").read_text())
    assert content["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert content["license"] == "CC-BY-4.0"
    for file in content["distribution"]:
        assert hashlib.sha256((work / "out" / file["contentUrl"]).read_bytes()).hexdigest() == file["sha256"]
    assert [each["name"] for each in content["recordSet"]] == [*SPLITS, "classes"]
    for each in content["recordSet"][:3]:
        table = pq.read_table(work / "out" / "data" / f"{each['name']}.parquet")
        assert [field["name"] for field in each["field"]] == table.column_names
        assert each["field"][0]["dataType"] == "sc:Text"
        assert table.schema.field("observation_id").type == pa.string()
    assert table["observation_id"].to_pylist() == [str(of) for of, _ in expected(run)["test"]]


@pytest.mark.parametrize("name", ["imagefolder", "webdataset"])
def test_pictures_that_cannot_be_placed(run: plant_aggregate.Run, images: Path, work: Path, name: str) -> None:
    table = pq.read_table(images)
    ids, names = table["observation_id"].to_pylist(), table["image"].to_pylist()

    def replaced(changed: dict[int, str]) -> str:
        paths = [changed.get(row, str(images.parent / old)) for row, old in enumerate(names)]
        pq.write_table(pa.table({"observation_id": ids, "image": paths}), "i.parquet")
        return "i.parquet"

    with pytest.raises(plant_aggregate.ParameterError, match=f"export {name} needs images; .* --images"):
        plant_aggregate.export(run, name, "out")
    with pytest.raises(plant_aggregate.VotesError, match=r"1 images? (is|are) (a URL|URLs).*--how index"):
        plant_aggregate.export(run, name, "out", images=replaced({0: "https://example.org/a.jpg"}), **OPTIONS)
    plant_aggregate.export(run, name, "urls", how="index", images="i.parquet", **OPTIONS)
    gone = {row: f"gone/{row}.jpg" for row in range(20)}
    with pytest.raises(plant_aggregate.VotesError, match=r"\d+ of \d+ image files are not there.*--max-missing"):
        plant_aggregate.export(run, name, "out", images=replaced(gone), **OPTIONS)
    done = plant_aggregate.export(run, name, "out", images="i.parquet", max_missing=0.5, **OPTIONS)
    notes = [note for block in done.blocks for note in block.content if isinstance(note, str)]
    assert any("left out, as their files are not there" in note for note in notes)


@pytest.mark.parametrize("name", ["huggingface", "imagefolder", "webdataset", "croissant"])
def test_a_wrong_table_of_pictures_is_found_before_the_votes_are_read(
    run: plant_aggregate.Run, work: Path, name: str
) -> None:
    (work / "i.csv").write_text("observation,image\n1,a.jpg\n")
    pq.write_table(pa.table({"observation_id": [1], "picture": ["a.jpg"]}), "i.parquet")
    for table, fault in (("i.csv", "'observation_id' is missing"), ("i.parquet", "'image' is missing"), ("no.csv", "")):
        with pytest.raises(plant_aggregate.VotesError, match=f"{table}.*{fault}"):
            plant_aggregate.export(run, name, "out", images=table, votes="not there.parquet")


def test_file_names_are_safe_and_of_one_observation_each() -> None:
    assert [safe_name(label) for label in LABELS[:5]] == [
        *("Zea_mays", "Acer_x_freemanii", "Acer_campestre", "acer_campestre", "Spiraea_salicifolia")
    ]
    assert safe_name("../Vicia cracca") == "Vicia_cracca"
    folders = class_folders(sorted(LABELS))
    assert folders == sorted(folders)
    assert len({name.lower() for name in folders}) == len(LABELS)
    ids = ["a/b", "a_b", "a.b", "A/B", "ä_b", "漢字", "字漢", "", "x" * 300, "x" * 301, 7, "7_0"]
    names = [unique_name(each, number) for each in ids for number in (0, 1)]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 120
