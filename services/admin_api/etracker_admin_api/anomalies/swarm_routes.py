from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.anomalies.balance import BalanceStore
from etracker_admin_api.anomalies.balance_models import SwarmBalance
from etracker_admin_api.anomalies.client_models import ClientAnomalyList
from etracker_admin_api.anomalies.clients import ClientStore
from etracker_admin_api.http.infohashes import HEX, HEX_EXAMPLE, parse_info_hash
from etracker_admin_api.http.paging import RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles

InfoHashQuery = Annotated[
    str, Query(pattern=f"^(?:{HEX})$", description="hex: one of the torrent's infohashes", examples=[HEX_EXAMPLE])
]


def balance_router(balances: BalanceStore, roles: Roles) -> APIRouter:
    """Build ``GET /api/v1/anomalies/{anomaly_id}/balance``."""
    router = APIRouter(prefix="/api/v1/anomalies", tags=["anomalies"])
    operator = Security(roles.operator)

    @router.get("/{anomaly_id:int}/balance", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def show_balance(
        anomaly_id: RowId, info_hash: InfoHashQuery, _actor: Annotated[Actor, operator]
    ) -> SwarmBalance:
        """Show the balance of a swarm in which there is evidence against a key or guest."""
        balance = await balances.find(anomaly_id, parse_info_hash(info_hash))
        if balance is None:
            raise HTTPException(404, "There is no evidence against this key or guest in this torrent.")
        return balance

    return router


def clients_router(clients: ClientStore, roles: Roles) -> APIRouter:
    """Build ``GET /api/v1/anomalies/clients``."""
    router = APIRouter(prefix="/api/v1/anomalies", tags=["anomalies"])
    operator = Security(roles.operator)

    @router.get("/clients", responses=problems_v1(401, 403, 429, 503))
    async def list_clients(_actor: Annotated[Actor, operator]) -> ClientAnomalyList:
        """List the versions of clients that gave evidence lately, next to the number of all their users."""
        return await clients.find()

    return router
