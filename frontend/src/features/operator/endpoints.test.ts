import { expect, test } from "vitest";
import { endpoints } from "./endpoints";

test("a peer with an IPv4 and an IPv6 address shows both", () => {
  expect(endpoints({ address: "192.0.2.7", port: 51413, address6: "2001:db8::7", port6: 51414 })).toEqual([
    "192.0.2.7:51413",
    "[2001:db8::7]:51414",
  ]);
});

test("a peer with one address shows it once", () => {
  expect(endpoints({ address: "192.0.2.7", port: 51413, address6: null, port6: null })).toEqual([
    "192.0.2.7:51413",
  ]);
  expect(endpoints({ address: "2001:db8::7", port: 51413, address6: "2001:db8::7", port6: 51413 })).toEqual([
    "[2001:db8::7]:51413",
  ]);
});
