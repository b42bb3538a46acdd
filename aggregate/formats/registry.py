"""The formats by name: a line each."""

from ..registry import Registry
from .base import Format, fault_of

FORMATS: Registry[type[Format]] = Registry(
    "format",
    group="plant_aggregate.formats",
    package=__package__,
    built_in={
        "argilla": ".argilla:Argilla",
        "birdnet": ".birdnet:BirdNet",
        "camtrap-dp": ".camtrap_dp:CamtrapDp",
        "coldp": ".coldp:ColDp",
        "crowd-kit": ".crowd_kit:CrowdKit",
        "crowdswe": ".crowdswe:CrowdSwe",
        "csv": ".csv:Csv",
        "darwin-core": ".darwin_core:DarwinCore",
        "delta": ".delta:Delta",
        "iceberg": ".iceberg:Iceberg",
        "inaturalist": ".inaturalist:INaturalist",
        "jsonl": ".jsonl:JsonLines",
        "label-studio": ".label_studio:LabelStudio",
        "megadetector": ".megadetector:MegaDetector",
        "mturk": ".mturk:Mturk",
        "peerannot": ".peerannot:Peerannot",
        "plantnet-api": ".plantnet_api:PlantNetApi",
        "speciesnet": ".speciesnet:SpeciesNet",
        "toloka": ".toloka:Toloka",
        "tsv": ".csv:Tsv",
        "wide": ".wide:Wide",
        "zooniverse": ".zooniverse:Zooniverse",
    },
    fault_of=fault_of,
)
"""Name -> class; other packages may add theirs."""

SUMMARIES: dict[str, str] = {
    "argilla": "records of Argilla in the flat form (Parquet or JSON)",
    "birdnet": "detections of BirdNET in recordings (CSV), as AI votes",
    "camtrap-dp": "classifications of a camera trap data package (Camtrap DP 1.0), by people and a machine",
    "coldp": "taxa of a Catalogue of Life data package, as a taxonomy",
    "crowd-kit": "votes as crowd-kit has them: task, worker and label; and experts' labels",
    "crowdswe": "a release of Pl@ntNet-CrowdSWE: votes, experts' labels and the AI's votes",
    "csv": "comma-separated text, a row a vote",
    "darwin-core": "identifications, or taxa, of a Darwin Core archive",
    "delta": "a table of Delta Lake",
    "iceberg": "a table of Apache Iceberg",
    "inaturalist": "observations with identifications, from the API of iNaturalist (JSON)",
    "jsonl": "JSON objects, one in each line or in a list, each a vote",
    "label-studio": "annotations of choices or taxonomies, exported from Label Studio as JSON",
    "megadetector": "classes of camera trap pictures in MegaDetector's layout (JSON), as AI votes",
    "mturk": "results of a batch of Amazon Mechanical Turk (CSV)",
    "peerannot": "a dataset of peerannot: answers.json, and the names of its numbers",
    "plantnet-api": "responses of the Pl@ntNet API (JSON), as AI votes",
    "speciesnet": "predictions of SpeciesNet for camera trap pictures (JSON), as AI votes",
    "toloka": "responses of a pool of Toloka (TSV)",
    "tsv": "tab-separated text, a row a vote",
    "wide": "a matrix of labels: a row for each observation, a column for each annotator",
    "zooniverse": "classifications of a Zooniverse project, exported as CSV",
}
"""Name -> what it reads, in a line: help lists formats without loading them."""
