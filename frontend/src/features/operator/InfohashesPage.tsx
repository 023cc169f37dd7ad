import { ActionIcon, Tooltip } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Torrent, torrents } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { Page } from "@/components/ui/Page";
import { Pager } from "@/components/ui/Pager";
import { Empty, Loaded } from "@/components/ui/states";
import { torrentColumns } from "@/features/torrents/columns";
import { TorrentFilters } from "@/features/torrents/TorrentFilters";
import { AddInfohashes } from "./infohashes/AddInfohashes";
import { DeleteDialog } from "./infohashes/DeleteDialog";
import { RenameDialog } from "./infohashes/RenameDialog";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/infohashes");
type Asked = { about: Torrent; to: "rename" | "delete" } | null;

export function InfohashesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
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
          The allowlist: what clients may announce. Torrents with their files come in by{" "}
          <Link to="/operator/upload">upload</Link>.
        </>
      }
    >
      <AddInfohashes />
      <Card title="The allowlist" flush>
        <TorrentFilters
          search={search}
          onChange={(change) =>
            void navigate({
              search: (before) => ({ ...before, ...change, cursor: undefined }),
              replace: true,
            })
          }
        />
        <Loaded query={query} label="The infohashes are loading" lines={8}>
          {({ items, next }) =>
            items.length === 0 ? (
              <Empty title={filtered ? "Nothing matches" : "The allowlist is empty"}>
                {filtered
                  ? "Try fewer words, or the first eight digits of an infohash."
                  : "Upload a torrent, or add an infohash above."}
              </Empty>
            ) : (
              <>
                <DataTable
                  label="The allowlist"
                  columns={[...columnsForOperators, actions(setAsked)]}
                  rows={items}
                  rowKey={({ info_hash }) => info_hash}
                  sort={search.sort ?? "-added"}
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
      {asked?.to === "rename" && <RenameDialog torrent={asked.about} onClose={close} />}
      {asked?.to === "delete" && <DeleteDialog torrent={asked.about} onClose={close} />}
    </Page>
  );
}

type Ordered = "name" | "seeders" | "leechers" | "snatches" | "size" | "added";

const columnsForOperators = torrentColumns.filter(({ name }) => name !== "Leechers" && name !== "Snatches");

function actions(ask: (asked: Asked) => void): Column<Torrent, Ordered> {
  return {
    name: "Actions",
    silent: true,
    cell: (torrent) => (
      <span className={classes.actions}>
        <Tooltip label="Rename">
          <ActionIcon
            aria-label="Rename"
            onClick={() => {
              ask({ about: torrent, to: "rename" });
            }}
          >
            <IconPencil size={18} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Delete">
          <ActionIcon
            aria-label="Delete"
            color="red"
            onClick={() => {
              ask({ about: torrent, to: "delete" });
            }}
          >
            <IconTrash size={18} />
          </ActionIcon>
        </Tooltip>
      </span>
    ),
  };
}
