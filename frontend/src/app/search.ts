// What a page's URL may say. Anything else in it is ignored, so that an old or mistyped link still opens.

import type { Action } from "@/api/operator";

export type RawSearch = Record<string, unknown>;

export function parseSearch(query: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

export function stringifySearch(search: RawSearch): string {
  const given = Object.entries(search).filter(([, value]) => typeof value === "string" && value !== "");
  const query = new URLSearchParams(given as [string, string][]).toString();
  return query && `?${query}`;
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}

const SPANS = ["day", "month", "year"] as const;
const HEALTHS = ["healthy", "weak", "unseeded", "idle"] as const;
export const ACTIONS = [
  "infohash.add",
  "infohash.rename",
  "infohash.remove",
  "torrent.upload",
  "key.disable",
  "key.enable",
  "key.rotate",
  "operator.add",
  "operator.revoke",
  "peers.read",
] as const satisfies readonly Action[];
const TORRENT_ORDERS = ["name", "seeders", "leechers", "snatches", "size", "added"] as const;
const KEY_ORDERS = ["created", "last_seen", "uploaded", "downloaded", "snatched", "score"] as const;

/** By a column upwards, or with a `-` before it downwards. */
type Order<T extends string> = T | `-${T}`;

/** Every parameter may be missing from a link. */
type Optional<T> = { [K in keyof T]?: T[K] | undefined };

export const span = (raw: RawSearch): Optional<{ span: (typeof SPANS)[number] }> => ({
  span: oneOf(raw.span, SPANS),
});

export const torrentSearch = (
  raw: RawSearch,
): Optional<{
  q: string;
  sort: Order<(typeof TORRENT_ORDERS)[number]>;
  health: (typeof HEALTHS)[number];
  cursor: string;
}> => ({
  q: text(raw.q),
  sort: order(raw.sort, TORRENT_ORDERS),
  health: oneOf(raw.health, HEALTHS),
  cursor: text(raw.cursor),
});

export const keySearch = (
  raw: RawSearch,
): Optional<{ q: string; sort: Order<(typeof KEY_ORDERS)[number]>; cursor: string }> => ({
  q: text(raw.q),
  sort: order(raw.sort, KEY_ORDERS),
  cursor: text(raw.cursor),
});

export const auditSearch = (
  raw: RawSearch,
): Optional<{ operator: string; action: Action; cursor: string }> => ({
  operator: text(raw.operator),
  action: oneOf(raw.action, ACTIONS),
  cursor: text(raw.cursor),
});

export const settingSearch = (raw: RawSearch): Optional<{ q: string; show: "changed" }> => ({
  q: text(raw.q),
  show: oneOf(raw.show, ["changed"]),
});

function order<const T extends string>(value: unknown, columns: readonly T[]): Order<T> | undefined {
  return columns.flatMap((column): Order<T>[] => [column, `-${column}`]).find((one) => one === value);
}
