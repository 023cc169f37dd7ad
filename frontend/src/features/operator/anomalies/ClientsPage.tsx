import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { brokenClients, type ClientAnomalies } from "@/api/anomalies";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { count, plural } from "@/components/ui/format";
import { MaybeMoment } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Empty } from "@/components/ui/states";
import classes from "../tables.module.css";
import { ClientName } from "./parts";
import { shareOf } from "./shares";
import { kindName } from "./words";

/** Versions of clients that gave evidence, next to all users of them. */
export function ClientsPage() {
  const query = useQuery(brokenClients());
  return (
    <Page
      title="Broken clients"
      lead="Versions of clients in whose reports something was wrong. If that is so for most users of a version, it is the client that is broken, and its users are honest: tell its developers, and exempt or clear them. Somebody who cheats can pretend to use any client."
    >
      <Card flush>
        <Loaded query={query} label="Loading clients" lines={8}>
          {({ items, days, counted }) =>
            items.length === 0 ? (
              <Empty title="No client is conspicuous.">{`There was no evidence within ${plural(days, "day")}.`}</Empty>
            ) : (
              <>
                <p className={classes.toolbar}>
                  <span className={classes.soft}>
                    Evidence of the last {plural(days, "day")}. Users were last counted{" "}
                    <MaybeMoment at={counted} never="never yet" />, once an hour; guests aren&rsquo;t among
                    them.
                  </span>
                </p>
                <DataTable
                  label="Broken clients"
                  columns={COLUMNS}
                  rows={items}
                  rowKey={({ client }) => client.prefix}
                />
              </>
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

const COLUMNS: Column<ClientAnomalies>[] = [
  {
    name: "Client",
    leading: true,
    cell: ({ client }) => (
      <>
        <Link to="/operator/anomalies" search={{ client: client.prefix }}>
          <b>
            <ClientName client={client} />
          </b>
        </Link>
        <p className={classes.soft}>
          <code className={classes.code}>{client.prefix}</code>
        </p>
      </>
    ),
  },
  { name: "With evidence", numeric: true, cell: ({ identities }) => count(identities) },
  { name: "Suspected", numeric: true, cell: ({ suspected }) => count(suspected) },
  { name: "Confirmed", numeric: true, cell: ({ confirmed }) => count(confirmed) },
  {
    name: "All users",
    numeric: true,
    cell: ({ identities, keys, sessions }) =>
      keys === null ? (
        "not counted"
      ) : (
        <>
          {plural(keys, "key")}
          <p className={classes.soft}>{shareOf(identities, keys)}</p>
          {sessions !== null && <p className={classes.soft}>{plural(sessions, "session")}</p>}
        </>
      ),
  },
  {
    name: "Found",
    cell: ({ kinds }) => (
      <ul className={classes.plain}>
        {kinds.map(({ kind, evidence, identities }) => (
          <li key={kind}>
            {kindName(kind)}{" "}
            <span className={classes.soft}>
              {plural(evidence, "time")}, by {count(identities)}
            </span>
          </li>
        ))}
      </ul>
    ),
  },
];
