"""The nightly job: read the votes, fit a strategy, write the run, publish it."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from .add_ons import AddOn, Maker, facts_of
from .assessment.agreement import AgreementOfUsers
from .consensus import Consensus
from .errors import AggregateError, HeldError, ParameterError, PublishError, VotesError, warn
from .files.destination import HELD, RUNS
from .files.locations import is_uri, local_path
from .files.parquet import CheckedFile
from .files.requests import set_time_limit
from .files.sources import OR_FRAME, Input, Paths, Source, find_sources, path_list, printable
from .frames import Frame, check_type, is_frame
from .ingest import Reading, VoteFiles, VoteTable, find_table, find_votes, read_found
from .ingest.ai_votes import AiReading, find_ai, read_ai
from .ingest.labels import check_cleanable, cleaned_experts, cleaner_of
from .kernels.threads import available_cores, set_threads, side_by_side
from .listeners import ProgressLike, listening
from .names import NameFindings, inspect_names, warning_of
from .parameters import declared
from .publishing.changes import Changes, Incomparable, find_changes, no_changes
from .publishing.command_lines import command
from .publishing.digests import Digests
from .publishing.guards import Guards
from .publishing.known_to_experts import KnownToExperts
from .publishing.open_run import run_in
from .publishing.output_files import check_apart
from .publishing.record import (
    AiCounts,
    ConversionFacts,
    Counts,
    ExpertCounts,
    FileFacts,
    ModelProbability,
    OutputFacts,
    RunChanges,
    RunRecord,
    StrategyClass,
    VoteCounts,
    write_record,
)
from .publishing.releases import open_output, sole_writer
from .publishing.run import Run, made_in
from .publishing.stores.history import baseline, names_none, prune
from .publishing.stores.store import RunStore
from .publishing.tables import (
    CHANGES_FILE,
    CONSENSUS_FILE,
    LABELS_FILE,
    Output,
    write_consensus,
    write_posteriors,
    write_table,
    write_users,
)
from .run_log import PhaseTimer, recorded_warnings
from .schema import PROBABILITY
from .settings import Settings
from .side_inputs import SideInputs
from .strategies.base import Strategy, fit_strategy
from .strategies.origin import check_plain, origin_of
from .strategies.registry import STRATEGIES, GivenStrategy, check_side_inputs, strategy_of
from .truth import Truth, check_kinds, check_labels, rows_of
from .user_weights import UserWeights
from .version import VERSION

if TYPE_CHECKING:
    from .assessment.calibration.ai import AiCalibration
    from .taxon_names.cleaner import NameCleaner
    from .taxon_names.report import LabelCounts

ADD_ONS = {
    "calibration": ".saved_models:MakesProbability",  # the column probability
    "scores": ".training_scores:MakesAmbiguity",  # the columns score_aum, aumc, waum and pruned
}
"""Setting -> the Maker of its add-on, loaded only if it is set, in the order of the columns."""


def run(
    paths: "Paths | Frame",
    output: str | os.PathLike[str] = "consensus",
    strategy: "GivenStrategy | None" = None,
    settings: Settings | None = None,
    *,
    progress: ProgressLike = None,
) -> Run:
    """Read votes, fit ``strategy``, and publish the result in the folder ``output``.

    The votes are in Parquet files, folders or globs, or in a frame, of which run.json then has the SHA-256. The
    strategy (default PlantNet()) is an object such as PlantNet(theta_acc=0.8), or, with its default parameters, a class
    or a name: ``wawa``, or ``package.module:Class``. ``progress``: True shows a bar, False does not, by default there
    is one in notebooks; or a listener.

    Raises VotesError, ParameterError, StrategyError, PublishError or LockedError; then nothing is published and
    ``output/latest`` is as it was. The same holds for HeldError: a guard of the settings held the run back, in
    ``output/held``.
    """
    strategy = strategy_of(next(iter(STRATEGIES)) if strategy is None else strategy)
    check_plain(strategy)
    settings = Settings() if settings is None else settings
    check_type("settings", settings, Settings, "Settings(keep=7)")
    check_side_inputs(strategy, settings)
    guards = Guards(**{name: getattr(settings, name) for name in Guards._fields})
    if is_frame(paths) and settings.format is not None:
        raise ParameterError(f"format is {settings.format}, but the votes are a frame")
    log = (
        find_table(paths, columns=settings.columns, as_of=settings.as_of)
        if is_frame(paths)
        else path_list(paths, OR_FRAME)
    )
    set_time_limit(settings.store_timeout)
    store = open_output(output)
    check_apart(store.where, [*([] if isinstance(log, VoteTable) else log), *settings.tables])
    store.check()
    set_threads(settings.threads or available_cores())
    with recorded_warnings() as warnings_shown, ExitStack() as publishing:
        listener = publishing.enter_context(listening(progress))
        timer = PhaseTimer(listener)
        found = _find(log, settings, timer)
        turn = publishing.enter_context(sole_writer(store, settings.lock, listener))
        if turn.has_waited:
            found = _find(log, settings, timer)  # the files may have changed meanwhile
        new = publishing.enter_context(store.new_run(turn.began))
        given = _read(found, settings, timer)
        consensus = fit_strategy(strategy, given.reading.votes, given.side_inputs, progress=timer)
        add_ons = _add_ons(consensus, given.side_inputs.experts, found.makers, timer)
        outputs = _write(consensus, new.folder, given, add_ons, timer, soft=settings.soft)
        options = {**settings.plain(), "started": turn.began.isoformat()}
        record = _record(new.run_id, strategy, consensus, given, add_ons, outputs, options)
        timer.phase("compare with the run before")
        lost = store.lost_id
        changes = _changes(store, new.folder, record)
        if changes.found is None and guards.are_set and lost is None:
            warn(f"{store.where} has no run yet: the guards had nothing to compare")
        output_of_changes = write_table(changes.encoded, new.folder / CHANGES_FILE, declared=changes.schema)
        timer.end()
        held = guards.objections(changes.found, lost)
        record = record.compared(changes.found, held, output_of_changes, timer.seconds, warnings_shown)
        write_record(record, new.folder)
        timer.phase("hold back" if held else "publish")
        if held:
            new.hold()
        else:
            new.publish()
        prune(store, settings.keep)
        timer.end()
    done = made_in(store, HELD if held else RUNS, record, timer.seconds)
    if held:
        remedy = f"{store.latest} is as it was; {_advice(store, done, is_compared=lost is None)}"
        raise HeldError(f"held back: {'; '.join(held)}", where=str(done.folder), remedy=remedy, run=done)
    return done


def _advice(store: RunStore, held: Run, *, is_compared: bool) -> str:
    """What to do about a run that is held back; it can be compared if the published one is intact."""
    publish = command(f"publish {held.run_id}", store.where)
    if is_compared and held.record.changes is not None and held.record.changes.counts is not None:
        differ = command(f"diff latest {held.run_id}", store.where)
        return f"see {differ}, then publish it ({publish}) or mend the votes"
    runs = command("runs", store.where)
    return f"look at the run itself, then publish it ({publish}) or an earlier one (see {runs}), or mend the votes"


class _Given(NamedTuple):
    """All that a run has read."""

    reading: Reading
    ai: AiReading | None
    side_inputs: SideInputs
    experts: Truth | None  # as the files have them, while those of `side_inputs` are cleaned
    cleaner: "NameCleaner | None"  # which knows the labels
    files: Mapping[str, FileFacts]  # the files that settings name, beside the votes and scores

    @property
    def inputs(self) -> list[Input]:
        """The files that were read row by row."""
        return [*self.reading.inputs, *([] if self.ai is None else self.ai.inputs)]

    @property
    def rejected(self) -> pa.Table:
        """The rejected rows."""
        rejected = self.reading.rejected
        if self.ai is None:
            return rejected
        types = {field.name: field.type for field in rejected.schema}
        return pa.concat_tables([rejected, self.ai.quarantine.to_arrow(types)], promote_options="default")


class _Found(NamedTuple):
    """The inputs of a run, found and checked as far as that is quick."""

    votes: VoteFiles | VoteTable
    ai: tuple[CheckedFile, ...] | None
    ai_calibration: "AiCalibration | None"
    user_weights: UserWeights | None
    experts: Truth | None
    cleaner: "NameCleaner | None"
    makers: Sequence[Maker]  # of the add-ons that settings ask for
    files: Mapping[str, FileFacts]  # the files that settings name, beside the votes and scores


def _find(log: Paths | VoteTable, settings: Settings, timer: PhaseTimer) -> _Found:
    """Find and check the inputs, small ones first, before an output folder is created."""
    files = _files_of(settings)
    makers = _makers(settings)
    ai_calibration, user_weights, experts = _aids(settings)
    cleaner = cleaner_of(settings)
    for name, found in _files_of(settings).items():  # the bytes fingerprinted are those that were read
        if found != files[name]:
            raise VotesError("changed while it was read", where=found.path, remedy="run again when it is complete")
    votes = log if isinstance(log, VoteTable) else _votes_in(log, settings, timer)
    ai = None if settings.ai_votes is None else find_ai(settings.ai_votes)
    check_cleanable(cleaner, votes.types, votes.origin)
    if experts is not None:
        check_kinds(experts, votes.types["observation_id"], votes.types["label"], "the votes")
    for maker in makers:
        maker.check(votes.types)
    return _Found(votes, ai, ai_calibration, user_weights, experts, cleaner, makers, files)


def _votes_in(paths: Paths, settings: Settings, timer: PhaseTimer) -> VoteFiles | VoteTable:
    return find_votes(
        paths,
        columns=settings.columns,
        as_of=settings.as_of,
        layout=settings.layout,
        max_rejected=settings.max_rejected,
        progress=timer,
    )


def _makers(settings: Settings) -> list[Maker]:
    """Of the add-ons that settings ask for, in the order of their columns."""
    makers = []
    for name, place in ADD_ONS.items():
        if getattr(settings, name) not in (None, False):
            module, maker = place.split(":")
            makers.append(getattr(import_module(module, __package__), maker)(settings))
    return makers


def _aids(settings: Settings) -> "tuple[AiCalibration | None, UserWeights | None, Truth | None]":
    """Load the AI's calibration, the users' weights and the experts' labels, if settings name them, and their code."""
    ai_calibration = user_weights = experts = None
    if settings.ai_calibration is not None:
        from .saved_models import load_ai_calibration

        ai_calibration = load_ai_calibration(settings.ai_calibration)
    if settings.user_weights is not None:
        from .ingest.user_weights import read_user_weights

        user_weights = read_user_weights(settings.user_weights)
    if settings.experts is not None:
        from .ingest.truth import MAP_EXPERTS_NAMES, truth_of_files

        files = path_list(settings.experts)
        experts = truth_of_files(files, settings.experts_columns, remedy=MAP_EXPERTS_NAMES)
    return ai_calibration, user_weights, experts


