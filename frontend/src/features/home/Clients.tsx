import { Card } from "@/components/ui/Card";
import classes from "./Clients.module.css";

const CLIENTS: { name: string; steps: string }[] = [
  {
    name: "qBittorrent",
    steps:
      "Select the torrent, open the Trackers tab below, right-click, choose Add trackers and paste the URL.",
  },
  {
    name: "Transmission",
    steps:
      "Right-click the torrent, choose Properties, Trackers, Edit trackers and paste the URL on its own line.",
  },
  { name: "Deluge", steps: "Right-click the torrent, choose Edit trackers, click Add and paste the URL." },
  {
    name: "rTorrent",
    steps: "Easiest: put the downloaded torrent file in the watch folder. It already contains the URL.",
  },
  {
    name: "aria2",
    steps: "Open the downloaded torrent file, or pass --bt-tracker=URL for one you already have.",
  },
];

/** How to add an announce URL to a client. */
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
