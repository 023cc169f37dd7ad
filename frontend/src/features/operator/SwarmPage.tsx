import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type Peer, peers } from "@/api/operator";
import { torrent, type TorrentDetail } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { count, plural } from "@/components/ui/format";
import { Moment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/requests/Loaded";
import { Empty } from "@/components/ui/states";
import { endpoints } from "./endpoints";
import classes from "./tables.module.css";

const route = getRouteApi("/operator/swarms/$infoHash");

/** The peers of one swarm. */
export function SwarmPage() {
  const { infoHash } = route.useParams();
  const detail = useQuery(torrent(infoHash)).data;
  const name = detail?.name;
  const query = useQuery(peers(infoHash));
  return (
    <Page
      title={`Swarm ${infoHash.slice(0, 8)}`}
      heading={name === undefined ? "Swarm" : <Name lines={2}>{name}</Name>}
      lead={
        <>
          <Link to="/operator/swarms">All swarms</Link> ·{" "}
          <Link to="/infohashes/$infoHash" params={{ infoHash }}>
            Torrent page
          </Link>
          {detail != null && <OtherSwarm detail={detail} infoHash={infoHash} />}
        </>
      }
    >
      <Card title="Peers" flush>
        <Loaded query={query} label="Loading peers" lines={8}>
          {({ items, seeders, leechers, truncated }) =>
            items.length === 0 ? (
              <Empty title="No peers in this swarm">
                A peer appears with its first announce and disappears when it stops.
              </Empty>
            ) : (
              <>
                <p className={classes.toolbar}>
                  <span className={classes.soft}>
                    {plural(seeders, "seeder")}, {plural(leechers, "leecher")}
                    {truncated && `; showing the first ${count(items.length)}`}
                  </span>
                </p>
                <DataTable
                  label="Peers"
                  columns={COLUMNS}
                  rows={items}
                  rowKey={({ address, port, address6, port6, client, first_seen }) =>
                    [address, port, address6, port6, client, first_seen].join(" ")
                  }
                />
              </>
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

/** A hybrid torrent's two infohashes are two swarms. */
function OtherSwarm({ detail, infoHash }: { detail: TorrentDetail; infoHash: string }) {
  const other = infoHash === detail.info_hash ? detail.other_info_hash : detail.info_hash;
  if (detail.other_info_hash === null || other === null) return null;
  return (
    <>
      {" "}
      ·{" "}
      <Link to="/operator/swarms/$infoHash" params={{ infoHash: other }}>
        Other swarm of this hybrid torrent
      </Link>
    </>
  );
}

const COLUMNS: Column<Peer>[] = [
  {
    name: "Address",
    leading: true,
    cell: (peer) => <code className={classes.code}>{endpoints(peer).join(" ")}</code>,
  },
  {
    name: "State",
    cell: ({ seeder, partial }) => (
      <span className={classes.state} data-is={seeder ? "good" : undefined}>
        {seeder ? "Seeder" : partial ? "Partial seed" : "Leecher"}
      </span>
    ),
  },
  { name: "Tier", numeric: true, cell: ({ tier, guest }) => (guest ? "Guest" : tier) },
  {
    name: "Key",
    numeric: true,
    cell: ({ key_id }) =>
      key_id === null ? (
        "–"
      ) : (
        <Link to="/operator/keys" search={{ q: String(key_id) }}>
          #{key_id}
        </Link>
      ),
  },
  { name: "Client", cell: ({ client }) => <Name lines={1}>{client}</Name> },
  { name: "Reachable", cell: ({ reachable }) => (reachable ? "Yes" : "No") },
  { name: "First seen", cell: ({ first_seen }) => <Moment at={first_seen} /> },
  { name: "Last seen", cell: ({ last_seen }) => <Moment at={last_seen} /> },
];
