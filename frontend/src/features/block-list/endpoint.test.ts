import { expect, test } from "vitest";
import { endpoint } from "./endpoint";

test("an IPv6 address is in brackets before its port", () => {
  expect(endpoint({ address: "192.0.2.1", port: 6881 })).toBe("192.0.2.1:6881");
  expect(endpoint({ address: "2001:db8::1", port: 6881 })).toBe("[2001:db8::1]:6881");
});
