import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { torrents } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { MaybeMoment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { Empty } from "@/components/ui/states";
import { type TorrentColumn, torrentColumns } from "@/components/torrents/columns";
import { TorrentFilters } from "@/components/torrents/TorrentFilters";

const route = getRouteApi("/operator/swarms");
const LARGEST_FIRST = "-seeders";

/** The swarms, largest first by default, with links to their peers. */
export function SwarmsPage() {
  const search = route.useSearch();
  const order = search.sort ?? LARGEST_FIRST;
  const query = useQuery(torrents({ ...search, sort: order }));
  return (
    <Page
      title="Swarms"
      lead="Choose a swarm to see its peers and their addresses, which only operators can see."
    >
      <Card flush>
        <TorrentFilters search={search} />
        <PagedTable
          label="Swarms"
          columns={COLUMNS}
          rowKey={({ info_hash }) => info_hash}
          sort={order}
          cursor={search.cursor}
          query={query}
          loading="Loading swarms"
          empty={<Empty title="No matches">Try fewer words or a different health status.</Empty>}
        />
      </Card>
    </Page>
  );
}

const COLUMNS: TorrentColumn[] = [
  {
    ...torrentColumns.name,
    cell: ({ name, info_hash }) => (
      <Link to="/operator/swarms/$infoHash" params={{ infoHash: info_hash }}>
        <Name lines={2}>{name}</Name>
      </Link>
    ),
  },
  torrentColumns.health,
  torrentColumns.seeders,
  torrentColumns.leechers,
  { name: "Last announce", cell: ({ last_seen }) => <MaybeMoment at={last_seen} /> },
];
