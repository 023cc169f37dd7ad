import { expect, test } from "vitest";
import { endOfDecision, lengthsFor } from "./terms";

test("only an exemption can last until it is ended", () => {
  const values = (decision: "exempt" | "clear" | "confirm") => lengthsFor(decision).map(({ value }) => value);
  expect(values("exempt")).toContain("");
  expect(values("clear")).not.toContain("");
  expect(values("confirm")).not.toContain("");
});

test("a decision ends after its length", () => {
  const now = new Date("2027-01-01T00:00:00.000Z");
  expect(endOfDecision("week", now)).toBe("2027-01-08T00:00:00.000Z");
  expect(endOfDecision("", now)).toBeNull();
});
