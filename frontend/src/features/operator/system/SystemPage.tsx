import { useQuery } from "@tanstack/react-query";
import { type System, system } from "@/api/operator";
import { statsHistory } from "@/api/public";
import { HistoryChart } from "@/components/history/HistoryChart";
import { ANNOUNCES, PEERS } from "@/components/history/subjects";
import { Card } from "@/components/ui/Card";
import { bytes, count } from "@/components/ui/format";
import { Ago } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Stat, Stats } from "@/components/ui/Stat";
import { Loaded } from "@/components/requests/Loaded";
import { Parts } from "./Parts";
import classes from "./SystemPage.module.css";

/** The health of processes and stores, and of the queue between them; what is broken comes first. */
export function SystemPage() {
  const query = useQuery(system());
  const asOf = new Date(query.dataUpdatedAt);
  return (
    <Page
      title="System"
      lead="Processes and stores, refreshed every five seconds. What is broken comes first."
    >
      <Loaded query={query} label="Loading health" lines={8}>
        {(now) => (
          <>
            <Parts of={now} asOf={asOf} />
            <Numbers now={now} asOf={asOf} />
          </>
        )}
      </Loaded>
      <LastDay />
    </Page>
  );
}

function Numbers({ now: { stream, last_write, postgres, redis, disk }, asOf }: { now: System; asOf: Date }) {
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
        {last_write === null ? postgres ? "none yet" : UNKNOWN : <Ago at={last_write} asOf={asOf} />}
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
      <Stat label="Disk" hint={`free of ${bytes(disk.size_bytes)}, where the admin API runs`}>
        {bytes(disk.free_bytes)}
      </Stat>
    </Stats>
  );
}

/** What clients did in the last 24 hours: an outage shows in both. */
function LastDay() {
  const query = useQuery(statsHistory("day"));
  return (
    <div className={classes.charts}>
      {[ANNOUNCES, PEERS].map((subject) => (
        <Card key={subject.name} title={`${subject.label}, last 24 hours`}>
          <Loaded query={query} label="Loading chart" lines={6}>
            {(history) => (
              <HistoryChart
                subject={subject}
                history={history}
                empty="The first sample appears within minutes."
              />
            )}
          </Loaded>
        </Card>
      ))}
    </div>
  );
}

const UNKNOWN = <span aria-label="unknown">–</span>;

function known(value: number | null | undefined, format: (value: number) => string) {
  return value === null || value === undefined ? UNKNOWN : format(value);
}
