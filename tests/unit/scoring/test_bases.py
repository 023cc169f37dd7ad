"""Counters of one peer_id reported from several places: what they are worth, in whatever order they come.

The kind of fault: a number that was credited before is credited again, because it comes from elsewhere or comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.worker.bases import is_at_address, place_of
from etracker_scoring.worker.records import Session
from etracker_scoring.worker.sessions import settle
from etracker_shared.agreements.facts import UNKNOWN, Event, Fact
from tests.support.batches import Store
from tests.support.facts import make_fact

ADDRESSES = ("home", "home over IPv6", "office", "office over IPv6")
TORRENTS = ("film", "film's other hash")


class Account:
    """What one session is credited, fact by fact, a second apart."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.facts = 0

    def report(self, counter: int, address: str = "home", **more: object) -> int:
        self.facts += 1
        fact = make_fact(at=self.facts, uploaded=counter, downloaded=counter, address=address, **more)
        settlement = settle(self.session, fact)
        assert settlement is not None
        self.session = settlement.session
        assert settlement.uploaded == settlement.downloaded
        return settlement.uploaded

    @property
    def credit(self) -> int:
        return self.session.uploaded_credit if self.session else 0


@dataclass
class Machine:
    """A computer with an honest client, that announces from some addresses about some hashes of one torrent."""

    addresses: Sequence[str]
    torrents: Sequence[str]
    counter: int = 0
    moved: int = 0
    reported: int = 0
    places: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [(address, torrent) for address in self.addresses for torrent in self.torrents]

    def move(self, number: int) -> None:
        self.counter += number
        self.moved += number

    def report(self, account: Account, place: int) -> None:
        address, torrent = self.places[place % len(self.places)]
        account.report(self.counter, address, torrent=torrent)
        self.reported = self.moved

    def restart(self, account: Account) -> None:
        """Start again from zero, which the client announces from all its places at once."""
        self.moved = self.reported  # what was moved since the last report nobody will ever know
        self.counter = 0
        for place in range(len(self.places)):
            self.report(account, place)


@dataclass(frozen=True)
class Action:
    machine: int
    moved: int
    place: int
    restarts: bool


actions = st.lists(
    st.builds(Action, st.integers(0, 1), st.integers(0, 50), st.integers(0, 3), st.booleans()), min_size=1, max_size=40
)
torrents = st.sampled_from([TORRENTS[:1], TORRENTS])


def run(machines: Sequence[Machine], taken: Sequence[Action], account: Account) -> None:
    for action in taken:
        machine = machines[action.machine % len(machines)]
        if action.restarts:
            machine.restart(account)
        else:
            machine.move(action.moved)
            machine.report(account, action.place)


@given(actions, torrents, st.integers(1, 2))
def test_one_client_is_credited_all_it_moved_whatever_its_places_and_restarts(
    taken: list[Action], hashes: Sequence[str], families: int
) -> None:
    machine, account = Machine(ADDRESSES[:families], hashes), Account()
    machine.restart(account)
    run([machine], taken, account)
    assert account.credit == machine.reported


@given(actions, torrents, st.integers(1, 2))
def test_two_machines_with_one_peer_id_are_never_credited_more_than_they_moved(
    taken: list[Action], hashes: Sequence[str], families: int
) -> None:
    machines = [Machine(ADDRESSES[:families], hashes), Machine(ADDRESSES[2 : 2 + families], hashes)]
    account = Account()
    run(machines, taken, account)
    assert account.credit <= sum(machine.moved for machine in machines)


def test_machines_that_report_in_turn_earn_nothing_while_nothing_moves() -> None:
    account = Account()
    for _ in range(4):
        account.report(10**12, "home")
        account.report(0, "office")
    assert account.credit == 0


def test_two_swarms_of_a_hybrid_that_count_for_themselves_earn_nothing_while_nothing_moves() -> None:
    account = Account()
    for first, second in ((0, 0), (100, 200), (100, 200), (100, 200)):
        account.report(first, torrent=TORRENTS[0])
        account.report(second, torrent=TORRENTS[1])
    assert account.credit <= 300
    assert [account.report(100, torrent=TORRENTS[0]), account.report(200, torrent=TORRENTS[1])] == [0, 0]


def test_a_client_that_moves_to_another_address_goes_on() -> None:
    account = Account()
    assert [account.report(100, "home"), account.report(130, "office"), account.report(140, "office")] == [0, 30, 10]


def test_a_counter_that_cannot_be_read_keeps_the_base() -> None:
    account = Account()
    assert [account.report(number) for number in (0, 1000, UNKNOWN, 2000)] == [0, 1000, 0, 1000]


def test_a_late_stopped_counts_nothing_twice_and_the_next_run_goes_on() -> None:
    account = Account()
    credits_ = [account.report(0, event=Event.STARTED), account.report(1000), account.report(0, event=Event.STARTED)]
    credits_ += [account.report(1010, event=Event.STOPPED), account.report(7)]
    assert credits_ == [0, 1000, 0, 10, 7]


def settle_in_turn(*facts: Fact) -> tuple[int, int]:
    """Settle each fact in a batch of its own; return what the key was credited: bytes uploaded and seconds seeded."""
    store = Store(length=None)
    for fact in facts:
        store.settle([fact])
    together = Store(length=None)
    together.settle(facts)
    assert together.totals == store.totals
    return store.totals["keys uploaded"], store.totals["keys seeding_seconds"]


def client(number: int) -> bytes:
    return b"-TR4050-%012d" % number


def test_a_client_under_a_new_peer_id_goes_on_with_its_counters_and_its_seeding_time() -> None:
    before = [make_fact(uploaded=5, address="home", peer_id=client(1))]
    before.append(make_fact(at=60, uploaded=30, address="home", peer_id=client(1)))
    after = make_fact(at=120, uploaded=50, address="home", peer_id=client(2))
    assert settle_in_turn(*before, after) == (45, 120)


def test_a_client_that_restarts_under_a_new_peer_id_counts_from_zero_and_keeps_seeding() -> None:
    before = [make_fact(at=at, uploaded=at, address="home", peer_id=client(1)) for at in (0, 60)]
    after = [make_fact(at=at, uploaded=at - 120, address="home", peer_id=client(2)) for at in (120, 220)]
    assert settle_in_turn(*before, *after) == (60 + 100, 220)


def test_what_stands_elsewhere_is_another_client() -> None:
    before = make_fact(uploaded=30, address="home", peer_id=client(1))
    after = make_fact(at=60, uploaded=50, address="office", peer_id=client(2))
    assert settle_in_turn(before, after) == (0, 0)


def test_peer_ids_that_take_turns_at_one_place_earn_nothing_while_nothing_moves() -> None:
    facts = [
        make_fact(at=10 * turn, uploaded=(1000, 0)[turn % 2], address="home", peer_id=client(turn % 2))
        for turn in range(8)
    ]
    assert settle_in_turn(*facts)[0] == 0


@given(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 65535), st.integers(0, 65535))
def test_a_place_tells_its_address_whatever_the_ports(one: str, other: str, port: int, other_port: int) -> None:
    place = place_of(make_fact(address=one, port=port))
    assert is_at_address(place, make_fact(address=other, port=other_port)) is (one == other)
    assert not is_at_address(place, make_fact(port=port))
    assert not is_at_address(0, make_fact(address=one, port=port))
