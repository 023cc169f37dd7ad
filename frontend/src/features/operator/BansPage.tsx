import { NativeSelect } from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { type Ban, bans, type BanSearch } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import type { Column } from "@/components/ui/DataTable";
import { useListSearch } from "@/components/lists/list-search";
import { Expected, Moment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { SearchField } from "@/components/ui/SearchField";
import { Empty } from "@/components/ui/states";
import { AddBans } from "./bans/AddBans";
import { ChangeDialog, LiftDialog } from "./bans/dialogs";
import { BAN_KINDS, KINDS } from "./bans/kinds";
import { RowAction } from "./RowAction";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/bans");
type OpenDialog = { ban: Ban; kind: "change" | "lift" } | null;

export function BansPage() {
  const search = route.useSearch();
  const { filter } = useListSearch<BanSearch>();
  const query = useQuery(bans(search));
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const filtered = search.q !== undefined || search.kind !== undefined;
  const close = () => {
    setDialog(null);
  };
  return (
    <Page
      title="Bans"
      lead="Networks, clients and torrents that the tracker doesn't serve. Changes take effect within a second; a banned peer is removed from peer lists when it next announces."
    >
      <AddBans />
      <Card title="All bans" flush>
        <div className={classes.toolbar}>
          <SearchField
            label="Search bans"
            placeholder="Address, peer_id, infohash, reason or operator"
            value={search.q}
            onChange={(q) => {
              filter({ q });
            }}
          />
          <NativeSelect
            aria-label="Kind"
            data={[
              { value: "", label: "Any kind" },
              ...BAN_KINDS.map((value) => ({ value, label: `${KINDS[value].label}s` })),
            ]}
            value={search.kind ?? ""}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              filter({ kind: BAN_KINDS.find((kind) => kind === chosen) });
            }}
          />
        </div>
        <PagedTable
          label="Bans"
          columns={[...COLUMNS, actions(setDialog)]}
          rowKey={({ id }) => id}
          cursor={search.cursor}
          query={query}
          loading="Loading bans"
          empty={
            <Empty title={filtered ? "No matches" : "Nothing is banned"}>
              {filtered
                ? "Search for an address to see the bans that apply to it."
                : "Add a network, a client or a torrent above."}
            </Empty>
          }
        />
      </Card>
      {dialog?.kind === "change" && <ChangeDialog of={dialog.ban} onClose={close} />}
      {dialog?.kind === "lift" && <LiftDialog of={dialog.ban} onClose={close} />}
    </Page>
  );
}

const COLUMNS: Column<Ban>[] = [
  {
    name: "Ban",
    leading: true,
    cell: ({ kind, value, reason }) => (
      <>
        <code className={classes.code}>{value}</code>
        <p className={classes.soft}>{KINDS[kind].label}</p>
        {reason !== "" && <Name lines={2}>{reason}</Name>}
      </>
    ),
  },
  {
    name: "Ends",
    cell: ({ expires, in_force }) =>
      expires === null ? (
        "never"
      ) : (
        <>
          {in_force ? (
            <Expected at={expires} />
          ) : (
            <>
              <Moment at={expires} />{" "}
              <span className={classes.state} data-is="idle">
                Expired
              </span>
            </>
          )}
        </>
      ),
  },
  {
    name: "Added",
    cell: ({ created, created_by }) => (
      <>
        <Moment at={created} />
        <p className={classes.soft}>
          {created_by === "" ? "directly in the database" : <Name lines={1}>{created_by}</Name>}
        </p>
      </>
    ),
  },
];

function actions(open: (dialog: OpenDialog) => void): Column<Ban> {
  return {
    name: "Actions",
    silent: true,
    cell: (ban) => (
      <span className={classes.actions}>
        <RowAction
          label="Change"
          about={`the ban on ${ban.value}`}
          onClick={() => {
            open({ ban, kind: "change" });
          }}
        >
          <IconPencil size={18} />
        </RowAction>
        <RowAction
          label="Lift"
          about={`the ban on ${ban.value}`}
          color="red"
          onClick={() => {
            open({ ban, kind: "lift" });
          }}
        >
          <IconTrash size={18} />
        </RowAction>
      </span>
    ),
  };
}
