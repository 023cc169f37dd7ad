import { expect, test } from "vitest";
import { ago, bytes, duration, expected, relative, roughly, shortCount } from "./format";

test("sizes have three digits and a binary unit", () => {
  expect([0, 512, 999, 1000, 1536, 734_003_200, 98e9, 2 ** 50].map(bytes)).toEqual([
    "0 B",
    "512 B",
    "999 B",
    "0.98 KiB",
    "1.50 KiB",
    "700 MiB",
    "91.3 GiB",
    "1.00 PiB",
  ]);
});

test("time spans have their two largest units", () => {
  expect([0, 30, 90, 3600, 90_061, 86_400 * 400].map(duration)).toEqual([
    "0 min",
    "less than a minute",
    "1 min",
    "1 h",
    "1 d 1 h",
    "1 y 35 d",
  ]);
});

test("moments are relative to now", () => {
  const now = new Date("2026-01-10T12:00:00Z");
  const shown = (iso: string) => relative(new Date(iso), now);
  expect(shown("2026-01-10T11:59:40Z")).toBe("just now");
  expect(shown("2026-01-10T11:30:00Z")).toBe("30 minutes ago");
  expect(shown("2026-01-09T12:00:00Z")).toBe("yesterday");
  expect(shown("2026-01-29T12:00:00Z")).toBe("in 19 days");
});

test("an expected moment is never called past or present", () => {
  const now = new Date("2026-01-10T12:00:00Z");
  const shown = (iso: string) => expected(new Date(iso), now);
  expect(shown("2026-01-12T12:00:00Z")).toBe("in 2 days");
  expect(shown("2026-01-10T12:01:00Z")).toBe("in 1 minute");
  expect(shown("2026-01-10T12:00:59Z")).toBe("in less than a minute");
  expect(shown("2026-01-10T12:00:01Z")).toBe("in less than a minute");
  for (const passed of ["2026-01-10T12:00:00Z", "2026-01-10T11:58:00Z", "2025-12-10T12:00:00Z"]) {
    expect(shown(passed)).toBe("any moment now");
  }
});

test("recent moments are shown to the second", () => {
  const now = new Date("2026-01-10T12:00:00Z");
  const shown = (iso: string) => ago(new Date(iso), now);
  expect(shown("2026-01-10T11:59:57.8Z")).toBe("2 s ago");
  expect(shown("2026-01-10T11:58:45Z")).toBe("75 s ago");
  expect(shown("2026-01-10T11:57:00Z")).toBe("3 minutes ago");
  expect(shown("2026-01-10T12:00:05Z")).toBe("0 s ago");
});

test("means below one are shown as such", () => {
  expect([0, 0.04, 0.6, 1.2, 1200].map((mean) => roughly(mean, "seeder"))).toEqual([
    "0 seeders",
    "less than one seeder",
    "1 seeder",
    "1 seeder",
    "1,200 seeders",
  ]);
  expect([0, 0.04, 3, 4200].map(shortCount)).toEqual(["0", "0.04", "3", "4.2K"]);
});
