import type { TorrentSort } from "@/api/enums";
import type { Torrent } from "@/api/public";
import type { Column, SortKey } from "@/components/ui/DataTable";
import { bytes, count } from "@/components/ui/format";
import { Moment } from "@/components/ui/Moment";
import { HealthBadge } from "./HealthBadge";
import { TorrentLink } from "./TorrentLink";

export type TorrentColumn = Column<Torrent, SortKey<TorrentSort>>;

/** The columns of torrent lists, for visitors and operators. */
export const torrentColumns = {
  name: {
    name: "Name",
    sort: { key: "name", by: "text" },
    leading: true,
    cell: (torrent) => <TorrentLink torrent={torrent} />,
  },
  health: { name: "Health", cell: ({ health }) => <HealthBadge health={health} /> },
  seeders: {
    name: "Seeders",
    sort: { key: "seeders", by: "number" },
    numeric: true,
    cell: ({ seeders }) => count(seeders),
  },
  leechers: {
    name: "Leechers",
    sort: { key: "leechers", by: "number" },
    numeric: true,
    cell: ({ leechers }) => count(leechers),
  },
  snatches: {
    name: "Snatches",
    sort: { key: "snatches", by: "number" },
    numeric: true,
    cell: ({ snatches }) => count(snatches),
  },
  size: {
    name: "Size",
    sort: { key: "size", by: "number" },
    numeric: true,
    cell: ({ size }) => (size === null ? "–" : bytes(size)),
  },
  added: { name: "Added", sort: { key: "added", by: "time" }, cell: ({ added }) => <Moment at={added} /> },
} satisfies Record<string, TorrentColumn>;