def _read(found: _Found, settings: Settings, timer: PhaseTimer) -> _Given:
    """Read the votes and the side inputs."""
    reading = read_found(found.votes, max_rejected=settings.max_rejected, cleaner=found.cleaner, progress=timer)
    ai = ai_votes = None
    if found.ai is not None:
        timer.phase("read the AI's votes")
        like = {name: found.votes.types[name] for name in ("observation_id", "label")}
        ai = read_ai(found.ai, max_rejected=settings.max_rejected, like=like, cleaner=found.cleaner)
        ai_votes = ai.ai_votes if found.ai_calibration is None else found.ai_calibration.apply_to(ai.ai_votes)
    experts = found.experts
    if experts is not None and found.cleaner is not None:
        experts = cleaned_experts(found.cleaner, experts)
    if experts is not None:
        check_labels(experts, reading.votes.label_names, "the votes", effect="which the run takes as they stand")
    side_inputs = SideInputs(user_weights=found.user_weights, ai_votes=ai_votes, experts=experts)
    return _Given(reading, ai, side_inputs, found.experts, found.cleaner, found.files)


def _add_ons(consensus: Consensus, experts: Truth | None, makers: Sequence[Maker], timer: PhaseTimer) -> list[AddOn]:
    """The add-ons of settings, then those of every run."""
    asked = [maker.make(consensus, timer) for maker in makers]
    if experts is not None and consensus.by_expert is None:  # of a strategy of another package
        asked.append(KnownToExperts(experts))
    return [*asked, AgreementOfUsers(consensus), Digests(consensus.votes)]


