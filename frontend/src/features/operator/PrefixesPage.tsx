import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Hour } from "@/api/enums";
import { prefixes, type PrefixSearch, type PrefixTaking } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import type { Column } from "@/components/ui/DataTable";
import { count } from "@/components/ui/format";
import { useListSearch } from "@/components/lists/list-search";
import { Page } from "@/components/ui/Page";
import { PagedTable } from "@/components/lists/PagedTable";
import { Empty } from "@/components/ui/states";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/prefixes");
const HOURS = [
  { value: Hour.previous, label: "Last full hour" },
  { value: Hour.current, label: "This hour" },
];

/** What each network took within an hour. */
export function PrefixesPage() {
  const search = route.useSearch();
  const { filter } = useListSearch<PrefixSearch>();
  const query = useQuery(prefixes(search));
  return (
    <Page
      title="Networks"
      lead="How many torrents each network announced within an hour, and how many peer lists it was given. Somebody who collects the addresses of your users announces far more torrents than anybody else."
    >
      <Card flush>
        <div className={classes.toolbar}>
          <p className={classes.soft}>
            A network is an IPv4 /24 or an IPv6 /48. It is shown as a hash, which stays the same from hour to
            hour; the tracker doesn&rsquo;t store its address. Compare the networks with each other: a large
            seedbox announces all of its torrents every half hour, and many people may share a network.
          </p>
          <SegmentedControl
            aria-label="Hour"
            data={HOURS}
            value={search.hour ?? Hour.previous}
            onChange={(value) => {
              filter({ hour: HOURS.find((hour) => hour.value === value)?.value });
            }}
          />
        </div>
        <PagedTable
          label="Networks"
          columns={COLUMNS}
          rowKey={({ prefix }) => prefix}
          cursor={search.cursor}
          query={query}
          loading="Loading networks"
          empty={
            <Empty title="No announces in this hour">
              Networks appear within seconds of their first announce.
            </Empty>
          }
        />
      </Card>
    </Page>
  );
}

const COLUMNS: Column<PrefixTaking>[] = [
  {
    name: "Network",
    leading: true,
    cell: ({ prefix }) => <code className={classes.code}>{prefix}</code>,
  },
  { name: "Torrents", numeric: true, cell: ({ torrents }) => count(torrents) },
  { name: "Peer lists", numeric: true, cell: ({ lists }) => count(lists) },
];
