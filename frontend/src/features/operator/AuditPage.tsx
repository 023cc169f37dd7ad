import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Action } from "@/api/enums";
import { audit, type AuditItem, type AuditSearch } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import type { Column } from "@/components/ui/DataTable";
import { dateAndTime } from "@/components/ui/format";
import { useListSearch } from "@/components/lists/list-search";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { SearchField } from "@/components/ui/SearchField";
import { Empty } from "@/components/ui/states";
import classes from "./tables.module.css";

const ACTIONS = Object.values(Action);
const route = getRouteApi("/operator/audit");

/** What operators changed, and whose addresses they viewed, newest first. */
export function AuditPage() {
  const search = route.useSearch();
  const { filter } = useListSearch<AuditSearch>();
  const query = useQuery(audit(search));
  const filtered = search.operator !== undefined || search.action !== undefined;
  return (
    <Page
      title="Audit log"
      lead="Every change made by an operator, recorded in the same transaction, and every swarm whose peers an operator has viewed."
    >
      <Card flush>
        <div className={classes.toolbar}>
          <SearchField
            label="Operator"
            placeholder="Operator's full name"
            value={search.operator}
            onChange={(operator) => {
              filter({ operator });
            }}
          />
          <NativeSelect
            aria-label="Action"
            data={[{ value: "", label: "Any action" }, ...ACTIONS]}
            value={search.action ?? ""}
            onChange={(event) => {
              filter({ action: ACTIONS.find((action) => action === event.currentTarget.value) });
            }}
          />
        </div>
        <PagedTable
          label="Audit log"
          columns={COLUMNS}
          rowKey={({ id }) => id}
          cursor={search.cursor}
          query={query}
          loading="Loading audit log"
          empty={
            <Empty
              title={filtered ? "No matches" : "Nothing has been recorded yet"}
              action={filtered && <Link to="/operator/audit">Show everything</Link>}
            >
              {filtered
                ? "Enter the operator's full name, or choose a different action."
                : "The first upload will appear here."}
            </Empty>
          }
        />
      </Card>
    </Page>
  );
}

const COLUMNS: Column<AuditItem>[] = [
  {
    name: "Action",
    leading: true,
    cell: ({ action, target, detail }) => (
      <>
        <b>{action}</b> <code className={classes.code}>{target}</code>
        <Details detail={detail} />
      </>
    ),
  },
  { name: "Operator", cell: ({ operator }) => <Name lines={1}>{operator}</Name> },
  { name: "Time", cell: ({ at }) => <time dateTime={at}>{dateAndTime(new Date(at))}</time> },
];

function Details({ detail }: { detail: AuditItem["detail"] }) {
  const entries = Object.entries(detail);
  if (entries.length === 0) return null;
  return (
    <p className={classes.soft}>
      {entries.map(([name, value], index) => (
        <span key={name}>
          {index > 0 && " · "}
          {name}: <Name>{typeof value === "string" ? value : JSON.stringify(value)}</Name>
        </span>
      ))}
    </p>
  );
}
