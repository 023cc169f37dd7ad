import { expect, test } from "vitest";
import type { SwarmBalance } from "@/api/anomalies";
import { imbalanceOf, trafficOf, witnessesOf } from "./balance";

const END = "2027-01-01T06:00:00.000Z";
const HOURS = ["2027-01-01T00:00:00.000Z", "2027-01-01T02:00:00.000Z", "2027-01-01T04:00:00.000Z"] as const;

function block(start: string, uploaded: number, cusum: number, witnesses: number) {
  return { start, uploaded, received: 10, noise: 1, cusum, onset: null, trusted: true, witnesses };
}

const BALANCE: SwarmBalance = {
  torrent: { info_hash: "0".repeat(40), name: "a film" },
  size: 1,
  private: true,
  block_seconds: 7200,
  onset: HOURS[2],
  blocks: [block(HOURS[0], 30, 20, 9), block(HOURS[2], 50, 60, 3)],
  witnesses: [],
  accused: [
    {
      anomaly_id: 1,
      key_id: 1,
      key_hash: "0".repeat(32),
      state: "confirmed",
      blocks: [{ start: HOURS[2], uploaded: 45, received: 0, dropped: 0 }],
    },
  ],
};

test("a block without traffic is drawn as one in which nothing was transferred", () => {
  expect(trafficOf(BALANCE)).toEqual([
    { at: HOURS[1], values: [30, 10, 0] },
    { at: HOURS[2], values: [0, 0, 0] },
    { at: END, values: [50, 10, 45] },
  ]);
});

test("the sum stays as it is in a block without traffic", () => {
  expect(imbalanceOf(BALANCE).map(({ values }) => values)).toEqual([[20], [20], [60]]);
});

test("the accused has no line once its traffic is no longer kept", () => {
  const [first] = BALANCE.accused;
  const forgotten = { ...BALANCE, accused: first === undefined ? [] : [{ ...first, blocks: [] }] };
  expect(trafficOf(forgotten)[0]?.values).toEqual([30, 10]);
});

test("witnesses are counted since the onset, and in all blocks without one", () => {
  expect(witnessesOf(BALANCE)).toEqual([3, 3]);
  expect(witnessesOf({ ...BALANCE, onset: null })).toEqual([3, 9]);
});

test("nothing is drawn without blocks", () => {
  const empty = { ...BALANCE, blocks: [] };
  expect(trafficOf(empty)).toEqual([]);
  expect(witnessesOf(empty)).toEqual([0, 0]);
});
