"""The interface between the worker's loop and a reader."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.records import Credit, MembershipKey, SessionKey
from etracker_scoring.worker.store import Rows

KnownT = TypeVar("KnownT")
ChangesT = TypeVar("ChangesT")


class Reader(ABC, Generic[KnownT, ChangesT]):
    """Counts one subject in each batch. Readers don't know each other.

    For every batch the loop calls ``load``, ``read`` and ``store`` of each reader in one transaction, together with
    the stream positions; then ``committed`` and ``publish``. A batch that can't be stored is read again, so ``read``
    must not have side effects.
    """

    shares_rows = False
    """Whether workers of other shards write the same rows. Those are written last, in the order of their ids."""

    def further_sessions(
        self,
        admitted: Sequence[Admitted],  # noqa: ARG002 - overrides use it
        credits_: Mapping[MembershipKey, Credit],  # noqa: ARG002 - as above
    ) -> Iterable[SessionKey]:
        """Return sessions to load in addition to those of the batch's facts."""
        return ()

    @abstractmethod
    async def load(self, batch: Batch, rows: Rows) -> KnownT:
        """Load the rows that only this reader needs. A batch with nothing to load must not cost a query."""

    @abstractmethod
    def read(self, batch: Batch, known: KnownT) -> ChangesT:
        """Return what the batch changes. Pure."""

    @abstractmethod
    async def store(self, changes: ChangesT, rows: Rows) -> None:
        """Write the changes."""

    def committed(self, changes: ChangesT) -> None:
        """Note that the changes are stored, for metrics and for :meth:`publish`."""

    async def publish(self) -> None:
        """Write to Redis what it needs to know about the committed changes.

        Raises:
            StreamsUnavailableError: Redis accepts no writes at present; the loop tries again after the next batch.
        """
