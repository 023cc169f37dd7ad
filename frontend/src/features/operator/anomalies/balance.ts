import type { SwarmBalance } from "@/api/anomalies";

type Values = { at: string; values: number[] }[];

/** The blocks of a balance without gaps: nothing is transferred in a block that is left out, and the sum stays. */
function fill({ blocks, block_seconds }: SwarmBalance) {
  const known = new Map(blocks.map((block) => [Date.parse(block.start), block]));
  const first = Math.min(...known.keys());
  const last = Math.max(...known.keys());
  const starts = blocks.length === 0 ? [] : rangeOf(first, last, block_seconds * 1000);
  let cusum = 0;
  return starts.map((start) => {
    const block = known.get(start);
    cusum = block?.cusum ?? cusum;
    return { start, uploaded: block?.uploaded ?? 0, received: block?.received ?? 0, cusum };
  });
}

function rangeOf(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}

/** When a block ends, for a chart. */
function endOf(start: number, { block_seconds }: SwarmBalance): string {
  return new Date(start + block_seconds * 1000).toISOString();
}

/** Uploaded and received per block, and what the accused uploaded unless its traffic is no longer kept. */
export function trafficOf(balance: SwarmBalance): Values {
  const accused = balance.accused[0]?.blocks ?? [];
  const uploads = new Map(accused.map(({ start, uploaded }) => [Date.parse(start), uploaded]));
  return fill(balance).map(({ start, uploaded, received }) => ({
    at: endOf(start, balance),
    values: [uploaded, received, ...(accused.length > 0 ? [uploads.get(start) ?? 0] : [])],
  }));
}

/** What was uploaded without a receiver, summed since the onset. */
export function imbalanceOf(balance: SwarmBalance): Values {
  return fill(balance).map(({ start, cusum }) => ({ at: endOf(start, balance), values: [cusum] }));
}

/** How many others were seeding in the blocks since the onset: the fewest and the most. */
export function witnessesOf({ blocks, onset }: SwarmBalance): [number, number] {
  const since = onset === null ? -Infinity : Date.parse(onset);
  const counts = blocks.filter(({ start }) => Date.parse(start) >= since).map(({ witnesses }) => witnesses);
  return counts.length === 0 ? [0, 0] : [Math.min(...counts), Math.max(...counts)];
}
