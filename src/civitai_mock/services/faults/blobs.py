"""Faults of blobs: decided once for each, kept with it, and let happen to whoever reads it."""

import asyncio
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from functools import partial
from typing import TypeAlias

import structlog

from civitai_mock.domain.blob import Blob, UndrawnBlob
from civitai_mock.domain.changed import changed
from civitai_mock.domain.clock_state import added
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ForbiddenError, JobError, NotDrawnError, NotFoundError
from civitai_mock.domain.fault_presets import Hook
from civitai_mock.domain.faults.actions import BlobState, Effect, Late, PresetEffect, PresetWord, SilentBlob
from civitai_mock.domain.faults.conditions import FaultSubject
from civitai_mock.domain.faults.kept import RULE, asked_rule_at, kept_effects, kept_fault
from civitai_mock.domain.faults.rules import FaultRule
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson, as_object, as_text
from civitai_mock.domain.media import MediaKind, kind_of
from civitai_mock.domain.workflow_cost import with_lost_blobs
from civitai_mock.domain.workflow_progress import workflow_progress
from civitai_mock.generation.media import MediaInput
from civitai_mock.generation.operations import BlackenImage
from civitai_mock.ports import Artist, BlobStore, Clock, JobStore, WorkflowStore
from civitai_mock.services.blob_drawing import BlobDrawing
from civitai_mock.services.blob_reading import EXPIRED_AT, LOST, BlobReading, SilentBlobError
from civitai_mock.services.faults.firing import Faults
from civitai_mock.services.faults.subjects import JobSubjects
from civitai_mock.services.streams import in_chunks

logger = structlog.stdlib.get_logger()

StoredBlob: TypeAlias = Blob | UndrawnBlob

ASKED, MADE_AT, TURNS = "asked", "madeAt", "turns"  # of a blob for which nothing is decided
AT, UNTIL, CENSORED = "at", "until", "censored"  # of one for which it is
LARGEST_IMAGE = 64 * 1024 * 1024  # bytes, which are in memory while it becomes black


