"""In which blocks a suspect is shown an empty swarm; announce acts on it, and the scoring worker compares."""

from hashlib import blake2b


def is_blinded(secret: bytes, key_hash8: bytes, info_hash: bytes, block: int) -> bool:
    """Return whether the numbers of seeders and leechers are hidden from a suspect in a block.

    One of the blocks 2n and 2n + 1 always is, so that slow changes of a swarm affect both halves alike; which one can't
    be known without the deployment's secret. ``key_hash8``: the first 8 bytes of the key hash. ``info_hash``: 20 bytes.
    """
    pair = (block // 2).to_bytes(8, "big")
    digest = blake2b(key_hash8 + info_hash + pair, key=secret[:64], digest_size=1, person=b"canary").digest()
    return (digest[0] ^ block) & 1 == 1
