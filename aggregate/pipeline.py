"""The nightly job: read the votes, fit a strategy, write the run, publish it."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from .agreement import users_table
from .ambiguity import AmbiguitySettings, ambiguity_of
from .calibration import Calibration
from .consensus import Consensus
from .errors import AggregateWarning, HeldError, ParameterError, VotesError
from .ingest import Paths, Reading, read, read_user_weights
from .ingest.ai_votes import read_ai
from .ingest.sources import find_sources
from .kernels.compiler import when_compiling
from .kernels.threads import available_cores, set_threads, side_by_side
from .listening import PhaseClock, heard_warnings
from .progress import SILENT, Progress
from .publishing.calibrations import SIMULATED, load_ai_calibration, load_calibration
from .publishing.changes import Changes, Incomparable, find_changes, no_changes
from .publishing.history import baseline, prune
from .publishing.manifest import MANIFEST_FILE, manifest, read_manifest, with_changes, write_manifest
from .publishing.releases import Run, open_output, sole_writer
from .publishing.run_store import RunStore
from .publishing.tables import CHANGES_FILE, CONSENSUS_FILE, write_consensus, write_posteriors, write_table
from .settings import Settings
from .strategies.base import Strategy
from .strategies.plantnet import PlantNet
from .version import VERSION


def run(
    paths: Paths,
    output: str | os.PathLike[str] = "consensus",
    strategy: Strategy | None = None,
    settings: Settings | None = None,
    *,
    progress: Progress = SILENT,
) -> Run:
    """Read votes, fit ``strategy`` (default PlantNet()), and publish the result in the folder ``output``.

    Raises VotesError, ParameterError, PublishError or LockedError; then nothing is published and ``output/latest`` is
    as it was. So it is with HeldError: a guard of the settings speaks against the run, which lies in ``output/held``.
    """
    strategy = PlantNet() if strategy is None else strategy
    settings = Settings() if settings is None else settings
    for name in ("user_weights", "ai_votes"):
        if getattr(settings, name) is not None and not isinstance(strategy, PlantNet):
            raise ParameterError(f"{name} are for the strategy plantnet, not for {strategy.name}")
    folder = open_output(output)
    folder.prepare()
    set_threads(settings.threads or available_cores())
    clock = PhaseClock(progress)
    when_compiling(lambda: progress.note("compiling the kernels, once for this version and machine (some seconds)"))
    with (
        heard_warnings() as heard,
        sole_writer(folder, settings.lock, progress) as started,
        folder.new_run(started) as new,
    ):
        calibration = None if settings.calibration is None else load_calibration(settings.calibration)
        ai_calibration = None if settings.ai_calibration is None else load_ai_calibration(settings.ai_calibration)
        beside: dict[str, Any] = {}
        if settings.user_weights is not None:
            beside["user_weights"] = read_user_weights(settings.user_weights)
        files = _files_of(settings)  # at once, so that what is fingerprinted is what was read
        reading = read(
            paths,
            columns=settings.columns,
            as_of=settings.as_of,
            max_rejected=settings.max_rejected,
            progress=clock,
        )
        inputs, rejected = list(reading.inputs), reading.rejected
        if settings.ai_votes is not None:
            clock.phase("read the AI's votes")
            ai = read_ai(settings.ai_votes, max_rejected=settings.max_rejected)
            inputs.append(ai.input)
            rejected = pa.concat_tables([rejected, ai.quarantine.to_arrow(_types_of(rejected))])
            beside["ai_votes"] = ai.ai_votes if ai_calibration is None else ai_calibration.apply_to(ai.ai_votes)
        consensus = strategy.fit(reading.votes, progress=clock, **beside)
        if calibration is not None:
            _warn_of(calibration, consensus)
        ambiguity = None
        if settings.scores is not None:
            ambiguity = ambiguity_of(
                consensus,
                settings.scores,
                AmbiguitySettings(normalise=settings.normalise, max_rejected=settings.max_rejected),
                columns=settings.score_columns,
                progress=clock,
            )
        clock.phase("write", total=consensus.n_observations, unit="observations")
        outputs = side_by_side(
            lambda: write_consensus(consensus, new.folder, clock, calibration, ambiguity),
            lambda: write_table(users_table(consensus), new.folder / "users.parquet"),
            lambda: write_table(rejected, new.folder / "rejected.parquet"),
            *([lambda: write_posteriors(consensus, new.folder)] if settings.soft else []),
        )
        clock.end()
        contents = manifest(
            run_id=new.run_id,
            version=VERSION,
            consensus=consensus,
            settings={**settings.plain(), "started": started.isoformat()},
            files=files,
            inputs=[asdict(item) for item in inputs],
            rows=_row_counts(reading),
            outputs=outputs,
            seconds=clock.seconds,
            warnings=heard,
        )
        if settings.ai_votes is not None:
            contents["counts"]["ai"] |= {
                "rejected": sum(ai.ai_votes.rejected.values()),
                "rejected_by_reason": dict(ai.ai_votes.rejected),
                "no_opinion": ai.ai_votes.n_unlabelled,
            }
        if calibration is not None:
            contents["calibration"] = {"method": calibration.method, "fitted_on": dict(calibration.fitted_on)}
        if ambiguity is not None:
            contents["ambiguity"] = {"trust": ambiguity.trust, **ambiguity.counts}
        clock.phase("compare with the run before")
        changes = _changes(folder, new.folder, contents)
        if changes.summary is None and settings.guards.are_set:
            nothing = f"{folder.where} has no run yet: the guards had nothing to compare"
            warnings.warn(nothing, AggregateWarning, stacklevel=2)
        output_of_changes = write_table(changes.table, new.folder / CHANGES_FILE)
        clock.end()
        held = settings.guards.objections(changes.summary)
        contents = with_changes(contents, changes.summary, held, output_of_changes, clock.seconds)
        write_manifest(contents, new.folder)
        final = new.hold() if held else new.publish()
        prune(folder, settings.keep)
    done = Run(new.run_id, final, folder.latest, contents)
    if held:
        raise HeldError(
            f"held back: {'; '.join(held)}",
            where=str(final),
            remedy=f"{folder.latest} is as it was; see {CHANGES_FILE}, then plant-aggregate publish {new.run_id} "
            "or mend the votes",
            run=done,
        )
    return done


def _changes(folder: RunStore, new: Path, contents: Mapping[str, Any]) -> Changes:
    """What differs from the run before, without rows if there is none; a damaged one is a warning."""
    before = baseline(folder)
    consensus = new / CONSENSUS_FILE
    if before is None:
        return Changes(no_changes(consensus), None)
    if before != folder.published_id:
        warnings.warn(
            f"{folder.latest} names no run of {folder.where}: the new one is held against the newest there, {before}",
            AggregateWarning,
            stacklevel=3,
        )
    try:
        manifest_before = read_manifest(folder.file(before, MANIFEST_FILE))
        return find_changes(folder.file(before, CONSENSUS_FILE), str(consensus), manifest_before, contents)
    except (VotesError, Incomparable) as error:
        warnings.warn(f"what changed since run {before} is not known: {error}", AggregateWarning, stacklevel=3)
        return Changes(no_changes(consensus), {"against": before, "incomparable": str(error)})


def _types_of(table: pa.Table) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in table.schema}


def _warn_of(calibration: Calibration, consensus: Consensus) -> None:
    """Probabilities are as good as what they were fitted on."""
    if calibration.fitted_on.get("simulated"):
        warnings.warn(
            "probabilities are calibrated on simulated votes: they are as true as the simulation's assumptions "
            "(docs/simulation.md); calibrate on expert labels to have your own",
            AggregateWarning,
            stacklevel=3,
        )
    if not calibration.fits(consensus):
        warnings.warn(
            "the calibration was fitted on another strategy or other parameters: its probabilities may be off; "
            "run plant-aggregate calibrate again",
            AggregateWarning,
            stacklevel=3,
        )


def _files_of(settings: Settings) -> dict[str, dict[str, str]]:
    """The SHA-256 of each file that a setting names, beside the votes and scores."""
    named = {name: getattr(settings, name) for name in ("user_weights", "ai_calibration", "calibration")}
    return {
        name: {"path": source.path, "sha256": source.fingerprint()}
        for name, path in named.items()
        if path is not None and os.fspath(path) != SIMULATED
        for source in find_sources([path])
    }


def _row_counts(reading: Reading) -> dict[str, Any]:
    counts = asdict(reading.rows)
    return {**counts, "rejected": sum(reading.rows.rejected.values()), "rejected_by_reason": counts["rejected"]}
