"""Thresholds of the comparison of a swarm's uploads and downloads."""

from dataclasses import dataclass

from etracker_shared.language.parameters import described


@dataclass(frozen=True)
class BalanceParameters:
    """Thresholds of the comparison of a swarm's uploads and downloads."""

    judge_after_seconds: int = described(2700, "Seconds after the end of a block until it is judged.")
    longest_gap_hours: float = described(3.0, "Hours between two announces after which a fall of left proves nothing.")
    noise_floor_mib: float = described(96.0, "Least standard deviation of an honest balance in a block, in MiB.")
    noise_share: float = described(
        0.16, "Honest imbalance, as a share of the root of the sum of the members' squared transfers."
    )
    drift_share: float = described(0.06, "Imbalance, as a share of a block's traffic, that is forgiven in every block.")
    gate_mib: float = described(384.0, "Summed imbalance in MiB at which the cause is looked for.")

    learn_closed: bool = described(
        True,  # noqa: FBT003
        "Whether a torrent that isn't flagged as private counts as closed once its swarm has been balanced for long.",
    )
    active_block_mib: float = described(128.0, "Traffic in MiB that a block needs to say whether a swarm is closed.")
    balanced_sigmas: float = described(2.0, "Standard deviations within which a block is balanced.")
    balanced_most_share: float = described(0.5, "Greatest imbalance of such a block, as a share of its traffic.")
    trust_blocks: int = described(5, "Active blocks that a private torrent needs before it counts as closed.")
    trust_share: float = described(0.7, "Share of them that must be balanced.")
    learning_blocks: int = described(10, "Active blocks that any other torrent needs before it counts as closed.")
    learning_share: float = described(0.9, "Share of them that must be balanced.")

    gain_clip: float = described(12.0, "Most that one block can add to what an explanation gains.")
    hidden_mib: float = described(256.0, "MiB by which left fell without a download before it is compared.")
    hidden_gain: float = described(9.0, "What hidden downloads must explain of the imbalance, in squared sigmas.")
    hidden_least_ratio: float = described(0.7, "Least ratio of the imbalance to the hidden downloads explaining it.")
    hidden_most_ratio: float = described(1.5, "Greatest ratio of the imbalance to the hidden downloads explaining it.")
    hidden_points: float = described(30.0, "Points for hidden downloads that explain an imbalance.")
    hidden_cap: float = described(45.0, "Most points for that in one torrent.")
    hidden_points_untrusted: float = described(10.0, "Points for that in a torrent that may have other trackers.")
    hidden_cap_untrusted: float = described(15.0, "Most points for that in such a torrent.")

    upload_mib: float = described(256.0, "Least unreceived uploads in MiB that a member is accused of.")
    upload_gain: float = described(20.0, "What a member's uploads must explain of the imbalance, in squared sigmas.")
    upload_blocks: int = described(4, "Least blocks in which they must explain something.")
    upload_level: float = described(12.0, "Points per sigma of an explanation.")
    exceeding_points: float = described(20.0, "Points for uploads beyond what all possible receivers downloaded.")
    doubtful_cap: float = described(45.0, "Most points, over all torrents, for an accusation that can't convict.")
    untrusted_cap: float = described(45.0, "Most points, over all torrents, from swarms that may not be closed.")
    untrusted_level: float = described(30.0, "Most points for an accusation in such a swarm.")
    most_accused: int = described(4, "Members that may be accused together before nobody is.")
    most_candidates: int = described(64, "Greatest uploaders of a torrent that are compared with its imbalance.")
    witnesses: int = described(3, "Other seeders that must have been there for an accusation to convict.")
    witness_share: float = described(0.6, "Share of the explained blocks in which a witness was there.")
    rest_ratio: float = described(1.15, "Greatest ratio of the others' uploads to all downloads that convicts.")
    sink_ratio: float = described(1.73, "Ratio at which somebody must be hiding downloads, and nobody is accused.")
    surplus_share: float = described(0.05, "Others' unreceived uploads, as a share of the accused's, that convict.")
    sink_surplus_share: float = described(0.25, "Share at which somebody must be hiding downloads.")
    shared_fit: float = described(
        0.2, "Greatest misfit of an accusation that convicts, over that of a hidden download."
    )
    unexplained_sigmas: float = described(
        0.4, "Sigmas per block that an accusation may leave unexplained and convict even so."
    )
    stalled_share: float = described(0.85, "Share of the bad blocks in which a leecher stalls that may be the cause.")
    stalled_balanced: int = described(3, "Balanced blocks in which it was there that show that it isn't the cause.")

    sink_share: float = described(0.8, "Share of a stalled leecher's blocks that must be unbalanced.")
    sink_other_share: float = described(0.2, "Greatest share of the other blocks that may be unbalanced.")
    sink_points: float = described(14.0, "Points per block for the only leecher whose stay matches the imbalance.")
    sink_cap: float = described(80.0, "Most points for that.")
    shared_sink_points: float = described(5.0, "Points per block if there are two or three such leechers.")
    shared_sink_cap: float = described(30.0, "Most points for that.")

    canary_pairs: int = described(18, "Pairs of blocks after which the canary is read for the last time.")
    canary_first_pairs: int = described(12, "Pairs of blocks after which the canary is read for the first time.")
    canary_chance: float = described(0.0005, "Chance at which uploads that follow the counts shown are no accident.")
    canary_share: float = described(0.5, "Greatest share of the usual uploads that a blinded faker still reports.")
    canary_points: float = described(60.0, "Points for uploads that follow the counts shown.")