def _write(
    consensus: Consensus, folder: Path, given: _Given, add_ons: Sequence[AddOn], timer: PhaseTimer, *, soft: bool
) -> list[Output]:
    """Write the tables of the run, except changes.parquet."""
    timer.phase("write", total=consensus.n_observations, unit="observations")
    return side_by_side(
        lambda: write_consensus(consensus, folder, add_ons, timer),
        lambda: write_users(consensus, folder, add_ons),
        lambda: write_table(given.rejected, folder / "rejected.parquet"),
        *([lambda: write_posteriors(consensus, folder)] if soft else []),
        *([partial(_write_labels, given.cleaner, given.experts, folder)] if given.cleaner is not None else []),
    )


def _write_labels(cleaner: "NameCleaner", experts: Truth | None, folder: Path) -> Output:
    """Write labels.parquet: the labels that are not as they stand in the votes."""
    from .taxon_names.report import label_table

    truth = None if experts is None else Counter(experts.labels.to_pylist())
    return write_table(label_table(cleaner, truth), folder / LABELS_FILE)


def _record(
    run_id: str,
    strategy: Strategy,
    consensus: Consensus,
    given: _Given,
    add_ons: Sequence[AddOn],
    outputs: Sequence[Output],
    settings: Mapping[str, Any],
) -> RunRecord:
    """The record of the run before it is compared with another."""
    origin = origin_of(strategy)
    return RunRecord(
        run_id=run_id,
        version=VERSION,
        strategy=consensus.strategy,
        strategy_class=None if origin is None else StrategyClass(*origin),
        strategy_choice=consensus.choice,
        parameters={**consensus.parameters, "ambiguous_below": consensus.ambiguous_below},
        settings=settings,
        files=given.files,
        inputs=tuple(given.inputs),
        conversion=None if given.reading.converted is None else ConversionFacts.of(given.reading.converted.record),
        counts=_counts(consensus, given),
        trace=consensus.trace.iterations,
        converged=consensus.trace.converged,
        cycle_length=consensus.trace.cycle_length,
        start=consensus.trace.start,
        probability=_model_probability(consensus, add_ons),
        outputs={output.name: OutputFacts.of(output) for output in outputs},
        names=_strange_names(consensus, given),
        cleaned_labels=_label_counts(given.cleaner),
        further=facts_of(add_ons, [item.name for item in fields(RunRecord)]),
    )


