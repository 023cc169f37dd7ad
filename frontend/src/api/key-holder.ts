import { queryOptions } from "@tanstack/react-query";
import "./errors";
import * as sdk from "./generated/sdk.gen";
import { client } from "./generated/client.gen";

export interface Standing {
  tier: number;
  tier_name: string;
  score: number;
  parts: { recent: number; average: number; length: number; conduct: number };
  maximum: { recent: number; average: number; length: number };
  snatches: number;
  snatches_owed: { info_hash: string; name: string; seconds_left: number }[];
  next_tier: {
    tier: number;
    tier_name: string;
    score_needed: number;
    advice: string;
    expected_at: string | null;
  } | null;
  thresholds: Record<string, number>;
  history: { at: string; tier: number; score: number }[];
  notice: { text: string; since: string; advice: string } | null;
  torrents: {
    info_hash: string;
    name: string;
    size: number | null;
    seeding: boolean;
    seeding_seconds: number;
    uploaded_bytes: number;
    downloaded_bytes: number;
    last_seen: string;
  }[];
  uploaded_bytes: number;
  downloaded_bytes: number;
  seeding_seconds: number;
  created: string;
  last_seen: string | null;
}

const FRESH_MS = 30_000;

// The key stays out of the query's key, where tools for developers would show it.
export const standing = (announceKey: string) =>
  queryOptions({
    queryKey: ["standing"],
    queryFn: ({ signal }) =>
      client.get<Standing, unknown, true, "data">({
        url: "/api/v1/standing",
        headers: identity(announceKey),
        signal,
        responseStyle: "data",
      }),
    refetchInterval: FRESH_MS,
  });

export const rotateKey = (announceKey: string) => sdk.rotateOwnKey({ headers: identity(announceKey) });

/** Fetch a torrent with one's own announce URL in it. */
export const torrentFile = (infoHash: string, announceKey: string): Promise<Blob> =>
  sdk.downloadTorrent({
    path: { info_hash: infoHash },
    headers: identity(announceKey),
    parseAs: "blob",
  });

function identity(announceKey: string) {
  return { "x-announce-key": announceKey };
}
