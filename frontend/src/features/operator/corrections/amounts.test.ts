import { expect, test } from "vitest";
import { parseAmount, parseWay } from "./amounts";

test("an amount is a value or a difference", () => {
  expect(parseAmount("to", "0")).toEqual({ to: 0 });
  expect(parseAmount("add", " 1,000 ")).toEqual({ by: 1000 });
  expect(parseAmount("subtract", "1 000_000")).toEqual({ by: -1_000_000 });
});

test("what isn't a whole number that a browser can send exactly is refused", () => {
  for (const text of ["", "-1", "1.5", "1e3", "ten", "9007199254740993", "12345678901234567890"]) {
    expect(parseAmount("to", text)).toBeNull();
  }
});

test("an unknown way sets the value", () => {
  expect(parseWay("subtract")).toBe("subtract");
  expect(parseWay("multiply")).toBe("to");
});