def _model_probability(consensus: Consensus, add_ons: Sequence[AddOn]) -> ModelProbability | None:
    """How the probability is made of the model's posteriors; None if it is not, or a calibration's took its place."""
    added = {column.name for add_on in add_ons for column in add_on.table}
    if consensus.model is None or added & {column.name for column in PROBABILITY}:
        return None
    return ModelProbability(consensus.model.tau)


def _counts(consensus: Consensus, given: _Given) -> Counts:
    rows, ai = given.reading.rows, None
    found = dict(consensus.counts)
    of_ai, of_experts = found.pop("ai", {}), found.pop("experts", {})
    if given.ai is not None:
        of_rows = given.ai.ai_votes
        ai = AiCounts(
            **of_ai,
            rejected=sum(of_rows.rejected.values()),
            rejected_by_reason=of_rows.rejected,
            no_opinion=of_rows.n_unlabelled,
            further=of_rows.n_further,
        )
    votes = VoteCounts(**{**rows._asdict(), "rejected": sum(rows.rejected.values())}, rejected_by_reason=rows.rejected)
    return Counts(votes=votes, **found, ai=ai, experts=_expert_counts(consensus, given, of_experts))


def _expert_counts(consensus: Consensus, given: _Given, found: Mapping[str, int]) -> ExpertCounts | None:
    """Counts of the experts' labels, by outcome; ``found`` are the counts of the consensus."""
    truth, cleaned = given.experts, given.side_inputs.experts
    if truth is None or cleaned is None:
        return None
    used = found.get("used", int(rows_of(consensus.votes.observation_ids, cleaned.observation_ids)[0].size))
    return ExpertCounts(
        given=len(truth),
        used=used,
        unvoted=found.get("unvoted", 0),
        unknown=len(cleaned) - used,
        refused=len(truth) - len(cleaned),
        unlabelled=truth.n_unlabelled,
    )


