import { queryOptions } from "@tanstack/react-query";
import { announceKey, OF_HOLDER } from "./announce-key";
import "./errors";
import * as sdk from "./generated/sdk.gen";
import type { StandingReport as Standing } from "./generated/types.gen";

export type { Standing };

const FRESH_MS = 30_000;

// The announce key stays out of the query's, where tools for developers would show it; app/announce-key.ts drops what
// was fetched when the key becomes another.
export const standing = () =>
  queryOptions({
    queryKey: [OF_HOLDER, "standing"],
    queryFn: ({ signal }) => sdk.getStanding({ headers: identity(), signal }),
    refetchInterval: FRESH_MS,
  });

export const rotateKey = () => sdk.rotateOwnKey({ headers: identity() });

/** Fetch a torrent with one's own announce URL in it. */
export const torrentFile = (infoHash: string): Promise<Blob> =>
  sdk.downloadTorrent({
    path: { info_hash: infoHash },
    headers: identity(),
    parseAs: "blob",
  });

function identity() {
  return { "x-announce-key": announceKey() };
}
