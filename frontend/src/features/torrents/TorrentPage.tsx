import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { torrent, torrentHistory, type TorrentDetail } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { CopyField } from "@/components/ui/CopyField";
import { bytes, count, duration } from "@/components/ui/format";
import { HealthBadge } from "@/components/torrents/HealthBadge";
import { MaybeMoment, Moment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { HistoryCard } from "@/components/history/HistoryCard";
import { OF_TORRENT } from "@/components/history/subjects";
import { Stat, Stats } from "@/components/ui/Stat";
import { Loaded } from "@/components/requests/Loaded";
import { DownloadButton } from "./DownloadButton";
import classes from "./TorrentPage.module.css";

const route = getRouteApi("/infohashes/$infoHash");

/** A torrent and its swarm over time. */
export function TorrentPage() {
  const { infoHash } = route.useParams();
  const query = useQuery(torrent(infoHash));
  const name = query.data?.name;
  return (
    <Page
      title={name === undefined || name === "" ? `Torrent ${infoHash.slice(0, 8)}` : name}
      heading={name === undefined ? "Torrent" : <Name lines={2}>{name}</Name>}
      lead={query.data && <Summary detail={query.data} />}
    >
      <Loaded query={query} label="Loading torrent" lines={6}>
        {(detail) => (
          <>
            <Numbers detail={detail} />
            <div className={classes.columns}>
              <History infoHash={infoHash} />
              <Card title="Download">
                <div className={classes.body}>
                  {detail.has_file && (
                    <p>
                      The file contains your own announce URL. Open it with any client, and keep seeding once
                      your download is complete.
                    </p>
                  )}
                  <DownloadButton torrent={detail} />
                </div>
              </Card>
            </div>
            <Details detail={detail} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

const LONG_NAME = 160;

function Summary({ detail }: { detail: TorrentDetail }) {
  return (
    <span className={classes.summary}>
      <HealthBadge health={detail.health} />
      <span>{detail.size === null ? "size unknown" : bytes(detail.size)}</span>
      <span>
        added <Moment at={detail.added} />
      </span>
      <span>
        last announce: <MaybeMoment at={detail.last_seen} />
      </span>
    </span>
  );
}

function Numbers({ detail }: { detail: TorrentDetail }) {
  return (
    <Stats>
      <Stat label="Seeders">{count(detail.seeders)}</Stat>
      <Stat label="Leechers">{count(detail.leechers)}</Stat>
      <Stat label="Snatches">{count(detail.snatches)}</Stat>
      <Stat label="Uploaded" hint={`${bytes(detail.downloaded_bytes)} downloaded`}>
        {bytes(detail.uploaded_bytes)}
      </Stat>
      <Stat label="Seeding time" hint="all seeders combined">
        {duration(detail.seeding_seconds)}
      </Stat>
    </Stats>
  );
}

function History({ infoHash }: { infoHash: string }) {
  const { span = "day", show } = route.useSearch();
  return (
    <HistoryCard
      title="Swarm over time"
      subjects={OF_TORRENT}
      show={show}
      span={span}
      query={useQuery(torrentHistory(infoHash, span))}
      empty="The first sample appears within minutes of the first announce."
    />
  );
}

function Details({ detail }: { detail: TorrentDetail }) {
  return (
    <Card title="Details">
      <div className={classes.body}>
        {detail.name.length > LONG_NAME && (
          <p className={classes.soft}>
            Full name: <Name>{detail.name}</Name>
          </p>
        )}
        <CopyField labelled label="Infohash" value={detail.info_hash} />
        {detail.info_hash_v2 !== null && (
          <CopyField labelled label="Infohash (v2)" value={detail.info_hash_v2} />
        )}
        {detail.other_info_hash !== null && (
          <>
            <CopyField labelled label="Other infohash" value={detail.other_info_hash} />
            <p className={classes.soft}>
              This is a hybrid torrent: clients find each other by either infohash. A client that uses both
              counts once.
            </p>
          </>
        )}
        {detail.counted_at !== null && (
          <p className={classes.soft}>
            Seeders and leechers last counted <Moment at={detail.counted_at} />.
          </p>
        )}
      </div>
    </Card>
  );
}
