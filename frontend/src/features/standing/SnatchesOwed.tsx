import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { duration } from "@/components/ui/format";
import { Empty } from "@/components/ui/states";
import { TorrentLink } from "@/components/torrents/TorrentLink";
import classes from "./SnatchesOwed.module.css";

/** Downloads, finished or not, that still owe seeding time. */
export function SnatchesOwed({ owed, snatches }: { owed: Standing["snatches_owed"]; snatches: number }) {
  return (
    <Card title="Seeding owed">
      {owed.length === 0 ? (
        <Empty title="Nothing owed">
          {snatches === 0
            ? "Each torrent you download should be seeded for a while. Any seeding time you still owe is listed here."
            : "You've seeded every torrent you downloaded for long enough."}
        </Empty>
      ) : (
        <>
          <p className={classes.soft}>
            You downloaded these torrents, or part of them. Seed each one a little longer, with the client
            that downloaded it, for it to count in your favour.
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
