import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type AnomalyDetail, balance } from "@/api/anomalies";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { plural } from "@/components/ui/format";
import { piecesOf } from "@/components/ui/hidden-characters";
import { Empty } from "@/components/ui/states";
import classes from "../tables.module.css";
import { Balance } from "./Balance";

interface Props {
  of: AnomalyDetail;
  chosen: string | undefined;
  onChoose: (infoHash: string) => void;
}

/** The torrents with evidence, and the balance of the chosen one. */
export function Accusations({ of: one, chosen, onChoose }: Props) {
  return (
    <Card title="Balance of the swarm">
      {chosen === undefined ? (
        <Empty title="No torrent">The evidence isn&rsquo;t about a torrent.</Empty>
      ) : (
        <div className={classes.stack}>
          <NativeSelect
            label="Torrent"
            description={`${plural(one.torrents.length, "torrent")} with evidence, most points first`}
            data={one.torrents.map(({ info_hash, name, evidence, points }) => ({
              value: info_hash,
              label: `${visible(name) || info_hash} (${plural(evidence, "finding")}, ${points.toFixed(1)} points)`,
            }))}
            value={chosen}
            onChange={(event) => {
              onChoose(event.currentTarget.value);
            }}
          />
          <BalanceOf id={one.id} infoHash={chosen} />
        </div>
      )}
    </Card>
  );
}

/** A name as an option, which can only be text. */
function visible(name: string): string {
  return piecesOf(name)
    .map(({ text }) => text)
    .join("");
}

function BalanceOf({ id, infoHash }: { id: number; infoHash: string }) {
  const query = useQuery(balance(id, infoHash));
  return (
    <Loaded query={query} label="Loading the balance" lines={8}>
      {(found) =>
        found.blocks.length === 0 ? (
          <Empty title="No traffic is kept">
            Blocks of traffic are kept for 30 days. If the findings are newer, the next block is judged within
            three hours.
          </Empty>
        ) : (
          <Balance of={found} />
        )
      }
    </Loaded>
  );
}
