import {
  IconCalculator,
  IconEraser,
  IconLifebuoy,
  IconLock,
  IconLockOpen,
  IconRefresh,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { KeySort } from "@/api/enums";
import { type Key, type KeySearch, keys } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import type { Column, SortKey } from "@/components/ui/DataTable";
import { bytes, count } from "@/components/ui/format";
import { useListSearch } from "@/components/lists/list-search";
import { MaybeMoment, Moment } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { SearchField } from "@/components/ui/SearchField";
import { Empty } from "@/components/ui/states";
import { CorrectKey } from "./corrections/CorrectKey";
import { LookUp } from "./keys/LookUp";
import { ClearDebts } from "./keys/ClearDebts";
import { DisableDialog, RotateDialog } from "./keys/dialogs";
import { RecoveryCodeDialog } from "./keys/RecoveryCodeDialog";
import { RowAction } from "./RowAction";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/keys");
type OpenDialog = { key: Key; kind: "disable" | "rotate" | "correct" | "code" | "debts" } | null;

export function KeysPage() {
  const search = route.useSearch();
  const { filter } = useListSearch<KeySearch>();
  const query = useQuery(keys(search));
  const [dialog, setDialog] = useState<OpenDialog>(null);
  const close = () => {
    setDialog(null);
  };
  return (
    <Page
      title="Announce keys"
      lead="Every announce key, by number and hash. The key itself is never shown; only its holder knows it."
    >
      <LookUp
        onFound={(key) => {
          filter({ q: key.key_hash });
        }}
      />
      <Card title="All keys" flush>
        <div className={classes.toolbar}>
          <SearchField
            label="Search keys"
            placeholder="Key number or start of a hash"
            value={search.q}
            onChange={(q) => {
              filter({ q });
            }}
          />
        </div>
        <PagedTable
          label="Announce keys"
          columns={[...COLUMNS, actions(setDialog)]}
          rowKey={({ id }) => id}
          sort={search.sort ?? "-created"}
          cursor={search.cursor}
          query={query}
          loading="Loading keys"
          empty={
            <Empty title={search.q === undefined ? "No announce keys yet" : "No matches"}>
              {search.q === undefined
                ? "Visitors can get one on the home page."
                : "Search by key number or the first digits of the hash, or look up a key above."}
            </Empty>
          }
        />
      </Card>
      {dialog?.kind === "disable" && <DisableDialog of={dialog.key} onClose={close} />}
      {dialog?.kind === "correct" && <CorrectKey of={dialog.key} onClose={close} />}
      {dialog?.kind === "code" && <RecoveryCodeDialog of={dialog.key} onClose={close} />}
      {dialog?.kind === "debts" && <ClearDebts of={dialog.key} onClose={close} />}
      {dialog?.kind === "rotate" && <RotateDialog of={dialog.key} onClose={close} />}
    </Page>
  );
}

type KeyColumn = Column<Key, SortKey<KeySort>>;

const COLUMNS: KeyColumn[] = [
  {
    name: "Key",
    sort: { key: "created", by: "time", name: "Created" },
    leading: true,
    cell: ({ id, key_hash, created, disabled }) => (
      <>
        <b>#{id}</b> <code className={classes.code}>{key_hash.slice(0, 12)}</code>{" "}
        {disabled && (
          <span className={classes.state} data-is="bad">
            Disabled
          </span>
        )}
        <p className={classes.soft}>
          created <Moment at={created} />
        </p>
      </>
    ),
  },
  {
    name: "Score",
    sort: { key: "score", by: "number" },
    numeric: true,
    cell: ({ score, tier }) =>
      score === null ? "–" : `${score.toFixed(1)}${tier === null ? "" : ` · tier ${tier}`}`,
  },
  {
    name: "Snatches",
    sort: { key: "snatched", by: "number" },
    numeric: true,
    cell: ({ snatched }) => count(snatched),
  },
  {
    name: "Uploaded",
    sort: { key: "uploaded", by: "number" },
    numeric: true,
    cell: ({ uploaded_bytes }) => bytes(uploaded_bytes),
  },
  {
    name: "Downloaded",
    sort: { key: "downloaded", by: "number" },
    numeric: true,
    cell: ({ downloaded_bytes }) => bytes(downloaded_bytes),
  },
  {
    name: "Last announce",
    sort: { key: "last_seen", by: "time" },
    cell: ({ last_seen }) => <MaybeMoment at={last_seen} />,
  },
];

function actions(open: (dialog: OpenDialog) => void): KeyColumn {
  return {
    name: "Actions",
    silent: true,
    cell: (key) => (
      <span className={classes.actions}>
        <RowAction
          label="Correct statistics"
          about={`of key ${key.id}`}
          onClick={() => {
            open({ key, kind: "correct" });
          }}
        >
          <IconCalculator size={18} />
        </RowAction>
        <RowAction
          label="Clear debts"
          about={`of key ${key.id}`}
          onClick={() => {
            open({ key, kind: "debts" });
          }}
        >
          <IconEraser size={18} />
        </RowAction>
        <RowAction
          label="Give a recovery code"
          about={`to key ${key.id}`}
          onClick={() => {
            open({ key, kind: "code" });
          }}
        >
          <IconLifebuoy size={18} />
        </RowAction>
        <RowAction
          label="Rotate"
          about={`key ${key.id}`}
          onClick={() => {
            open({ key, kind: "rotate" });
          }}
        >
          <IconRefresh size={18} />
        </RowAction>
        <RowAction
          label={key.disabled ? "Enable" : "Disable"}
          about={`key ${key.id}`}
          color={key.disabled ? "teal" : "red"}
          onClick={() => {
            open({ key, kind: "disable" });
          }}
        >
          {key.disabled ? <IconLockOpen size={18} /> : <IconLock size={18} />}
        </RowAction>
      </span>
    ),
  };
}
