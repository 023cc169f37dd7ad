import { useQuery } from "@tanstack/react-query";
import { evidence, type Evidence } from "@/api/anomalies";
import { PagedTable } from "@/components/lists/PagedTable";
import { TorrentLink } from "@/components/torrents/TorrentLink";
import { Card } from "@/components/ui/Card";
import type { Column } from "@/components/ui/DataTable";
import { dateAndTime } from "@/components/ui/format";
import { Moment } from "@/components/ui/Moment";
import { Empty } from "@/components/ui/states";
import classes from "../tables.module.css";
import { ClientName } from "./parts";
import { kindName } from "./words";

/** The findings against a key or guest, newest first. */
export function EvidenceCard({ id, cursor }: { id: number; cursor: string | undefined }) {
  const query = useQuery(evidence(id, cursor));
  return (
    <Card title="Evidence" flush>
      <PagedTable
        label="Evidence"
        columns={COLUMNS}
        rowKey={(one) => one.id}
        cursor={cursor}
        query={query}
        loading="Loading evidence"
        empty={<Empty title="No evidence left">Evidence is deleted after 90 days.</Empty>}
      />
    </Card>
  );
}

const COLUMNS: Column<Evidence>[] = [
  {
    name: "Finding",
    leading: true,
    cell: ({ kind, text, torrent, began, ended }) => (
      <>
        <b>{kindName(kind)}</b>
        <p>{text}</p>
        {torrent !== null && <TorrentLink torrent={torrent} />}
        {began !== null && ended !== null && (
          <p className={classes.soft}>
            {dateAndTime(new Date(began))} to {dateAndTime(new Date(ended))}
          </p>
        )}
      </>
    ),
  },
  { name: "Points", numeric: true, cell: ({ points }) => points.toFixed(1) },
  {
    name: "Found",
    cell: ({ at, client }) => (
      <>
        <Moment at={at} />
        {client !== null && (
          <p className={classes.soft}>
            <ClientName client={client} />
          </p>
        )}
      </>
    ),
  },
];
