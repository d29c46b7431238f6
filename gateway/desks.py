"""Wiring of what goes on beside calls. Each desk has a file of its own, for notices, recordings, rights, incidents and so on;
here they meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.anchoring import AnchoringNeeds, keep_anchoring, open_anchoring
from gateway.children import keep_forgetting, open_children
from gateway.governing import Governing, Needs, open_governing, retry_notices
from gateway.holding import DataDesk, DataDeskNeeds, HoldingNeeds, holdings, open_data_desk
from gateway.http.evidence import evidence_routes
from gateway.http.recordings import recording_routes
from gateway.http.transcripts import transcript_routes
from gateway.incident import IncidentDesks, alert_contacts, open_incidents
from gateway.keeping import Keys
from gateway.leaving import Leaving, LeavingNeeds, open_leaving
from gateway.ports import Clock, Ids, Secrets, Telemetry
from gateway.recording import DeskNeeds, Recordings, open_recordings
from gateway.righting import Righting, RightingNeeds, open_righting
from gateway.runner.auditing import AuditDesk
from gateway.runner.children import ChildCalls
from gateway.runner.key_seal import KeySeal
from gateway.runner.rights_callers import homes
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from gateway.transcribing import TranscriptsKept, open_transcripts
from gateway.values import Private


@dataclass(frozen=True, slots=True)
class DesksNeeds:
    """What the desks stand on."""

    settings: Settings
    policies: PolicyFolder
    secrets: Secrets
    env: Mapping[str, str]
    store: Store
    ledger: RedisLedger
    keys: Keys
    signing: SigningKey
    receipts: Receipts
    clock: Clock
    ids: Ids
    telemetry: Telemetry


@dataclass(frozen=True, slots=True)
class Desks:
    """The desks of one gateway."""

    needs: DesksNeeds
    governing: Governing
    incidents: IncidentDesks
    recordings: Recordings
    transcripts: TranscriptsKept
    data: DataDesk
    children: ChildCalls
    righting: Righting
    leaving: Leaving

    def routes(self, operator: Private[str]) -> list[web.RouteDef]:
        """Their paths."""
        return [
            *self.governing.routes(operator),
            *self._audit_routes(operator),
            *self.incidents.routes(operator),
            *recording_routes(operator, self.recordings.desk, self.data.delete_recording),
            *transcript_routes(operator, self.transcripts.desk),
            *self.data.routes(operator),
            *self.righting.routes(operator),
            *self.leaving.routes(operator),
        ]

    async def keep(self, tasks: TaskOwner, running: AsyncExitStack) -> None:
        """Start what they do from time to time; ``tasks`` ends it. Raises Misconfigured for anchors set up wrongly."""
        needs, governing = self.needs, self.governing
        anchoring = await open_anchoring(self._anchoring(), running)
        if anchoring is not None:
            tasks.start(keep_anchoring(anchoring), name="anchors")
        tasks.start(self.recordings.keep(), name="recordings")
        desk, receipts = self.recordings.desk, needs.receipts
        kept = self.data.keep(desk, receipts, lambda: needs.policies.policies.tenants, ended=self.leaving.ended)
        tasks.start(kept, name="retention")
        tasks.start(self.leaving.keep(), name="leaving")
        tasks.start(self.incidents.keep(needs.telemetry), name="incidents")
        tasks.start(self.righting.keep(), name="rights")
        to_delete = (self.children, self.recordings.needs.deleting, self.transcripts.needs.deleting)
        tasks.start(keep_forgetting(to_delete, self.data.everybody), name="children")
        tasks.start(retry_notices(governing.notices, governing.changes, governing.policies), name="notices")

    def _audit_routes(self, operator: Private[str]) -> list[web.RouteDef]:
        needs, governing = self.needs, self.governing
        desk = AuditDesk.of(needs.store, needs.ledger, needs.receipts, needs.settings.data, needs.signing, needs.clock)
        return evidence_routes(operator, desk, governing.policies, governing.watch, needs.clock)

    def _anchoring(self) -> AnchoringNeeds:
        needs = self.needs
        kept = (needs.store, needs.ledger, needs.signing, lambda: needs.policies.policies.tenants)
        return AnchoringNeeds(*kept, needs.env, needs.clock, needs.ids, needs.telemetry)


async def open_desks(needs: DesksNeeds, running: AsyncExitStack) -> Desks:
    """The desks; what they hold open is closed with ``running``. Raises Misconfigured, StoreUnavailable."""
    store, ledger, keys, clock, ids = needs.store, needs.ledger, needs.keys, needs.clock, needs.ids
    own = (needs.secrets, keys.identity.reveal(), needs.env, clock, ids)
    governing = await open_governing(Needs(store, ledger, lambda: needs.policies.policies, *own), running)
    recordings = open_recordings(
        DeskNeeds(
            data=needs.settings.data,
            store=store,
            ledger=ledger,
            policies=needs.policies,
            secrets=needs.secrets,
            keys=keys.shelf,
            telemetry=needs.telemetry,
            clock=clock,
            ids=ids,
            notices=governing.watch,
        )
    )
    transcripts = open_transcripts(store, keys.shelf, ledger, clock, data=needs.settings.data)
    places = HoldingNeeds(store, recordings.desk, needs.receipts, clock, (transcripts.holding,))
    about = (store, ledger, needs.signing, clock, ids, needs.telemetry)
    sealed = KeySeal(store, keys.masters, clock, ids).destroyed
    subject = SubjectHash(keys.identity, homes(lambda: needs.policies.policies.tenants))
    data = open_data_desk(
        DataDeskNeeds(*about, subject, keys.shelf, sealed, lambda: needs.policies.policies.tenants), holdings(places)
    )
    data.delete_for(recordings.needs.deleting, transcripts.needs.deleting)
    kept = (needs.settings.data, store, ledger, keys, data, needs.signing)
    return Desks(
        needs=needs,
        governing=governing,
        incidents=open_incidents(store, ledger, governing.policies, governing.senders, clock, ids, alert_contacts(needs.env)),
        recordings=recordings,
        transcripts=transcripts,
        data=data,
        children=open_children(store, data, needs.settings.data),
        righting=open_righting(RightingNeeds(store, ledger, governing, keys, data, transcripts.desk, clock, ids)),
        leaving=open_leaving(LeavingNeeds(*kept, lambda: needs.policies.policies.tenants, clock, ids, needs.telemetry)),
    )
