"""The exports by name: a line each."""

from ..registry import Registry
from .base import Export, fault_of

EXPORTS: Registry[type[Export]] = Registry(
    "export",
    group="plant_aggregate.exports",
    package=__package__,
    built_in={
        "crowd-kit": ".crowd_kit:CrowdKit",
        "croissant": ".croissant:Croissant",
        "csv": ".csv:Csv",
        "darwin-core": ".darwin_core:DarwinCore",
        "huggingface": ".huggingface:HuggingFace",
        "imagefolder": ".imagefolder:ImageFolder",
        "label-studio": ".label_studio:LabelStudio",
        "peerannot": ".peerannot:Peerannot",
        "training": ".training:Training",
        "webdataset": ".webdataset:WebDataset",
    },
    fault_of=fault_of,
)
"""Name -> class; other packages may add theirs."""

SUMMARIES: dict[str, str] = {
    "crowd-kit": "the votes as crowd-kit reads them: task, worker, label; consensus and truth",
    "croissant": "Croissant metadata beside the Parquet files that it describes",
    "csv": "the consensus as CSV, plain or gzip",
    "darwin-core": "a Darwin Core archive: an occurrence an observation, an identification a vote, and the consensus",
    "huggingface": "a folder that datasets.load_dataset reads: Parquet files with class names, and a dataset card",
    "imagefolder": "pictures in folders by split and class: links, copies, or their list",
    "label-studio": "tasks with pictures for review in Label Studio, with the consensus as prediction",
    "peerannot": "the votes as a dataset of peerannot: answers.json and metadata.json",
    "training": "tables for a training script: classes, training, validation and test sets, weights, soft labels",
    "webdataset": "tar shards of pictures with their classes, or their list",
}
"""Name -> what it writes, in a line: help lists exports without loading them."""