def _strange_names(consensus: Consensus, given: _Given) -> dict[str, NameFindings]:
    """Find suspicious names of labels, the AI's among them, and of users; warns of possible mistakes."""
    votes, of_users = consensus.votes, given.reading.votes
    labels, users = inspect_names(votes.label_names, votes.labels), inspect_names(of_users.user_ids, of_users.users)
    warning = warning_of(labels, users)
    if warning is not None:
        warn(warning)
    return {"labels": labels, "users": users}


def _label_counts(cleaner: "NameCleaner | None") -> "LabelCounts | None":
    """Outcomes of the labels that were cleaned; warns if many count as no opinion."""
    if cleaner is None:
        return None
    from .taxon_names.report import label_counts, warning_of

    counts = label_counts(cleaner)
    warning = warning_of(counts)
    if warning is not None:
        warn(warning)
    return counts


def _changes(store: RunStore, new: Path, record: RunRecord) -> Changes:
    """Compare with the run before; no rows if there is none, and a warning if it is damaged."""
    before = baseline(store)
    consensus = new / CONSENSUS_FILE
    if before is None:
        if store.lost_id is not None:
            warn(names_none(store))
        return Changes(no_changes(consensus), None)
    if before != store.published_id:
        warn(f"{names_none(store)}: the new one is compared with the newest there, {before}")
    try:
        old = run_in(store, before)
        _warn_of_another_choice(old.record, record)
        return find_changes(old.source(), str(consensus), old.record, record)
    except (VotesError, PublishError, Incomparable) as error:
        reason = str(error)
        if isinstance(error, AggregateError):  # its remedy would not fit the new run
            reason = f"{error.where}: {error.what}" if error.where else error.what
        warn(f"what changed since run {before} is not known: {reason}")
        return Changes(no_changes(consensus), RunChanges(before, incomparable=reason))


def _warn_of_another_choice(old: RunRecord, new: RunRecord) -> None:
    """Warn if a strategy such as auto takes another one for this run than for the run before."""
    choice, before = new.strategy_choice, old.strategy_choice
    if choice is None or before is None or choice.asked != before.asked or new.strategy == old.strategy:
        return
    warn(
        f"{choice.asked} takes {new.strategy} ({choice.reason}), and took {old.strategy} ({before.reason}) for run "
        f"{old.run_id}: labels may change by that alone; --strategy {old.strategy} would keep it"
    )


def _files_of(settings: Settings) -> dict[str, FileFacts]:
    """The SHA-256 of each file that a setting names, beside the votes and scores."""
    files = {}
    for name, known in declared(settings).items():
        paths = getattr(settings, name)
        if not known.is_file or paths is None:
            continue
        if known.several or _is_file(paths, known.words):
            files[name] = _facts_of(find_sources(path_list(paths)))
        elif os.path.isdir(paths):  # an archive that is unpacked
            from .taxon_names.files import fingerprint_of

            files[name] = FileFacts(printable(os.fspath(paths)), fingerprint_of(paths))
    return files


def _is_file(path: str | os.PathLike[str], words: Collection[str]) -> bool:
    """Whether a path names a file, not one of ``words``; False for a missing file, whose error is raised on reading."""
    name = os.fspath(path)
    return name not in words and (is_uri(name) or os.path.isfile(local_path(name)))


def _facts_of(sources: Sequence[Source]) -> FileFacts:
    """Path and SHA-256 of a file; of several the first, and the SHA-256 of all of theirs."""
    fingerprints = [source.fingerprint() for source in sources]
    if len(sources) == 1:
        return FileFacts(sources[0].path, fingerprints[0])
    together = sha256("".join(fingerprints).encode()).hexdigest()
    return FileFacts(f"{sources[0].path} and {len(sources) - 1} more", together)
