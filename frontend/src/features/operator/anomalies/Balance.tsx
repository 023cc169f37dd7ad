import type { AccusedTraffic, SwarmBalance, Witness } from "@/api/anomalies";
import { Chart } from "@/components/ui/Chart";
import { bytes, dateAndTime, plural } from "@/components/ui/format";
import { BYTES } from "@/components/ui/measures";
import classes from "../tables.module.css";
import { imbalanceOf, trafficOf, witnessesOf } from "./balance";
import { IdentityLink, State } from "./parts";
import { identityName } from "./words";

/** What a swarm uploaded and received, what has no receiver, who is accused and who was there. */
export function Balance({ of: balance }: { of: SwarmBalance }) {
  const [accused, ...others] = balance.accused;
  const traffic = trafficOf(balance);
  const names = ["Uploaded", "Received", `Uploaded by ${accused ? identityName(accused) : "the accused"}`];
  const drawn = names.slice(0, traffic[0]?.values.length).map((name) => ({ name }));
  const shared = {
    measure: BYTES,
    stepSeconds: balance.block_seconds,
    mark: inView(balance) ? { at: balance.onset ?? "", label: "onset" } : undefined,
  };
  const sums = imbalanceOf(balance);
  return (
    <div className={classes.stack}>
      <Words of={balance} />
      <Chart
        summary={`Reported by the whole swarm, per ${balance.block_seconds / 3600} hours`}
        samples={traffic}
        series={drawn}
        {...shared}
      />
      <Chart
        summary={`Uploaded without a receiver, summed: ${bytes(sums.at(-1)?.values[0] ?? 0)}`}
        samples={sums}
        series={[{ name: "Uploaded without a receiver" }]}
        {...shared}
      />
      {others.length > 0 && <Others accused={others} />}
      {balance.witnesses.length > 0 && <Witnesses of={balance.witnesses} />}
    </div>
  );
}

/** Whether the onset is within the blocks that are drawn. */
function inView({ onset, blocks }: SwarmBalance): boolean {
  return onset !== null && blocks[0] !== undefined && Date.parse(onset) >= Date.parse(blocks[0].start);
}

function Words({ of: balance }: { of: SwarmBalance }) {
  const [fewest, most] = witnessesOf(balance);
  const trusted = balance.blocks.at(-1)?.trusted ?? false;
  const accused = balance.accused[0];
  return (
    <div>
      <p>
        {balance.onset === null
          ? "Uploads and downloads of this swarm fit together."
          : `Since ${dateAndTime(new Date(balance.onset))} this swarm has reported more uploads than downloads.`}{" "}
        {fewest === most
          ? `${plural(most, "other seeder was", "other seeders were")} there to witness it.`
          : `Between ${fewest} and ${plural(most, "other seeder was", "other seeders were")} there to witness it.`}
      </p>
      <p className={classes.soft}>
        {trusted
          ? "Before that, uploads and downloads were in balance, so the difference counts."
          : "It isn't known whether all peers of this swarm announce here, so the difference counts for little."}
        {accused?.blocks.length === 0 && " What the accused transferred is no longer kept, or was nothing."}
      </p>
    </div>
  );
}

function Others({ accused }: { accused: AccusedTraffic[] }) {
  return (
    <div>
      <p className={classes.soft}>Also accused because of this swarm&rsquo;s balance:</p>
      <ul className={classes.plain}>
        {accused.map((one) => (
          <li key={one.anomaly_id}>
            <IdentityLink of={{ ...one, id: one.anomaly_id }} /> <State state={one.state} />{" "}
            <span className={classes.soft}>
              {bytes(one.blocks.reduce((sum, { uploaded }) => sum + uploaded, 0))} uploaded
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Witnesses({ of: witnesses }: { of: Witness[] }) {
  return (
    <div>
      <p className={classes.soft}>Witnesses: seeders that were there since the onset</p>
      <ul className={classes.plain}>
        {witnesses.map((one) => (
          <li key={one.key_hash}>
            {identityName(one)}{" "}
            <span className={classes.soft}>
              {plural(one.blocks, "block of 2 hours", "blocks of 2 hours")}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
