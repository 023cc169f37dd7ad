import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { duration } from "@/components/ui/format";
import { Empty } from "@/components/ui/states";
import { TorrentLink } from "@/features/torrents/TorrentLink";
import classes from "./SnatchesOwed.module.css";

/** Torrents that were completed and not yet seeded for as long as is fair. */
export function SnatchesOwed({ owed, snatches }: { owed: Standing["snatches_owed"]; snatches: number }) {
  return (
    <Card title="Snatches owed">
      {owed.length === 0 ? (
        <Empty title="You owe nothing">
          {snatches === 0
            ? "A torrent that you complete asks to be seeded for a while; what is left of that shows here."
            : "You seeded all that you completed for as long as is fair."}
        </Empty>
      ) : (
        <>
          <p className={classes.soft}>
            You completed these. Seed each a little longer and it counts in your favour.
          </p>
          <ul className={classes.list}>
            {owed.map(({ info_hash, name, seconds_left }) => (
              <li key={info_hash}>
                <TorrentLink torrent={{ info_hash, name }} />
                <span>{duration(seconds_left)} left</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
