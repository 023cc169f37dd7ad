import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { duration } from "@/components/ui/format";
import { Empty } from "@/components/ui/states";
import { TorrentLink } from "@/components/torrents/TorrentLink";
import classes from "./SnatchesOwed.module.css";

/** Torrents that were completed and not yet seeded for as long as is fair. */
export function SnatchesOwed({ owed, snatches }: { owed: Standing["snatches_owed"]; snatches: number }) {
  return (
    <Card title="Seeding owed">
      {owed.length === 0 ? (
        <Empty title="Nothing owed">
          {snatches === 0
            ? "You're asked to seed each torrent you complete for a while. The time left to seed is shown here."
            : "You've seeded everything you completed for long enough."}
        </Empty>
      ) : (
        <>
          <p className={classes.soft}>
            You completed these torrents. Seed each one a little longer for it to count in your favour.
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
