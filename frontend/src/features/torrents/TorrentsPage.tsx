import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Link } from "@tanstack/react-router";
import { torrents } from "@/api/public";
import { useAnnounceKey } from "@/app/announce-key";
import { Card } from "@/components/ui/Card";
import { DataTable } from "@/components/ui/DataTable";
import { Page } from "@/components/ui/Page";
import { Pager } from "@/components/ui/Pager";
import { Empty, Loaded } from "@/components/ui/states";
import { torrentColumns } from "./columns";
import { DownloadButton } from "./DownloadButton";
import { TorrentFilters } from "./TorrentFilters";

const route = getRouteApi("/infohashes");
const NEWEST_FIRST = "-added";

export function TorrentsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [key] = useAnnounceKey();
  const query = useQuery(torrents(search));
  const filtered = search.q !== undefined || search.health !== undefined;
  return (
    <Page
      title="Torrents"
      lead={
        key === null ? (
          <>
            What this tracker tracks. With <Link to="/">an announce URL</Link> of your own you can download
            the files here.
          </>
        ) : (
          "What this tracker tracks. A file downloaded here holds your own announce URL: open it with any client."
        )
      }
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
        <Loaded query={query} label="The torrents are loading" lines={8}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty
                title={filtered ? "Nothing matches" : "No torrent is tracked yet"}
                action={filtered && <Link to="/infohashes">Show all torrents</Link>}
              >
                {filtered
                  ? "Try fewer words, or the first eight digits of an infohash, or another health."
                  : "An operator adds torrents: by file on the operator's pages, or with scripts/add_infohash.py."}
              </Empty>
            ) : (
              <>
                <DataTable
                  label="Tracked torrents"
                  columns={[
                    ...torrentColumns,
                    { name: "File", silent: true, cell: (row) => <DownloadButton torrent={row} compact /> },
                  ]}
                  rows={items}
                  rowKey={({ info_hash }) => info_hash}
                  sort={search.sort ?? NEWEST_FIRST}
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
