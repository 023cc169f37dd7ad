import { expect, test } from "vitest";
import { nameOf, troubleOf } from "./words";

const PART = {
  name: "postgres",
  status: "down" as const,
  detail: "Not responding.",
  consequence: "Announces go on.",
  answered_at: new Date(2027, 0, 1, 16, 5).toISOString(),
  checked_at: new Date(2027, 0, 1, 16, 9).toISOString(),
  version: null,
  started_at: null,
  errors: 0,
};

test("a part that is down is described with a time and what it means", () => {
  const now = new Date(2027, 0, 1, 16, 9);
  expect(troubleOf(PART, now)).toBe("Postgres hasn't answered since 16:05. Announces go on.");
  expect(troubleOf(PART, new Date(2027, 0, 3))).toBe(
    "Postgres hasn't answered since 1 Jan 2027, 16:05. Announces go on.",
  );
  expect(troubleOf({ ...PART, answered_at: null }, now)).toContain("since the admin API was started");
});

test("a part that answers says itself what it lacks", () => {
  const waiting = { ...PART, name: "admin_api", detail: "Not ready: postgres.", consequence: "" };
  expect(troubleOf(waiting, new Date())).toBe("Not ready: postgres.");
});

test("replicas have numbers", () => {
  expect([nameOf("announce-2"), nameOf("scoring_worker"), nameOf("auditor")]).toEqual([
    "Announce 2",
    "Scoring worker",
    "auditor",
  ]);
});
