import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type Torrent, torrents } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { count } from "@/components/ui/format";
import { HealthBadge } from "@/components/ui/HealthBadge";
import { MaybeMoment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { Pager } from "@/components/ui/Pager";
import { Empty, Loaded } from "@/components/ui/states";
import { TorrentFilters } from "@/features/torrents/TorrentFilters";

const route = getRouteApi("/operator/swarms");
const LARGEST_FIRST = "-seeders";

/** The swarms, largest first, each leading to its peers. */
export function SwarmsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const order = search.sort ?? LARGEST_FIRST;
  const query = useQuery(torrents({ ...search, sort: order }));
  return (
    <Page
      title="Swarms"
      lead="Choose one to see its peers with their addresses, which only operators are shown."
    >
      <Card flush>
        <TorrentFilters
          search={search}
          onChange={(change) =>
            void navigate({
              search: (before) => ({ ...before, ...change, cursor: undefined }),
              replace: true,
            })
          }
        />
        <Loaded query={query} label="The swarms are loading" lines={8}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty title="No swarm matches">Try fewer words, or another health.</Empty>
            ) : (
              <>
                <DataTable
                  label="Swarms"
                  columns={COLUMNS}
                  rows={items}
                  rowKey={({ info_hash }) => info_hash}
                  sort={order}
                  onSort={(sort) =>
                    void navigate({ search: (before) => ({ ...before, sort, cursor: undefined }) })
                  }
                  pending={query.isPlaceholderData}
                />
                <Pager cursor={search.cursor} next={next} />
              </>
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

const COLUMNS: Column<Torrent, "name" | "seeders" | "leechers">[] = [
  {
    name: "Name",
    sort: { key: "name", by: "text" },
    leading: true,
    cell: ({ name, info_hash }) => (
      <Link to="/operator/swarms/$infoHash" params={{ infoHash: info_hash }}>
        <Name lines={2}>{name}</Name>
      </Link>
    ),
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
  { name: "Last announce", cell: ({ last_seen }) => <MaybeMoment at={last_seen} /> },
];
