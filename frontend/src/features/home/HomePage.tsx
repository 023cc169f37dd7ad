import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { stats, statsHistory } from "@/api/public";
import { bytes, count, plural } from "@/components/ui/format";
import { Page } from "@/components/ui/Page";
import { HistoryCard } from "@/components/history/HistoryCard";
import { OF_TRACKER } from "@/components/history/subjects";
import { Stat, Stats } from "@/components/ui/Stat";
import { Failure } from "@/components/requests/Failure";
import { AnnounceKeyCard } from "@/components/announce-key/AnnounceKeyCard";
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
          etracker helps BitTorrent clients find each other. It's open to everyone and remembers who gives
          back: seeding earns you better peers, sooner. Nobody is locked out, and there are no ratio bans.
        </>
      }
    >
      <Numbers />
      <div className={classes.columns}>
        <History />
        <AnnounceKeyCard linkToStanding>
          <Usage />
        </AnnounceKeyCard>
      </div>
      <Clients />
    </Page>
  );
}

/** How to use an announce URL. */
function Usage() {
  return (
    <div className={classes.usage}>
      <h3>For torrents on this tracker</h3>
      <p>
        Download the file from the <Link to="/infohashes">torrent list</Link>. It already contains your
        announce URL; open it with any client.
      </p>
      <h3>For torrents you already have</h3>
      <p>
        Replace their trackers with your announce URL. Only listed torrents are tracked, unless the operators
        have opened the tracker to all torrents.
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
    value === undefined || value === null ? <span aria-label="not yet known">–</span> : format(value);
  return (
    <>
      {failure}
      <div>
        <Stats>
          <Stat label="Torrents" hint={<Link to="/infohashes">Browse all</Link>}>
            {shown(now?.torrents)}
          </Stat>
          <Stat label="Seeders" hint={now && `in ${plural(now.swarms, "swarm")}`}>
            {shown(now?.seeders)}
          </Stat>
          <Stat label="Leechers" hint="downloading now">
            {shown(now?.leechers)}
          </Stat>
          <Stat label="Snatches" hint={now && `${bytes(now.downloaded_bytes)} downloaded`}>
            {shown(now?.snatches)}
          </Stat>
          <Stat label="Announces per second" hint="over the last minute">
            {shown(now?.announces_per_second, (value) =>
              value >= 100 ? count(Math.round(value)) : value.toFixed(1),
            )}
          </Stat>
        </Stats>
        {now?.stale === true && (
          <p className={classes.stale} role="status">
            Live counts are temporarily unavailable. Seeders and leechers show the last known values.
          </p>
        )}
      </div>
    </>
  );
}

function History() {
  const { span = "day", show } = route.useSearch();
  return (
    <HistoryCard
      title="Activity over time"
      subjects={OF_TRACKER}
      show={show}
      span={span}
      query={useQuery(statsHistory(span))}
      empty="The first sample appears within minutes of the first announce. Check back in a few minutes."
    />
  );
}
