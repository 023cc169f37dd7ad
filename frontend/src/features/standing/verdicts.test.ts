import { expect, test } from "vitest";
import { consequence } from "./verdicts";

test("without enforcement a confirmation has no consequences", () => {
  expect(consequence({ enforced: false, verdict: "waste" })).toContain("no consequences");
});

test("only those who waste bandwidth get no peers after a day", () => {
  expect(consequence({ enforced: true, verdict: "waste" })).toContain("none after a day");
  expect(consequence({ enforced: true, verdict: "statistics" })).not.toContain("none after a day");
});
