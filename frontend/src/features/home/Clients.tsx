import { Card } from "@/components/ui/Card";
import classes from "./Clients.module.css";

const CLIENTS: { name: string; steps: string }[] = [
  {
    name: "qBittorrent",
    steps: "Select the torrent, open the tab Trackers below, right-click, Add trackers, paste the URL.",
  },
  {
    name: "Transmission",
    steps:
      "Right-click the torrent, Properties, Trackers, Edit trackers, paste the URL on a line of its own.",
  },
  { name: "Deluge", steps: "Right-click the torrent, Edit trackers, Add, paste the URL." },
  {
    name: "rTorrent",
    steps: "Easiest with the downloaded torrent file: put it into the watch folder, it has the URL already.",
  },
  { name: "aria2", steps: "Give it the downloaded torrent file, or --bt-tracker=URL for one that you have." },
];

/** How to bring an announce URL into a client. */
export function Clients() {
  return (
    <Card title="Add it to your client">
      <dl className={classes.clients}>
        {CLIENTS.map(({ name, steps }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{steps}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
