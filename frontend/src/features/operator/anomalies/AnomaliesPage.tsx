import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { anomalies, type Anomaly } from "@/api/anomalies";
import type { AnomalySort } from "@/api/enums";
import { PagedTable } from "@/components/lists/PagedTable";
import { Card } from "@/components/ui/Card";
import type { Column, SortKey } from "@/components/ui/DataTable";
import { plural } from "@/components/ui/format";
import { Moment } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Empty } from "@/components/ui/states";
import classes from "../tables.module.css";
import { Filters } from "./Filters";
import { ClientName, IdentityLink, Mode, State } from "./parts";
import { DECISIONS, kindName, kindsByPoints, VERDICTS } from "./words";

const route = getRouteApi("/operator/anomalies");

/** Keys and guests that report what can't be true. */
export function AnomaliesPage() {
  const search = route.useSearch();
  const query = useQuery(anomalies(search));
  const { q, state, verdict, client, appealed } = search;
  const filtered = [q, state, verdict, client, appealed].some((one) => one !== undefined);
  return (
    <Page
      title="Anomalies"
      lead="Keys and guests whose clients report what can't be true, because they are broken or because somebody cheats. A score of 40 makes a suspect, 100 confirms; without new evidence it halves every two days."
    >
      <Mode />
      <Card flush>
        <Filters search={search} />
        <PagedTable
          label="Anomalies"
          columns={COLUMNS}
          rowKey={({ id }) => id}
          sort={search.sort ?? "-score"}
          cursor={search.cursor}
          query={query}
          loading="Loading anomalies"
          empty={
            filtered ? (
              <Empty title="No matches" action={<Link to="/operator/anomalies">Show everything</Link>}>
                Choose a different state or verdict, or search for the number of a key.
              </Empty>
            ) : (
              <Empty title="Nobody is suspected.">
                Nothing was found in what clients reported. There is nothing for you to do.
              </Empty>
            )
          }
        />
      </Card>
    </Page>
  );
}

const COLUMNS: Column<Anomaly, SortKey<AnomalySort>>[] = [
  {
    name: "Key or guest",
    leading: true,
    cell: (one) => (
      <>
        <IdentityLink of={one} />
        <p className={classes.soft}>
          <ClientName client={one.client} />
        </p>
        {one.appeals_waiting > 0 && (
          <span className={classes.state} data-is="weak">
            {plural(one.appeals_waiting, "appeal")} to answer
          </span>
        )}
      </>
    ),
  },
  {
    name: "State",
    cell: ({ state, verdict, decision }) => (
      <>
        <State state={state} />
        {verdict !== null && <p className={classes.soft}>{VERDICTS[verdict]}</p>}
        {decision !== null && (
          <p className={classes.soft}>{DECISIONS[decision.decision].done} by an operator</p>
        )}
      </>
    ),
  },
  {
    name: "Score",
    sort: { key: "score", by: "number" },
    numeric: true,
    cell: ({ score }) => score.toFixed(1),
  },
  {
    name: "Evidence",
    cell: ({ points }) => (
      <ul className={classes.plain}>
        {kindsByPoints(points).map((kind) => (
          <li key={kind}>{kindName(kind)}</li>
        ))}
      </ul>
    ),
  },
  {
    name: "Since",
    sort: { key: "since", by: "time" },
    cell: ({ since }) => <Moment at={since} />,
  },
];
