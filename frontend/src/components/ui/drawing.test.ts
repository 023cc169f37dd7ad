import { expect, test } from "vitest";
import { heldPointsOf, pointsOf, timeTicks, valueTicks } from "./drawing";
import { BYTES, COUNT, PER_SECOND } from "./measures";

const sample = (minute: number, value: number) => ({
  at: new Date(minute * 60_000).toISOString(),
  values: [value],
});
const drawn = (rows: { at: number; values: number[] }[]) =>
  rows.map(({ at, values }) => [at / 60_000, values[0]]);

test("a sample stands for the step before it, and nothing is drawn where samples are missing", () => {
  expect(drawn(pointsOf([sample(5, 1), sample(10, 2), sample(30, 3)], 300))).toEqual([
    [0, undefined],
    [0, 1],
    [5, 1],
    [10, 2],
    [25, undefined],
    [25, 3],
    [30, 3],
  ]);
});

test("the step in progress is drawn up to its latest sample", () => {
  expect(drawn(pointsOf([sample(5, 1), sample(7, 2)], 300))).toEqual([
    [0, undefined],
    [0, 1],
    [5, 1],
    [7, 2],
  ]);
});

test("a value that holds until the next is drawn as it is", () => {
  expect(drawn(heldPointsOf([sample(5, 1), sample(90, 2)]))).toEqual([
    [5, 1],
    [90, 2],
  ]);
});

test("the ticks of a day are at round hours, and midnight has a date", () => {
  const ticks = timeTicks(+new Date(2027, 0, 1, 14, 7), +new Date(2027, 0, 2, 14, 7));
  expect(ticks.map(({ label }) => label)).toEqual([
    "15:00",
    "18:00",
    "21:00",
    "2 Jan",
    "03:00",
    "06:00",
    "09:00",
    "12:00",
  ]);
});

test("the ticks of a month are at days and those of a year at months", () => {
  const month = timeTicks(+new Date(2027, 0, 3, 14), +new Date(2027, 1, 3, 14));
  expect(month.map(({ label }) => label)).toEqual(["10 Jan", "17 Jan", "24 Jan", "31 Jan"]);
  expect(month.every(({ at }) => new Date(at).getHours() === 0)).toBe(true);
  const year = timeTicks(+new Date(2027, 0, 3, 14), +new Date(2028, 0, 3, 14));
  expect(year.map(({ label }) => label)).toContain("Apr 2027");
  expect(year.every(({ at }) => new Date(at).getDate() === 1)).toBe(true);
});

test.each([
  [0, COUNT, ["0", "1"]],
  [1, COUNT, ["0", "1"]],
  [2.4, COUNT, ["0", "1", "2", "3"]],
  [7.5, COUNT, ["0", "2", "4", "6", "8"]],
  [4300, COUNT, ["0", "1K", "2K", "3K", "4K", "5K"]],
  [0.14, PER_SECOND, ["0", "0.05", "0.1", "0.15"]],
  [0.3, PER_SECOND, ["0", "0.1", "0.2", "0.3"]],
  [5 * 1024 ** 3, BYTES, ["0 GiB", "1 GiB", "2 GiB", "3 GiB", "4 GiB", "5 GiB"]],
  [1000 * 1024 ** 2, BYTES, ["0 MiB", "200 MiB", "400 MiB", "600 MiB", "800 MiB", "1000 MiB"]],
  [0, BYTES, ["0 B", "1 B"]],
])("the ticks up to %s are round", (most, measure, labels) => {
  expect(valueTicks(most, measure).map(({ label }) => label)).toEqual(labels);
});
