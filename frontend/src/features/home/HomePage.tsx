import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { stats, statsHistory } from "@/api/public";
import { bytes, count, plural } from "@/components/ui/format";
import { Page } from "@/components/ui/Page";
import { PeersOverTime } from "@/components/ui/PeersOverTime";
import { Stat, Stats } from "@/components/ui/Stat";
import { Failure } from "@/components/ui/states";
import { AnnounceKeyCard } from "@/features/announce-key/AnnounceKeyCard";
import { Clients } from "./Clients";
import classes from "./HomePage.module.css";

const route = getRouteApi("/");

export function HomePage() {
  return (
    <Page
      title="A tracker that rewards seeding"
      heading="The more you seed, the better your peers."
      lead={
        <>
          etracker introduces BitTorrent clients to each other. It is open to everyone and remembers who
          gives: seeding is rewarded with better peers, sooner. Nobody is shut out, and there are no ratio
          bans.
        </>
      }
    >
      <Numbers />
      <div className={classes.columns}>
        <History />
        <AnnounceKeyCard standingElsewhere>
          <Ways />
        </AnnounceKeyCard>
      </div>
      <Clients />
    </Page>
  );
}

/** What to do with an announce URL. */
function Ways() {
  return (
    <div className={classes.ways}>
      <h3>For a torrent from here</h3>
      <p>
        Download its file from <Link to="/infohashes">the list</Link>: your announce URL is in it already.
        Open it with any client.
      </p>
      <h3>For a torrent that you have</h3>
      <p>
        Replace its trackers by your announce URL. Only torrents on the list are tracked, unless the operator
        has opened the tracker for all.
      </p>
    </div>
  );
}

function Numbers() {
  const query = useQuery(stats());
  const now = query.data;
  const failure = query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (failure && now === undefined) return failure;
  const shown = (value: number | null | undefined, format = count) =>
    value === undefined || value === null ? <span aria-label="not known yet">–</span> : format(value);
  return (
    <>
      {failure}
      <div>
        <Stats>
          <Stat label="Torrents" hint={<Link to="/infohashes">Browse them</Link>}>
            {shown(now?.torrents)}
          </Stat>
          <Stat label="Seeders" hint={now && `in ${plural(now.swarms, "swarm")}`}>
            {shown(now?.seeders)}
          </Stat>
          <Stat label="Leechers" hint="downloading now">
            {shown(now?.leechers)}
          </Stat>
          <Stat label="Completed" hint={now && `${bytes(now.downloaded_bytes)} exchanged`}>
            {shown(now?.snatches)}
          </Stat>
          <Stat label="Announces a second" hint="in the last minute">
            {shown(now?.announces_per_second, (value) =>
              value >= 100 ? count(Math.round(value)) : value.toFixed(1),
            )}
          </Stat>
        </Stats>
        {now?.stale === true && (
          <p className={classes.stale} role="status">
            Live counts can't be had just now: seeders and leechers are the last ones known.
          </p>
        )}
      </div>
    </>
  );
}

function History() {
  const span = route.useSearch().span ?? "day";
  return (
    <PeersOverTime
      title="Peers over time"
      span={span}
      query={useQuery(statsHistory(span))}
      empty="The tracker takes its first sample within minutes of its first announce. Come back then."
    />
  );
}
