import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeMode, identityName, kindName, kindsByPoints } from "./words";

test("kinds come in the order of their points, without those that have none left", () => {
  expect(kindsByPoints({ "F:ua": 10, "P:rate": 50.5, "E:flood": 0 })).toEqual(["P:rate", "F:ua"]);
});

test("every kind of evidence that the services know has a name", () => {
  const agreed = "../shared/etracker_shared/agreements/anomalies.py";
  const kinds = readFileSync(agreed, "utf8").match(/"[PEFCD]:\w+"/g) ?? [];
  expect(kinds.length).toBeGreaterThan(10);
  const nameless = kinds.map((kind) => kind.slice(1, -1)).filter((kind) => kindName(kind) === kind);
  expect(nameless).toEqual([]);
  expect(kindName("X:new")).toBe("X:new");
});

test("keys have numbers, guests the start of their hash", () => {
  const key_hash = "0123456789abcdef0123456789abcdef";
  expect(identityName({ key_id: 7, key_hash })).toBe("Key #7");
  expect(identityName({ key_id: null, key_hash })).toBe("Guest 0123456789ab");
});

test("every mode says what to do", () => {
  expect(describeMode("off")).toContain("ETRACKER_DETECTION");
  expect(describeMode("observe")).toContain("enforce");
  expect(describeMode("enforce")).toContain("Clear a mistake");
  expect(describeMode(undefined)).toBeUndefined();
});
