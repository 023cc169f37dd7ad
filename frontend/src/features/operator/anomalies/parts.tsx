import { Alert } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Anomaly, Client } from "@/api/anomalies";
import type { StateName } from "@/api/enums";
import { settings } from "@/api/operator";
import classes from "../tables.module.css";
import { describeMode, identityName, STATES } from "./words";

/** Says whether detection has consequences, and what to do. */
export function Mode() {
  const { data } = useQuery(settings());
  const text = describeMode(data?.items.find(({ name }) => name === "ETRACKER_DETECTION")?.value);
  return (
    text !== undefined && (
      <Alert color="gray" icon={<IconInfoCircle aria-hidden />}>
        {text}
      </Alert>
    )
  );
}

export function State({ state }: { state: StateName }) {
  const { label, tone } = STATES[state];
  return (
    <span className={classes.state} data-is={tone}>
      {label}
    </span>
  );
}

export function IdentityLink({ of: one }: { of: Pick<Anomaly, "id" | "key_id" | "key_hash"> }) {
  return (
    <Link to="/operator/anomalies/$id" params={{ id: String(one.id) }}>
      <b>{identityName(one)}</b>
    </Link>
  );
}

/** A client as people know it. */
export function ClientName({ client }: { client: Client | null }) {
  if (client === null) return "unknown client";
  return <bdi>{`${client.name} ${client.version}`.trim()}</bdi>;
}
