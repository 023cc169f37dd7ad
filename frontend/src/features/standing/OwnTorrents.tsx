import { Link } from "@tanstack/react-router";
import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { bytes, duration } from "@/components/ui/format";
import { Moment } from "@/components/ui/Moment";
import { Empty } from "@/components/ui/states";
import { TorrentLink } from "@/components/torrents/TorrentLink";
import classes from "./OwnTorrents.module.css";

type Row = Standing["torrents"][number];

const COLUMNS: Column<Row>[] = [
  {
    name: "Torrent",
    leading: true,
    cell: (torrent) => <TorrentLink torrent={torrent} />,
  },
  {
    name: "State",
    cell: ({ seeding }) => (
      <span className={classes.state} data-seeding={seeding || undefined}>
        {seeding ? "Seeding" : "Not seeding"}
      </span>
    ),
  },
  { name: "Size", numeric: true, cell: ({ size }) => (size === null ? "–" : bytes(size)) },
  { name: "Seeding time", numeric: true, cell: ({ seeding_seconds }) => duration(seeding_seconds) },
  { name: "Uploaded", numeric: true, cell: ({ uploaded_bytes }) => bytes(uploaded_bytes) },
  { name: "Downloaded", numeric: true, cell: ({ downloaded_bytes }) => bytes(downloaded_bytes) },
  { name: "Last announce", cell: ({ last_seen }) => <Moment at={last_seen} /> },
];

export function OwnTorrents({ torrents }: { torrents: Row[] }) {
  return (
    <Card title="Your torrents" flush>
      {torrents.length === 0 ? (
        <Empty title="No torrents yet">
          <Link to="/infohashes">Choose one</Link> and open it with your client. It appears here after the
          first announce.
        </Empty>
      ) : (
        <DataTable
          label="Your torrents"
          columns={COLUMNS}
          rows={torrents}
          rowKey={({ info_hash }) => info_hash}
        />
      )}
    </Card>
  );
}
