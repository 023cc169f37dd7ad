import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { authorization } from "./api-key";
import "./errors";
import type { AnomalySort, DecisionName, StateName, VerdictName } from "./enums";
import * as sdk from "./generated/sdk.gen";
import type {
  AccusedTorrent,
  AccusedTraffic,
  Anomaly,
  AnomalyDetail,
  Appeal,
  BalanceBlock,
  Client,
  ClientAnomalies,
  Decision,
  Evidence,
  SwarmBalance,
  Witness,
} from "./generated/types.gen";
import { defined } from "./public";

export type {
  AccusedTorrent,
  AccusedTraffic,
  Anomaly,
  AnomalyDetail,
  Appeal,
  BalanceBlock,
  Client,
  ClientAnomalies,
  Decision,
  Evidence,
  SwarmBalance,
  Witness,
};

export interface AnomalySearch {
  q?: string | undefined;
  state?: StateName | undefined;
  verdict?: VerdictName | undefined;
  client?: string | undefined;
  appealed?: "true" | undefined;
  sort?: AnomalySort | undefined;
  cursor?: string | undefined;
}

const REFRESH_MS = 30_000;
const ALL = ["operator", "anomalies"];

const authorized = () => ({ headers: { authorization: authorization() } });

export const anomalies = ({ appealed, ...search }: AnomalySearch) =>
  queryOptions({
    queryKey: [...ALL, "list", appealed, search],
    queryFn: ({ signal }) =>
      sdk.listAnomalies({
        ...authorized(),
        query: { ...defined(search), appealed: appealed !== undefined },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });

export const anomaly = (id: number) =>
  queryOptions({
    queryKey: [...ALL, id],
    queryFn: ({ signal }) => sdk.showAnomaly({ ...authorized(), path: { anomaly_id: id }, signal }),
    refetchInterval: REFRESH_MS,
  });

export const evidence = (id: number, cursor: string | undefined) =>
  queryOptions({
    queryKey: [...ALL, id, "evidence", cursor],
    queryFn: ({ signal }) =>
      sdk.listEvidence({ ...authorized(), path: { anomaly_id: id }, query: defined({ cursor }), signal }),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });

export const balance = (id: number, infoHash: string) =>
  queryOptions({
    queryKey: [...ALL, id, "balance", infoHash],
    queryFn: ({ signal }) =>
      sdk.showBalance({
        ...authorized(),
        path: { anomaly_id: id },
        query: { info_hash: infoHash },
        signal,
      }),
  });

export const brokenClients = () =>
  queryOptions({
    queryKey: [...ALL, "clients"],
    queryFn: ({ signal }) => sdk.listClients({ ...authorized(), signal }),
  });

export interface NewDecision {
  id: number;
  decision: DecisionName;
  note: string;
  until: string | null;
}

export const decide = ({ id, ...body }: NewDecision) =>
  sdk.decide({ ...authorized(), path: { anomaly_id: id }, body });

export const endDecision = ({ id, note }: { id: number; note: string }) =>
  sdk.endDecision({ ...authorized(), path: { anomaly_id: id }, body: { note } });

export const answerAppeal = ({ id, appeal, answer }: { id: number; appeal: number; answer: string }) =>
  sdk.answerAppeal({
    ...authorized(),
    path: { anomaly_id: id, appeal_id: appeal },
    body: { answer },
  });
