import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Torrent, torrents } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { Empty } from "@/components/ui/states";
import { type TorrentColumn, torrentColumns } from "@/components/torrents/columns";
import { TorrentFilters } from "@/components/torrents/TorrentFilters";
import { AddInfohashes } from "./infohashes/AddInfohashes";
import { DeleteDialog } from "./infohashes/DeleteDialog";
import { RenameDialog } from "./infohashes/RenameDialog";
import { RowAction } from "./RowAction";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/infohashes");
type Asked = { about: Torrent; to: "rename" | "delete" } | null;

export function InfohashesPage() {
  const search = route.useSearch();
  const query = useQuery(torrents(search));
  const [asked, setAsked] = useState<Asked>(null);
  const filtered = search.q !== undefined || search.health !== undefined;
  const close = () => {
    setAsked(null);
  };
  return (
    <Page
      title="Infohashes"
      lead={
        <>
          The allowlist: the infohashes that clients may announce. To add torrents with their files,{" "}
          <Link to="/operator/upload">upload them</Link>.
        </>
      }
    >
      <AddInfohashes />
      <Card title="Allowlist" flush>
        <TorrentFilters search={search} />
        <PagedTable
          label="Allowlist"
          columns={[...COLUMNS, actions(setAsked)]}
          rowKey={({ info_hash }) => info_hash}
          sort={search.sort ?? "-added"}
          cursor={search.cursor}
          query={query}
          loading="Loading infohashes"
          empty={
            <Empty title={filtered ? "No matches" : "The allowlist is empty"}>
              {filtered
                ? "Try fewer words, the first eight digits of an infohash, or a different health."
                : "Upload a torrent, or add an infohash above."}
            </Empty>
          }
        />
      </Card>
      {asked?.to === "rename" && <RenameDialog torrent={asked.about} onClose={close} />}
      {asked?.to === "delete" && <DeleteDialog torrent={asked.about} onClose={close} />}
    </Page>
  );
}

const { name, health, seeders, size, added } = torrentColumns;
const COLUMNS: TorrentColumn[] = [name, health, seeders, size, added];

function actions(ask: (asked: Asked) => void): TorrentColumn {
  return {
    name: "Actions",
    silent: true,
    cell: (torrent) => (
      <span className={classes.actions}>
        <RowAction
          label="Rename"
          onClick={() => {
            ask({ about: torrent, to: "rename" });
          }}
        >
          <IconPencil size={18} />
        </RowAction>
        <RowAction
          label="Delete"
          color="red"
          onClick={() => {
            ask({ about: torrent, to: "delete" });
          }}
        >
          <IconTrash size={18} />
        </RowAction>
      </span>
    ),
  };
}
