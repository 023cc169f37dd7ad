import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type BlockList, blockList } from "@/api/public";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { plural } from "@/components/ui/format";
import { Moment } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Empty } from "@/components/ui/states";
import { endpoint } from "./endpoint";
import { Lists } from "./Lists";

const route = getRouteApi("/b/$token");

/** Which peers the holder of a link should block, and how. */
export function BlockListPage() {
  const { token } = route.useParams();
  const query = useQuery(blockList(token));
  return (
    <Page
      title="Peers to block"
      lead="Peers that this tracker gave to your client, and that waste the bandwidth of those who upload to them. Keep the address of this page to yourself."
    >
      <Loaded query={query} label="Loading the block list" lines={6}>
        {(list) => (list.peers.length === 0 ? <Nothing /> : <Peers list={list} />)}
      </Loaded>
    </Page>
  );
}

function Nothing() {
  return (
    <Card>
      <Empty title="Nothing to block">
        None of the peers that your client was given within 24 hours wastes bandwidth, or this link has
        expired. If there is something to block, your client gets a message with a new link.
      </Empty>
    </Card>
  );
}

function Peers({ list }: { list: BlockList }) {
  return (
    <>
      <Card title={`${plural(list.peers.length, "peer")} to block`} flush>
        <DataTable label="Peers to block" columns={COLUMNS} rows={list.peers} rowKey={endpoint} />
      </Card>
      <Lists list={list} />
    </>
  );
}

const COLUMNS: Column<BlockList["peers"][number]>[] = [
  { name: "Address and port", leading: true, cell: (peer) => <code>{endpoint(peer)}</code> },
  { name: "Why", cell: ({ why }) => why },
  { name: "Given to you", cell: ({ given }) => <Moment at={given} /> },
];