@dataclass(frozen=True, kw_only=True)
class BlobFaults:
    """Decides what goes wrong with a blob when somebody reads it, and lets it happen then and later.

    `decisions` are made one at a time in a process: two readers of one blob are to get one.
    """

    chooser: Faults
    subjects: JobSubjects
    blobs: BlobStore
    jobs: JobStore
    workflows: WorkflowStore
    drawing: BlobDrawing
    artist: Artist
    clock: Clock
    decisions: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def met(self, blob: StoredBlob, reading: BlobReading) -> StoredBlob:
        """Return the blob as it is given out.

        Raise `NotFoundError`, `ForbiddenError` for a URL that has expired, or `SilentBlobError`.
        """
        fault, is_new = blob.fault or {}, False
        if RULE not in fault:
            async with self.decisions:
                fault, is_new = await self._decided(blob, reading)
        for effect in kept_effects(fault):
            blob = await self._happen(effect, blob, fault, reading, is_new=is_new)
        return blob

    async def _decided(self, blob: StoredBlob, reading: BlobReading) -> tuple[ReadOnlyJson, bool]:
        """Return what is decided, and whether it was decided just now.

        Where nothing is to happen, another process may have decided meanwhile, which has used up the rule.
        """
        while True:
            before = await self._kept_fault(blob)
            if RULE in before:
                return before, False
            fault = await self._decide(blob, before, reading)
            if fault is None:
                return await self._kept_fault(blob), False
            if await self.blobs.set_fault(blob.key, fault, before=before or None):
                return fault, True

    async def _kept_fault(self, blob: StoredBlob) -> ReadOnlyJson:
        found = await self.blobs.stat(blob.key)
        if found is None:
            raise _not_found(blob)
        return found.fault or {}

    async def _decide(self, blob: StoredBlob, before: ReadOnlyJson, reading: BlobReading) -> JsonObject | None:
        """Choose a rule, and return what is to be kept; None if that is nothing new."""
        asked_before = self._asked(before)
        is_asked_now = reading.asked is not None and Hook.BLOB in reading.asked.hooks
        asked = reading.asked if is_asked_now else asked_before
        if asked is None and not self.chooser.hits(Hook.BLOB):
            return None
        turns = {name: as_text(why) for name, why in as_object(before.get(TURNS)).items()}
        choice = await self.chooser.choose(await self._subject(blob, reading), asked=asked, turns=turns)
        reading.note_looks(choice.looks)
        if choice.rule is None:
            missed = self.chooser.turns_of(choice)
            return None if missed.keys() <= turns.keys() else {**before, TURNS: {**turns, **missed}}
        logger.info("fault of a blob", blob_key=blob.key, rule=choice.rule.id)
        begins = datetime.fromisoformat(as_text(before[MADE_AT])) if choice.rule is asked_before else None
        return self._kept(blob, choice.rule, begins=begins)

    def _kept(self, blob: StoredBlob, rule: FaultRule, *, begins: datetime | None) -> JsonObject:
        """Return what is kept of a rule that fired; a blob is late from when it `begins`, or else from now on."""
        now = self.clock.now()
        fault = {**kept_fault(rule), AT: now.isoformat()}
        for effect in rule.action.effects:
            match effect:
                case Late(delay):
                    fault[UNTIL] = added(begins or now, self.chooser.lateness(delay, of=blob.key)).isoformat()
                case BlobState.EXPIRED:
                    fault[EXPIRED_AT] = now.isoformat()
                case BlobState.LOST:
                    fault[LOST] = True
        return fault

    def _asked(self, before: ReadOnlyJson) -> FaultRule | None:
        """Return the rule that the request of the blob's job asked for."""
        return asked_rule_at(Hook.BLOB, as_object(before.get(ASKED)))

    async def _subject(self, blob: StoredBlob, reading: BlobReading) -> FaultSubject:
        subject = FaultSubject(
            hook=Hook.BLOB, method=reading.method, route=reading.route, headers=dict(reading.headers)
        )
        return await self.subjects.described(subject, await self._jobs_of(blob))

    async def _jobs_of(self, blob: StoredBlob) -> Sequence[Job]:
        """Return the job that made it; none for what somebody sent, and for what is older than this is known."""
        job_id = None if blob.facts is None else blob.facts.job_id
        job = None if job_id is None else await self.jobs.get(job_id)
        return [] if job is None else [job]

    async def _happen(
        self, effect: Effect, blob: StoredBlob, fault: ReadOnlyJson, reading: BlobReading, *, is_new: bool
    ) -> StoredBlob:
        rule_id = as_text(fault[RULE])
        match effect:
            case Late():
                if self.clock.now() < datetime.fromisoformat(as_text(fault[UNTIL])):
                    reading.note(rule_id)
                    raise _not_found(blob)
            case BlobState.EXPIRED:
                at = datetime.fromisoformat(as_text(fault[EXPIRED_AT]))
                is_old = reading.signed_at is not None and reading.signed_at <= at
                if is_new or is_old:
                    await self._note(blob, expired_at=at)
                if reading.by_url and (is_new or is_old):
                    reading.note(rule_id)
                    raise ForbiddenError(reading.expired)
            case BlobState.LOST:
                reading.note(rule_id)
                await self._note(blob, is_lost=True, available=False)
                raise _not_found(blob)
            case SilentBlob(lasts):
                reading.note(rule_id)
                raise SilentBlobError(lasts)
            case PresetEffect(PresetWord.CENSOR):
                reading.note(rule_id)
                return blob if CENSORED in fault else await self._blackened(blob, fault)
        return blob

    async def _note(self, blob: StoredBlob, **changes: object) -> None:
        """Change the slot of the blob, so that the status of its job says the same, and its workflow with it."""
        for job in await self._jobs_of(blob):
            slot = next((slot for slot in job.slots if slot.blob_key == blob.key), None)
            if slot is None:
                continue
            is_changed = slot.is_as_made and await self.jobs.change_slot(job.id, changed(slot, **changes))
            if job.workflow is not None:
                await self._note_in_workflow(job.workflow.workflow_id, is_changed=is_changed)

    async def _note_in_workflow(self, workflow_id: str, *, is_changed: bool) -> None:
        """Give back what a lost blob has cost; a workflow that is over becomes another version of itself."""
        while (snapshot := await self.workflows.get(workflow_id)) is not None:
            before = snapshot.workflow
            after = with_lost_blobs(before, workflow_progress(snapshot), snapshot.jobs)
            if after is before and is_changed:
                after = before.revised()
            if after is before or await self.workflows.replace(before, after):
                return

    async def _blackened(self, blob: StoredBlob, fault: ReadOnlyJson) -> StoredBlob:
        """Put a black image in the place of an image; what is none, and what is too large, stays as it is."""
        opened = await self.drawing.open(blob)
        image = opened.blob
        if kind_of(image.content_type) is not MediaKind.IMAGE or image.size > LARGEST_IMAGE:
            return blob
        content = b"".join([chunk async for chunk in opened.content()])
        load = partial(_loaded, MediaInput(source=image.key, content=content))
        try:
            (made,) = (await self.artist.derive(BlackenImage(), [load])).files
        except NotDrawnError:
            raise
        except JobError as error:
            logger.info("image not blackened", blob_key=image.key, reason=error.message)
            return blob
        return await self.blobs.put(
            image.key,
            in_chunks(made.content),
            content_type=image.content_type,
            keep_until=image.keep_until,
            owner=image.owner,
            facts=image.facts,
            fault={**fault, CENSORED: True},
        )


def asked_fault(document: ReadOnlyJson, *, made_at: datetime) -> JsonObject | None:
    """Return what is kept with a blob whose job was asked for with a fault; None for a fault of anything else."""
    is_about_blobs = asked_rule_at(Hook.BLOB, document) is not None
    return {ASKED: dict(document), MADE_AT: made_at.isoformat()} if is_about_blobs else None


def _not_found(blob: StoredBlob) -> NotFoundError:
    return NotFoundError(f"The blob '{blob.key}' does not exist.")


async def _loaded(image: MediaInput) -> MediaInput:
    return image
