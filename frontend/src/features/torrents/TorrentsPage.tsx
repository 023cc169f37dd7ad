import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Link } from "@tanstack/react-router";
import { torrents } from "@/api/public";
import { useAnnounceKey } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { Empty } from "@/components/ui/states";
import { type TorrentColumn, torrentColumns } from "@/components/torrents/columns";
import { DownloadButton } from "./DownloadButton";
import { TorrentFilters } from "@/components/torrents/TorrentFilters";

const route = getRouteApi("/infohashes");
const NEWEST_FIRST = "-added";

export function TorrentsPage() {
  const search = route.useSearch();
  const [key] = useAnnounceKey();
  const query = useQuery(torrents(search));
  const filtered = search.q !== undefined || search.health !== undefined;
  return (
    <Page
      title="Torrents"
      lead={
        key === null ? (
          <>
            All torrents on this tracker. To download torrent files here,{" "}
            <Link to="/">get an announce URL</Link> first.
          </>
        ) : (
          "All torrents on this tracker. Files you download here contain your own announce URL; open them with any client."
        )
      }
    >
      <Card flush>
        <TorrentFilters search={search} />
        <PagedTable
          label="Tracked torrents"
          columns={COLUMNS}
          rowKey={({ info_hash }) => info_hash}
          sort={search.sort ?? NEWEST_FIRST}
          cursor={search.cursor}
          query={query}
          loading="Loading torrents"
          empty={
            <Empty
              title={filtered ? "No matches" : "No torrents yet"}
              action={filtered && <Link to="/infohashes">Show all torrents</Link>}
            >
              {filtered
                ? "Try fewer words, a magnet link, the first eight digits of an infohash, or a different health status."
                : "Operators add torrents by uploading files on the operator pages or with scripts/add_infohash.py."}
            </Empty>
          }
        />
      </Card>
    </Page>
  );
}

const COLUMNS: TorrentColumn[] = [
  ...Object.values(torrentColumns),
  { name: "File", silent: true, cell: (torrent) => <DownloadButton torrent={torrent} compact /> },
];
