import { IconCalculator, IconPencil, IconTrash } from "@tabler/icons-react";
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
import { CorrectTorrent } from "./corrections/CorrectTorrent";
import { AddInfohashes } from "./infohashes/AddInfohashes";
import { DeleteDialog } from "./infohashes/DeleteDialog";
import { RenameDialog } from "./infohashes/RenameDialog";
import { RowAction } from "./RowAction";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/infohashes");
type OpenDialog = { torrent: Torrent; kind: "rename" | "correct" | "delete" } | null;

export function InfohashesPage() {
  const search = route.useSearch();
  const query = useQuery(torrents(search));
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const filtered = search.q !== undefined || search.health !== undefined;
  const close = () => {
    setDialog(null);
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
          columns={[...COLUMNS, actions(setDialog)]}
          rowKey={({ info_hash }) => info_hash}
          sort={search.sort ?? "-added"}
          cursor={search.cursor}
          query={query}
          loading="Loading infohashes"
          empty={
            <Empty title={filtered ? "No matches" : "The allowlist is empty"}>
              {filtered
                ? "Try fewer words, a magnet link, the first eight digits of an infohash, or a different health status."
                : "Upload a torrent, or add an infohash above."}
            </Empty>
          }
        />
      </Card>
      {dialog?.kind === "rename" && <RenameDialog torrent={dialog.torrent} onClose={close} />}
      {dialog?.kind === "correct" && <CorrectTorrent of={dialog.torrent} onClose={close} />}
      {dialog?.kind === "delete" && <DeleteDialog torrent={dialog.torrent} onClose={close} />}
    </Page>
  );
}

const { name, health, seeders, size, added } = torrentColumns;
const COLUMNS: TorrentColumn[] = [name, health, seeders, size, added];

function actions(open: (dialog: OpenDialog) => void): TorrentColumn {
  return {
    name: "Actions",
    silent: true,
    cell: (torrent) => (
      <span className={classes.actions}>
        <RowAction
          label="Rename"
          onClick={() => {
            open({ torrent, kind: "rename" });
          }}
        >
          <IconPencil size={18} />
        </RowAction>
        <RowAction
          label="Correct statistics"
          onClick={() => {
            open({ torrent, kind: "correct" });
          }}
        >
          <IconCalculator size={18} />
        </RowAction>
        <RowAction
          label="Remove"
          color="red"
          onClick={() => {
            open({ torrent, kind: "delete" });
          }}
        >
          <IconTrash size={18} />
        </RowAction>
      </span>
    ),
  };
}
