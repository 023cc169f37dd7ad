// The search parameters of each page. Unknown ones are ignored, so that an old or mistyped link still opens.

import {
  Action,
  AnomalySort,
  BanKind,
  Health,
  Hour,
  KeySort,
  Span,
  StateName,
  TorrentSort,
  VerdictName,
} from "@/api/enums";

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

/** Return the value if it belongs to the enum. */
function oneOf<const T extends string>(value: unknown, allowed: Record<string, T>): T | undefined {
  return Object.values(allowed).find((one) => one === value);
}

/** Every parameter is optional. */
type Optional<T> = { [K in keyof T]?: T[K] | undefined };

export const historySearch = (raw: RawSearch): Optional<{ span: Span; show: string }> => ({
  span: oneOf(raw.span, Span),
  show: text(raw.show),
});

export const torrentSearch = (
  raw: RawSearch,
): Optional<{
  q: string;
  sort: TorrentSort;
  health: Health;
  cursor: string;
}> => ({
  q: text(raw.q),
  sort: oneOf(raw.sort, TorrentSort),
  health: oneOf(raw.health, Health),
  cursor: text(raw.cursor),
});

export const keySearch = (raw: RawSearch): Optional<{ q: string; sort: KeySort; cursor: string }> => ({
  q: text(raw.q),
  sort: oneOf(raw.sort, KeySort),
  cursor: text(raw.cursor),
});

export const banSearch = (raw: RawSearch): Optional<{ q: string; kind: BanKind; cursor: string }> => ({
  q: text(raw.q),
  kind: oneOf(raw.kind, BanKind),
  cursor: text(raw.cursor),
});

export const anomalySearch = (
  raw: RawSearch,
): Optional<{
  q: string;
  state: StateName;
  verdict: VerdictName;
  client: string;
  appealed: "true";
  sort: AnomalySort;
  cursor: string;
}> => ({
  q: text(raw.q),
  state: oneOf(raw.state, StateName),
  verdict: oneOf(raw.verdict, VerdictName),
  client: text(raw.client),
  appealed: raw.appealed === "true" ? raw.appealed : undefined,
  sort: oneOf(raw.sort, AnomalySort),
  cursor: text(raw.cursor),
});

export const evidenceSearch = (raw: RawSearch): Optional<{ cursor: string }> => ({
  cursor: text(raw.cursor),
});

export const auditSearch = (
  raw: RawSearch,
): Optional<{ operator: string; action: Action; cursor: string }> => ({
  operator: text(raw.operator),
  action: oneOf(raw.action, Action),
  cursor: text(raw.cursor),
});

export const prefixSearch = (raw: RawSearch): Optional<{ hour: Hour; cursor: string }> => ({
  hour: oneOf(raw.hour, Hour),
  cursor: text(raw.cursor),
});

export const settingSearch = (raw: RawSearch): Optional<{ q: string; show: "changed" }> => ({
  q: text(raw.q),
  show: raw.show === "changed" ? raw.show : undefined,
});
