import { expect, test } from "vitest";
import { endOf, LENGTHS, parseLength } from "./lengths";

const NOW = new Date("2026-01-01T00:00:00Z");

test("a ban ends after its length, a permanent one never", () => {
  expect(endOf("", NOW)).toBeNull();
  expect(endOf("hour", NOW)).toBe("2026-01-01T01:00:00.000Z");
  expect(endOf("week", NOW)).toBe("2026-01-08T00:00:00.000Z");
});

test("every length that can be chosen is understood, anything else is permanent", () => {
  for (const { value } of LENGTHS) expect(parseLength(value)).toBe(value);
  expect(parseLength("forever")).toBe("");
});
