import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { authorization } from "./api-key";
import "./errors";
import type { Action, BanKind, Hour, KeySort } from "./enums";
import * as sdk from "./generated/sdk.gen";
import type {
  Amount,
  AuditItem,
  Ban,
  Key,
  OperatorItem as Operator,
  PeerV1 as Peer,
  PrefixTaking,
  Part as SystemPart,
  ServiceItem as Service,
  Setting,
  SystemV1 as System,
  UploadedTorrent,
} from "./generated/types.gen";
import { defined } from "./public";

export type {
  Amount,
  AuditItem,
  Ban,
  Key,
  Operator,
  Peer,
  PrefixTaking,
  Service,
  Setting,
  System,
  SystemPart,
  UploadedTorrent,
};

export interface KeySearch {
  q?: string | undefined;
  sort?: KeySort | undefined;
  cursor?: string | undefined;
}

export interface AuditSearch {
  operator?: string | undefined;
  action?: Action | undefined;
  cursor?: string | undefined;
}

export interface BanSearch {
  q?: string | undefined;
  kind?: BanKind | undefined;
  cursor?: string | undefined;
}

export interface PrefixSearch {
  hour?: Hour | undefined;
  cursor?: string | undefined;
}

/** Why something is banned, and until when; null: permanently. */
export interface Terms {
  reason: string;
  expires: string | null;
}

/** A correction of one statistic, by its name in the API. */
export interface Correction {
  statistic: string;
  amount: Amount;
  reason: string;
}

const LIVE_MS = 5_000;
const SWARM_MS = 15_000;
const PEERS_SHOWN = 200;

const authorized = () => ({ headers: { authorization: authorization() } });

export const session = () =>
  queryOptions({
    queryKey: ["operator", "session"],
    queryFn: ({ signal }) => sdk.showSession({ ...authorized(), signal }),
    staleTime: 60_000,
  });

export const peers = (infoHash: string) =>
  queryOptions({
    queryKey: ["operator", "peers", infoHash],
    queryFn: ({ signal }) =>
      sdk.showPeers({
        ...authorized(),
        path: { info_hash: infoHash },
        query: { limit: PEERS_SHOWN },
        signal,
      }),
    refetchInterval: SWARM_MS,
  });

export const keys = (search: KeySearch) =>
  queryOptions({
    queryKey: ["operator", "keys", search],
    queryFn: ({ signal }) => sdk.listKeys({ ...authorized(), query: defined(search), signal }),
    placeholderData: keepPreviousData,
  });

export const bans = (search: BanSearch) =>
  queryOptions({
    queryKey: ["operator", "bans", search],
    queryFn: ({ signal }) => sdk.listBans({ ...authorized(), query: defined(search), signal }),
    placeholderData: keepPreviousData,
  });

export const operators = () =>
  queryOptions({
    queryKey: ["operator", "operators"],
    queryFn: ({ signal }) => sdk.listOperators({ ...authorized(), signal }),
  });

export const audit = (search: AuditSearch) =>
  queryOptions({
    queryKey: ["operator", "audit", search],
    queryFn: ({ signal }) => sdk.showAuditLog({ ...authorized(), query: defined(search), signal }),
    placeholderData: keepPreviousData,
  });

export const prefixes = (search: PrefixSearch) =>
  queryOptions({
    queryKey: ["operator", "prefixes", search],
    queryFn: ({ signal }) => sdk.listPrefixes({ ...authorized(), query: defined(search), signal }),
    placeholderData: keepPreviousData,
    refetchInterval: SWARM_MS,
  });

export const settings = () =>
  queryOptions({
    queryKey: ["operator", "settings"],
    queryFn: ({ signal }) => sdk.showSettings({ ...authorized(), signal }),
  });

export const system = () =>
  queryOptions({
    queryKey: ["operator", "system"],
    queryFn: ({ signal }) => sdk.showSystem({ ...authorized(), signal }),
    refetchInterval: LIVE_MS,
  });

export const addInfohashes = (items: { info_hash: string; name: string }[]) =>
  sdk.addInfohashes({ ...authorized(), body: { items } });

export const renameInfohash = ({ infoHash, name }: { infoHash: string; name: string }) =>
  sdk.renameTorrent({ ...authorized(), path: { info_hash: infoHash }, body: { name } });

export const deleteInfohash = (infoHash: string) =>
  sdk.removeTorrent({ ...authorized(), path: { info_hash: infoHash } });

export const lookUpKey = (announceKey: string) =>
  sdk.lookUpKey({ ...authorized(), body: { announce_key: announceKey } });

export const updateKey = ({ id, disabled }: { id: number; disabled: boolean }) =>
  sdk.changeKey({ ...authorized(), path: { key_id: id }, body: { disabled } });

export const rotateKeyOf = (id: number) => sdk.rotateKey({ ...authorized(), path: { key_id: id } });

export const giveRecoveryCode = (id: number) =>
  sdk.giveRecoveryCode({ ...authorized(), path: { key_id: id } });

export const debts = (id: number) =>
  queryOptions({
    queryKey: ["operator", "keys", id, "debts"],
    queryFn: ({ signal }) => sdk.listDebts({ ...authorized(), path: { key_id: id }, signal }),
  });

/** Clear a key's debt for one torrent, or all of them (infoHash null). */
export const clearDebts = ({
  id,
  infoHash,
  reason,
}: {
  id: number;
  infoHash: string | null;
  reason: string;
}) => sdk.clearDebts({ ...authorized(), path: { key_id: id }, body: { reason, info_hash: infoHash } });

export const createOperator = (name: string) => sdk.addOperator({ ...authorized(), body: { name } });

export const revokeOperator = (id: number) =>
  sdk.revokeOperator({ ...authorized(), path: { operator_id: id } });

export const importBans = (body: Terms & { kind: BanKind; lines: string; confirm: boolean }) =>
  sdk.importBans({ ...authorized(), body });

export const changeBan = ({ id, ...terms }: Partial<Terms> & { id: number }) =>
  sdk.changeBan({ ...authorized(), path: { ban_id: id }, body: terms });

export const liftBan = (id: number) => sdk.liftBan({ ...authorized(), path: { ban_id: id } });

export const correctKey = (id: number, { statistic, amount, reason }: Correction) =>
  sdk.correctKey({ ...authorized(), path: { key_id: id }, body: { reason, [statistic]: amount } });

export const correctTorrent = (infoHash: string, { statistic, amount, reason }: Correction) =>
  sdk.correctTorrent({
    ...authorized(),
    path: { info_hash: infoHash },
    body: { reason, [statistic]: amount },
  });
