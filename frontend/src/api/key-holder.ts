import { queryOptions } from "@tanstack/react-query";
import { announceKey, KEY_HOLDER } from "./announce-key";
import "./errors";
import * as sdk from "./generated/sdk.gen";
import type { NewAddress, OwnAnomaly, Recovery, StandingReport as Standing } from "./generated/types.gen";

export type { NewAddress, OwnAnomaly, Recovery, Standing };

const REFRESH_MS = 30_000;

// The announce key isn't part of the query key, where developer tools would show it. Instead, announce-key.ts drops
// the cached data when the announce key changes.
export const standing = () =>
  queryOptions({
    queryKey: [KEY_HOLDER, "standing"],
    queryFn: ({ signal }) => sdk.getStanding({ headers: identity(), signal }),
    refetchInterval: REFRESH_MS,
  });

export const recovery = () =>
  queryOptions({
    queryKey: [KEY_HOLDER, "recovery"],
    queryFn: ({ signal }) => sdk.showRecovery({ headers: identity(), signal }),
    refetchInterval: REFRESH_MS,
  });

/** What was confirmed about the visitor's key, and the appeals. */
export const ownAnomaly = () =>
  queryOptions({
    queryKey: [KEY_HOLDER, "anomaly"],
    queryFn: ({ signal }) => sdk.showOwnAnomaly({ headers: identity(), signal }),
    refetchInterval: REFRESH_MS,
  });

export const sendAppeal = (text: string) => sdk.appeal({ headers: identity(), body: { text } });

export const newAddresses = () =>
  queryOptions({
    queryKey: [KEY_HOLDER, "addresses"],
    queryFn: ({ signal }) => sdk.listNewAddresses({ headers: identity(), signal }),
  });

/** When the visitor's key was replaced by a rotation that it can still undo. */
export const rotation = () =>
  queryOptions({
    queryKey: [KEY_HOLDER, "rotation"],
    queryFn: ({ signal }) => sdk.showRotation({ headers: identity(), signal }),
    retry: false,
  });

export const undoRotation = () => sdk.undoRotation({ headers: identity() });

/** Replace a stolen key, whatever it is now, with its recovery code. */
export const recoverKey = (code: string) => sdk.recoverKey({ body: { recovery_code: code } });

export const askForCode = () => sdk.askForRecoveryCode({ headers: identity() });

export const objectToCode = () => sdk.objectToRecoveryCode({ headers: identity() });

export const claimCode = (claim: string) => sdk.claimRecoveryCode({ headers: identity(), body: { claim } });

export const disown = ({ code, since }: { code: string; since: string }) =>
  sdk.disownSessions({ headers: identity(), body: { recovery_code: code, since } });

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
