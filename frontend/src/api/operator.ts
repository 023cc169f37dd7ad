import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { authorization } from "./api-key";
import "./errors";
import type { Action, KeySort } from "./enums";
import * as sdk from "./generated/sdk.gen";
import type {
  AuditItem,
  Key,
  OperatorItem as Operator,
  PeerV1 as Peer,
  ServiceItem as Service,
  Setting,
  SystemV1 as System,
  UploadedTorrent,
} from "./generated/types.gen";
import { defined } from "./public";

export type { AuditItem, Key, Operator, Peer, Service, Setting, System, UploadedTorrent };

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

export const createOperator = (name: string) => sdk.addOperator({ ...authorized(), body: { name } });

export const revokeOperator = (id: number) =>
  sdk.revokeOperator({ ...authorized(), path: { operator_id: id } });
