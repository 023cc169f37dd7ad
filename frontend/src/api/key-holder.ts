import { queryOptions } from "@tanstack/react-query";
import { announceKey, KEY_HOLDER } from "./announce-key";
import "./errors";
import * as sdk from "./generated/sdk.gen";
import type { StandingReport as Standing } from "./generated/types.gen";

export type { Standing };

const REFRESH_MS = 30_000;

// The announce key isn't part of the query key, where developer tools would show it. Instead, announce-key.ts drops
// the cached data when the announce key changes.
export const standing = () =>
  queryOptions({
    queryKey: [KEY_HOLDER, "standing"],
    queryFn: ({ signal }) => sdk.getStanding({ headers: identity(), signal }),
    refetchInterval: REFRESH_MS,
  });

export const rotateKey = () => sdk.rotateOwnKey({ headers: identity() });

/** Download a torrent file that contains the visitor's announce URL. */
export const torrentFile = (infoHash: string): Promise<Blob> =>
  sdk.downloadTorrent({
    path: { info_hash: infoHash },
    headers: identity(),
    parseAs: "blob",
  });

function identity() {
  return { "x-announce-key": announceKey() };
}
