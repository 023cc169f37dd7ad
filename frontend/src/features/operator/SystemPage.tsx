import { useQuery } from "@tanstack/react-query";
import { type Service, type System, system } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { bytes, count } from "@/components/ui/format";
import { Ago } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Stat, Stats } from "@/components/ui/Stat";
import { Loaded } from "@/components/requests/Loaded";
import classes from "./tables.module.css";

/** The health of the services and of the queue between them. */
export function SystemPage() {
  const query = useQuery(system());
  const asOf = new Date(query.dataUpdatedAt);
  return (
    <Page title="System" lead="Service health, refreshed every five seconds.">
      <Loaded query={query} label="Loading service health" lines={8}>
        {(now) => (
          <>
            <Queue now={now} asOf={asOf} />
            <Card title="Services" flush>
              <DataTable
                label="Services"
                columns={columns(asOf)}
                rows={now.services}
                rowKey={({ name }) => name}
              />
            </Card>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Queue({ now: { stream, last_write, postgres, redis }, asOf }: { now: System; asOf: Date }) {
  return (
    <Stats>
      <Stat
        label="Facts waiting"
        hint={stream.bytes === null ? undefined : `${bytes(stream.bytes)} in the stream`}
      >
        {known(stream.lag_entries, count)}
      </Stat>
      <Stat label="Statistics lag" hint="age of the oldest waiting fact">
        {known(
          stream.lag_seconds,
          (seconds) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`,
        )}
      </Stat>
      <Stat label="Last write" hint="statistics written to Postgres">
        {last_write === null ? "never" : <Ago at={last_write} asOf={asOf} />}
      </Stat>
      <Stat
        label="Postgres"
        hint={
          postgres ? `${postgres.connections} of ${postgres.max_connections} connections` : "not responding"
        }
      >
        {known(postgres?.size_bytes, bytes)}
      </Stat>
      <Stat
        label="Redis"
        hint={
          redis
            ? redis.max_memory_bytes > 0
              ? `of ${bytes(redis.max_memory_bytes)} of memory`
              : "memory used"
            : "not responding"
        }
      >
        {known(redis?.memory_bytes, bytes)}
      </Stat>
    </Stats>
  );
}

function known(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "–" : format(value);
}

const columns = (asOf: Date): Column<Service>[] => [
  {
    name: "Service",
    leading: true,
    cell: ({ name, detail, metrics }) => (
      <>
        <b>{name}</b>
        {detail !== "" && <p className={classes.soft}>{detail}</p>}
        <p className={classes.soft}>
          {Object.entries(metrics)
            .map(
              ([measure, value]) =>
                `${measure.replace(/^etracker_/, "").replaceAll("_", " ")} ${count(value)}`,
            )
            .join(" · ")}
        </p>
      </>
    ),
  },
  {
    name: "State",
    cell: ({ status, detail }) => {
      const up = detail === "" ? "good" : "weak";
      return (
        <span className={classes.state} data-is={status === "up" ? up : "bad"}>
          {status === "up" ? "Up" : "Down"}
        </span>
      );
    },
  },
  { name: "Last checked", cell: ({ checked_at }) => <Ago at={checked_at} asOf={asOf} /> },
];
