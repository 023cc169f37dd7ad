"""Thresholds of the signals in single announces, and of the states that evidence leads to."""

import hashlib
from dataclasses import dataclass, replace
from typing import TypeVar

from etracker_shared.language.parameters import described


@dataclass(frozen=True)
class SignalParameters:
    """Thresholds of the signals in single announces, and of the states that evidence leads to."""

    suspect_points: float = described(40.0, "Points at which a key or guest is suspected.")
    confirm_points: float = described(100.0, "Points at which a suspicion is confirmed.")
    clear_points: float = described(15.0, "Points below which a suspicion ends.")
    points_half_life_hours: float = described(48.0, "Hours after which points have lost half of their worth.")
    confirmed_least_hours: float = described(24.0, "Hours that a confirmation lasts at least.")
    confirmed_most_days: float = described(14.0, "Days without new evidence after which a confirmation ends.")
    fingerprint_cap: float = described(45.0, "Most points from fingerprints, except from multiples of 5.")
    uncertain_cap: float = described(
        90.0, "Most points from all evidence together of which no kind convicts by itself."
    )
    rows_per_day: int = described(20, "Pieces of evidence stored per key or guest and day.")
    inherited_share: float = described(0.5, "Share of the points that a new key inherits from one at its address.")
    inherit_hours: float = described(24.0, "Hours within which a new key inherits points.")

    longest_step_hours: float = described(3.0, "Hours between two announces after which a difference proves nothing.")
    smallest_size_mb: float = described(50.0, "Size of a torrent in MB below which downloads and left aren't compared.")

    rate_bytes_per_second: float = described(1.25e9, "Upload rate in bytes per second that no line carries.")
    rate_least_mib: float = described(
        1024.0, "MiB that must be uploaded between two announces before the rate is checked."
    )
    rate_points: float = described(50.0, "Points for an impossible upload rate.")

    fall_least_mib: float = described(1.0, "MiB: a counter that falls to less has been reset.")
    falls_least: int = described(3, "Times that the upload counter must fall.")
    falls_share: float = described(0.2, "Share of a session's announces in which it must fall.")
    fall_points: float = described(15.0, "Points for each fall of the upload counter.")
    fall_cap: float = described(120.0, "Most points for that.")

    gap_step_share: float = described(0.8, "Share of a fall of left that no download may explain before it counts.")
    gap_step_pieces: float = described(8.0, "Pieces by which left must fall without a download.")
    gap_share: float = described(0.1, "Share of the size that must be missing from the reported downloads.")
    gap_pieces: float = described(64.0, "Pieces that must be missing from the reported downloads.")
    gap_points: float = described(46.0, "Points for each fall of left that proves a hidden download.")
    gap_cap: float = described(125.0, "Most points for that.")
    gap_once_points: float = described(
        8.0, "Points for one fall of left without a download, which a check also causes."
    )
    gap_once_cap: float = described(24.0, "Most points for that.")

    excess_share: float = described(0.4, "Downloads in excess of what left fell by, as a share of the size.")
    excess_least_mib: float = described(256.0, "MiB that such an excess must have.")
    excess_step_share: float = described(
        0.5, "Most that one announce's downloads add to the excess, as a share of the size."
    )
    excess_step_mib: float = described(128.0, "MiB that one announce's downloads may add, however small the torrent.")
    excess_noise_share: float = described(0.005, "Share of the size that isn't remembered as an excess.")
    excess_points: float = described(25.0, "Points for the first excess.")
    excess_size_points: float = described(80.0, "Points for each size of the torrent in excess.")
    excess_level_points: float = described(10.0, "Points that an excess must be worth before more evidence is written.")
    excess_cap: float = described(150.0, "Most points for an excess.")

    cycle_sessions: int = described(4, "Sessions that must have downloaded.")
    cycle_sizes: float = described(1.6, "Sizes of the torrent that they must have downloaded.")
    cycle_level_sizes: float = described(0.2, "Sizes downloaded for each further level.")
    cycle_note_share: float = described(0.03, "Share of the size in steps of which downloads are remembered.")
    cycle_only_note_share: float = described(
        0.25, "Share of the size in steps of which they are remembered if no other session has downloaded."
    )
    cycle_points: float = described(12.0, "Points for each level.")
    cycle_cap: float = described(130.0, "Most points for that.")

    nothing_share: float = described(0.999, "Share of the size that a client must have left to own nothing.")
    nothing_upload_mib: float = described(8.0, "MiB that a client which owns nothing may upload.")
    nothing_points: float = described(
        8.0, "Points for each upload by a client that owns nothing, from the second one on."
    )
    nothing_cap: float = described(60.0, "Most points for that.")

    events_least: int = described(3, "Times that a session must send an event before it counts.")
    event_points: float = described(11.0, "Points for each.")
    event_cap: float = described(120.0, "Most points for started events, and for completed events.")
    event_repeat_seconds: float = described(15.0, "Seconds within which a repeated event is a repeated request.")
    event_retry_seconds: float = described(300.0, "Seconds in which an event counts once while no counter changes.")
    flood_announces: int = described(15, "Announces of a session in an hour that are a flood.")
    flood_points: float = described(8.0, "Points for an hour's flood.")
    flood_cap: float = described(20.0, "Most points for floods.")

    multiples_steps: int = described(8, "Uploads in succession that must be divisible by 5.")
    multiples_points: float = described(20.0, "Points for them.")
    multiples_step_points: float = described(10.0, "Points for each further one.")
    multiples_cap: float = described(110.0, "Most points for multiples of 5.")
    constant_steps: int = described(10, "Upload rates in succession that are compared.")
    constant_variation: float = described(0.01, "Coefficient of variation below which a rate is constant.")
    constant_least_rate: float = described(20_000.0, "Bytes per second that a constant rate must have.")
    constant_points: float = described(10.0, "Points for a constant rate.")
    constant_cap: float = described(20.0, "Most points for constant rates.")
    agent_points: float = described(10.0, "Points for a User-Agent of another client than the peer_id's.")
    agent_cap: float = described(10.0, "Most points for that.")
    port_points: float = described(10.0, "Points for port 49152 together with multiples of 5.")
    port_cap: float = described(10.0, "Most points for that.")


VARIED = (
    "rate_bytes_per_second",
    "gap_share",
    "gap_pieces",
    "gap_step_pieces",
    "excess_share",
    "excess_least_mib",
    "cycle_sizes",
    "nothing_upload_mib",
    "constant_variation",
    "constant_least_rate",
)
"""The thresholds that differ from tracker to tracker, so that nobody can learn from one how to stay below another's."""

JITTER = 0.1
_RANGE = 2**64

ParametersT = TypeVar("ParametersT", bound=SignalParameters)


def vary(parameters: ParametersT, seed: bytes, names: tuple[str, ...] = VARIED) -> ParametersT:
    """Return parameters whose thresholds ``names`` differ by up to 10 % either way, depending on a secret seed."""
    return replace(parameters, **{name: getattr(parameters, name) * _factor(seed, name) for name in names})


def _factor(seed: bytes, name: str) -> float:
    drawn = hashlib.blake2b(name.encode(), key=seed[:64], digest_size=8).digest()
    return 1 + JITTER * (2 * int.from_bytes(drawn, "big") / _RANGE - 1)
