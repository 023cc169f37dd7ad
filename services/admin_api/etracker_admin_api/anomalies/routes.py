from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.anomalies.changes import DecisionEnd, NewDecision
from etracker_admin_api.anomalies.decisions import DecisionStore
from etracker_admin_api.anomalies.listing import AnomalySort, parse_anomaly_query, parse_evidence_cursor
from etracker_admin_api.anomalies.models import AnomalyDetail, AnomalyList, EvidenceList, StateName, VerdictName
from etracker_admin_api.anomalies.store import AnomalyStore
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.paging import Cursor, Limit, RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.peer_ids import PEER_ID_PATTERN


def anomalies_router(anomalies: AnomalyStore, roles: Roles) -> APIRouter:
    """Build the routes with which operators see anomalies."""
    router = APIRouter(prefix="/api/v1/anomalies", tags=["anomalies"])
    operator = Security(roles.operator)

    @router.get("", responses=problems_v1(400, 401, 403, 429, 503))
    async def list_anomalies(
        _actor: Annotated[Actor, operator],
        *,
        q: Annotated[
            str, Query(pattern="^[0-9a-fA-F]{0,32}$", description="a key's id, or the start of a key's or guest's hash")
        ] = "",
        state: StateName | None = None,
        verdict: VerdictName | None = None,
        client: Annotated[
            str,
            Query(
                max_length=60,
                pattern=f"^(?:{PEER_ID_PATTERN})?$",
                description="the start of the peer_id that gave the latest evidence",
            ),
        ] = "",
        appealed: Annotated[bool, Query(description="only those with appeals that wait for an answer")] = False,
        sort: AnomalySort = AnomalySort.SCORE_DESCENDING,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AnomalyList:
        """List keys and guests for which there is evidence, one page at a time."""
        query = parse_anomaly_query(
            sort, limit, cursor, search=q, state=state, verdict=verdict, client=client, appealed=appealed
        )
        return await anomalies.page(query)

    @router.get("/{anomaly_id:int}", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def show_anomaly(anomaly_id: RowId, _actor: Annotated[Actor, operator]) -> AnomalyDetail:
        """Show a key or guest with its evidence and appeals."""
        return found(await anomalies.find(anomaly_id))

    @router.get("/{anomaly_id:int}/evidence", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def list_evidence(
        anomaly_id: RowId, _actor: Annotated[Actor, operator], *, cursor: Cursor = None, limit: Limit = 50
    ) -> EvidenceList:
        """List the evidence against a key or guest, newest first."""
        evidence = await anomalies.evidence(anomaly_id, parse_evidence_cursor(cursor), limit)
        if evidence is None:
            raise not_found()
        return evidence

    return router


def decisions_router(anomalies: AnomalyStore, decisions: DecisionStore, roles: Roles) -> APIRouter:
    """Build the routes with which operators decide about anomalies."""
    router = APIRouter(prefix="/api/v1/anomalies", tags=["anomalies"])
    operator = Security(roles.operator)

    @router.post(
        "/{anomaly_id:int}/decision",
        responses=problems_v1(400, 401, 403, 404, 413, 429, 503),
        openapi_extra=body(NewDecision),
    )
    async def decide(request: Request, anomaly_id: RowId, actor: Annotated[Actor, operator]) -> AnomalyDetail:
        """Exempt, clear or confirm a key or guest, in place of any earlier decision.

        The state follows within seconds: the response may still have the old one. To confirm, ``until`` is needed.
        """
        wanted = await read_json(request, NewDecision)
        if not await decisions.decide(anomaly_id, wanted, actor):
            raise not_found()
        return found(await anomalies.find(anomaly_id))

    @router.post(
        "/{anomaly_id:int}/decision/end",
        responses=problems_v1(400, 401, 403, 404, 409, 413, 429, 503),
        openapi_extra=body(DecisionEnd),
    )
    async def end_decision(request: Request, anomaly_id: RowId, actor: Annotated[Actor, operator]) -> AnomalyDetail:
        """End the decision about a key or guest: the detector decides again."""
        wanted = await read_json(request, DecisionEnd)
        if not await decisions.end(anomaly_id, wanted.note, actor):
            raise not_found()
        return found(await anomalies.find(anomaly_id))

    return router


def found(anomaly: AnomalyDetail | None) -> AnomalyDetail:
    """Return the anomaly, or raise the error for one that doesn't exist."""
    if anomaly is None:
        raise not_found()
    return anomaly


def not_found() -> HTTPException:
    """Return the error for an anomaly that doesn't exist."""
    return HTTPException(404, "Anomaly not found.")
