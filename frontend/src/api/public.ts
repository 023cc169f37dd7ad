import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import "./errors";
import type { Health, Span, TorrentSort } from "./enums";
import * as sdk from "./generated/sdk.gen";
import type {
  BlockList,
  StatsSample as TrackerSample,
  TorrentDetailV1 as TorrentDetail,
  TorrentSample,
  TorrentV1 as Torrent,
} from "./generated/types.gen";

export type { BlockList, Torrent, TorrentDetail, TorrentSample, TrackerSample };

export interface TorrentSearch {
  q?: string | undefined;
  sort?: TorrentSort | undefined;
  health?: Health | undefined;
  cursor?: string | undefined;
}

const LIVE_MS = 10_000;
const HISTORY_MS = 60_000;

export const stats = () =>
  queryOptions({
    queryKey: ["stats"],
    queryFn: ({ signal }) => sdk.showStats({ signal }),
    refetchInterval: LIVE_MS,
  });

/** Where clients announce: often at another port than that of the pages. */
export const announceOrigin = () =>
  queryOptions({
    queryKey: ["announce-origin"],
    queryFn: ({ signal }) => sdk.showAnnounceOrigin({ signal }),
    staleTime: Infinity,
    retry: false,
  });

export const statsHistory = (span: Span) =>
  queryOptions({
    queryKey: ["stats", "history", span],
    queryFn: ({ signal }) => sdk.showHistory({ query: { span }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: HISTORY_MS,
  });

export const torrents = (search: TorrentSearch) =>
  queryOptions({
    queryKey: ["torrents", search],
    queryFn: ({ signal }) => sdk.listTorrents({ query: defined(search), signal }),
    placeholderData: keepPreviousData,
    refetchInterval: HISTORY_MS,
  });

export const torrent = (infoHash: string) =>
  queryOptions({
    queryKey: ["torrents", infoHash],
    queryFn: ({ signal }) => sdk.showTorrent({ path: { info_hash: infoHash }, signal }),
    refetchInterval: LIVE_MS,
  });

export const torrentHistory = (infoHash: string, span: Span) =>
  queryOptions({
    queryKey: ["torrents", infoHash, "history", span],
    queryFn: ({ signal }) =>
      sdk.showTorrentsHistory({ path: { info_hash: infoHash }, query: { span }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: HISTORY_MS,
  });

/** The peers that the holder of a link should block. */
export const blockList = (token: string) =>
  queryOptions({
    queryKey: ["block-list", token],
    queryFn: ({ signal }) => sdk.showBlockList({ path: { token }, signal }),
  });

export const createKey = () => sdk.generateKey();

/** Drop undefined values, which would be sent as empty parameters. */
export function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
