import { Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type Setting, settings } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { useListSearch } from "@/components/lists/list-search";
import { Page } from "@/components/ui/Page";
import { SearchField } from "@/components/ui/SearchField";
import { Loaded } from "@/components/requests/Loaded";
import { Empty } from "@/components/ui/states";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/settings");

export function SettingsPage() {
  const search = route.useSearch();
  const { filter } = useListSearch<typeof search>();
  const query = useQuery(settings());
  return (
    <Page
      title="Settings"
      lead="The settings in effect. To change one, set its environment variable for the services listed with it and restart them."
    >
      <Card flush>
        <div className={classes.toolbar}>
          <SearchField
            label="Search settings"
            placeholder="Name or description"
            value={search.q}
            onChange={(q) => {
              filter({ q });
            }}
          />
          <Switch
            label="Changed only"
            checked={search.show === "changed"}
            onChange={(event) => {
              filter({ show: event.currentTarget.checked ? "changed" : undefined });
            }}
          />
        </div>
        <Loaded query={query} label="Loading settings" lines={8}>
          {({ items }) => {
            const shown = items.filter(
              (one) => matches(one, search.q) && (search.show === undefined || one.changed),
            );
            return shown.length === 0 ? (
              <Empty title="No matches">
                {search.show === undefined
                  ? "Try a different search."
                  : "Every setting has its default value or is hidden by the search."}
              </Empty>
            ) : (
              <DataTable
                label="Settings"
                columns={COLUMNS}
                rows={shown}
                rowKey={({ name, services }) => [name, ...services].join(" ")}
              />
            );
          }}
        </Loaded>
      </Card>
    </Page>
  );
}

const COLUMNS: Column<Setting>[] = [
  {
    name: "Setting",
    leading: true,
    cell: ({ name, description, services }) => (
      <>
        <code className={classes.code}>{name}</code>
        <p className={classes.soft}>
          {description} <i>({services.join(", ")})</i>
        </p>
      </>
    ),
  },
  {
    name: "Value",
    cell: ({ value, secret, changed }) =>
      secret ? (
        <span className={classes.soft}>{changed ? "Set (hidden)" : "Not set"}</span>
      ) : (
        <code className={`${classes.code} ${classes.value}`}>{value ?? "–"}</code>
      ),
  },
  {
    name: "State",
    cell: ({ default: standard, changed, secret }) =>
      changed && !secret ? (
        <span className={classes.state} data-is="weak">
          {standard === null ? "Changed, no default" : `Changed from ${standard}`}
        </span>
      ) : (
        <span className={classes.soft}>{changed ? "" : "Default"}</span>
      ),
  },
];

function matches({ name, description }: Setting, q: string | undefined): boolean {
  return q === undefined || `${name} ${description}`.toLowerCase().includes(q.toLowerCase());
}
