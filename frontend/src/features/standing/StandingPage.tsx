import { useQuery } from "@tanstack/react-query";
import { ApiError } from "@/api/errors";
import { type Standing, standing } from "@/api/key-holder";
import { useAnnounceKey } from "@/api/announce-key";
import { bytes, count, duration } from "@/components/ui/format";
import { MaybeMoment, Moment } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Stat, Stats } from "@/components/ui/Stat";
import { Failure } from "@/components/requests/Failure";
import { Empty, Loading } from "@/components/ui/states";
import { Card } from "@/components/ui/Card";
import { AnnounceKeyCard } from "@/components/announce-key/AnnounceKeyCard";
import { Confirmation } from "./Confirmation";
import { Notice } from "./Notice";
import { Disown } from "./recovery/Disown";
import { RecoverForm } from "./recovery/RecoverForm";
import { RecoveryCode } from "./recovery/RecoveryCode";
import { KeyTaken } from "./recovery/KeyTaken";
import { OwnTorrents } from "./OwnTorrents";
import { RotateCard } from "./RotateCard";
import { ScoreCard } from "./ScoreCard";
import { SnatchesOwed } from "./SnatchesOwed";
import classes from "./StandingPage.module.css";
import { TierHistory } from "./TierHistory";

/** The standing of the visitor's announce key, the reasons for it, and how to raise it. */
export function StandingPage() {
  const [key] = useAnnounceKey();
  return (
    <Page
      title="My standing"
      lead="Your tier decides how soon your client meets a swarm's best peers. It depends only on your seeding."
    >
      {key === null ? <WithoutKey /> : <WithKey />}
    </Page>
  );
}

function WithoutKey() {
  return (
    <div className={classes.narrow}>
      <Card>
        <Empty title="No announce URL in this browser">
          To see your standing here, get one or paste the one your clients use.
        </Empty>
      </Card>
      <AnnounceKeyCard />
      <Card title="Lost or stolen key?">
        <p>If you have its recovery code, enter it to get a new announce URL with your history.</p>
        <RecoverForm />
      </Card>
    </div>
  );
}

function WithKey() {
  const query = useQuery(standing());
  if (query.data === undefined) {
    return query.error ? (
      <Unavailable error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <Card>
        <Loading label="Loading your standing" lines={8} />
      </Card>
    );
  }
  return (
    <>
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      <Details standing={query.data} />
    </>
  );
}

function Unavailable({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const unknown =
    error instanceof ApiError && (error.status === 401 || error.status === 403 || error.status === 404);
  if (!unknown) return <Failure error={error} onRetry={onRetry} />;
  return (
    <div className={classes.narrow}>
      <Card>
        <Empty title="The tracker doesn't recognise this announce key">
          It may have been rotated in another browser, disabled by an operator, or unused for more than three
          months. Remove it below, then paste the new one or get another.
        </Empty>
      </Card>
      <KeyTaken />
      <AnnounceKeyCard />
    </div>
  );
}

function Details({ standing }: { standing: Standing }) {
  return (
    <>
      {standing.notice && <Notice notice={standing.notice} />}
      <Confirmation />
      <ScoreCard standing={standing} />
      <Totals standing={standing} />
      <div className={classes.columns}>
        <SnatchesOwed owed={standing.snatches_owed} snatches={standing.snatches} />
        <TierHistory history={standing.history} tier={standing.tier} />
      </div>
      <OwnTorrents torrents={standing.torrents} />
      <RotateCard />
      <RecoveryCode />
      <Disown />
    </>
  );
}

function Totals({ standing }: { standing: Standing }) {
  const seeding = standing.torrents.filter((torrent) => torrent.seeding).length;
  return (
    <Stats>
      <Stat
        label="Seeding now"
        hint={
          <>
            last announce: <MaybeMoment at={standing.last_seen} />
          </>
        }
      >
        {count(seeding)}
      </Stat>
      <Stat
        label="Seeding time"
        hint={
          <>
            key created <Moment at={standing.created} />
          </>
        }
      >
        {duration(standing.seeding_seconds)}
      </Stat>
      <Stat label="Uploaded">{bytes(standing.uploaded_bytes)}</Stat>
      <Stat label="Downloaded">{bytes(standing.downloaded_bytes)}</Stat>
      <Stat label="Snatches">{count(standing.snatches)}</Stat>
    </Stats>
  );
}
