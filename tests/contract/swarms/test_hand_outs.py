"""The log of handed suspects on every Redis flavour: notes travel with steps, and a message is claimed once."""

import asyncio

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_shared.agreements.block_lists import pack_handed, unpack_handed
from tests.contract.swarms.peers import NOW, ipv4, step

RECIPIENTS = [bytes([number]) * 8 for number in range(20)]
FIELD, NAME = bytes(16), b"addressX"


async def read(swarms: RedisSwarms, recipient: bytes) -> dict[bytes, bytes]:
    return dict((await swarms.announce(step(1)._replace(recipient=recipient), None)).handed)


async def test_notes_are_there_for_the_next_step_wherever_their_keys_are(swarms: RedisSwarms) -> None:
    value = pack_handed([ipv4(7)], NOW)
    for recipient in RECIPIENTS:
        swarms.hand_outs.note(recipient, {FIELD: value})
    await swarms.announce(step(2), b"fact")
    found = await asyncio.gather(*(read(swarms, recipient) for recipient in RECIPIENTS))
    assert found == [{FIELD: value}] * len(RECIPIENTS)
    assert [one.endpoints for one in unpack_handed(found[0], NOW)] == [(ipv4(7),)]
    assert await read(swarms, b"stranger") == {}


async def test_notes_that_no_step_follows_are_sent_as_well(swarms: RedisSwarms) -> None:
    for place in range(4):
        swarms.hand_outs.note_key_at(NAME, RECIPIENTS[place], NOW)
    async with asyncio.timeout(10):
        while await swarms.hand_outs.is_publishable([NAME], NOW):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await swarms.hand_outs.is_publishable([b"others--"], NOW)


async def test_of_several_claims_of_one_message_one_succeeds(swarms: RedisSwarms) -> None:
    claims = [swarms.hand_outs.claim(RECIPIENTS[3], FIELD + b"w", bytes(4), [NAME], NOW) for _ in range(5)]
    assert sorted(await asyncio.gather(*claims)) == [False] * 4 + [True]
    own = [swarms.hand_outs.claim_own(RECIPIENTS[4], NOW, NOW) for _ in range(5)]
    assert sorted(await asyncio.gather(*own)) == [False] * 4 + [True]
