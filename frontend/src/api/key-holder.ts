import { queryOptions } from "@tanstack/react-query";
import "./errors";
import * as sdk from "./generated/sdk.gen";
import type { StandingReport as Standing } from "./generated/types.gen";

export type { Standing };

const FRESH_MS = 30_000;

// The key stays out of the query's key, where tools for developers would show it.
export const standing = (announceKey: string) =>
  queryOptions({
    queryKey: ["standing"],
    queryFn: ({ signal }) => sdk.getStanding({ headers: identity(announceKey), signal }),
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
