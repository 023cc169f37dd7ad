import { expect, test } from "vitest";
import { shareOf } from "./shares";

test("a share is rounded, and never shown as nothing or as more than all", () => {
  expect(shareOf(3, 1000)).toBe("evidence about fewer than 1 %");
  expect(shareOf(2, 3)).toBe("evidence about 67 %");
  expect(shareOf(9, 4)).toBe("evidence about all or nearly all");
  expect(shareOf(1, 0)).toBe("evidence about all or nearly all");
});
