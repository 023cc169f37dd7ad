import type { Torrent } from "@/api/public";
import type { Column } from "@/components/ui/DataTable";
import { bytes, count } from "@/components/ui/format";
import { HealthBadge } from "@/components/ui/HealthBadge";
import { Moment } from "@/components/ui/Moment";
import { TorrentLink } from "./TorrentLink";

/** What every list of torrents shows, for visitors and operators alike. */
export const torrentColumns: Column<
  Torrent,
  "name" | "seeders" | "leechers" | "snatches" | "size" | "added"
>[] = [
  {
    name: "Name",
    sort: { key: "name", by: "text" },
    leading: true,
    cell: (torrent) => <TorrentLink torrent={torrent} />,
  },
  { name: "Health", cell: ({ health }) => <HealthBadge health={health} /> },
  {
    name: "Seeders",
    sort: { key: "seeders", by: "number" },
    numeric: true,
    cell: ({ seeders }) => count(seeders),
  },
  {
    name: "Leechers",
    sort: { key: "leechers", by: "number" },
    numeric: true,
    cell: ({ leechers }) => count(leechers),
  },
  {
    name: "Snatches",
    sort: { key: "snatches", by: "number" },
    numeric: true,
    cell: ({ snatches }) => count(snatches),
  },
  {
    name: "Size",
    sort: { key: "size", by: "number" },
    numeric: true,
    cell: ({ size }) => (size === null ? "–" : bytes(size)),
  },
  { name: "Added", sort: { key: "added", by: "time" }, cell: ({ added }) => <Moment at={added} /> },
];
