import type { BlockList } from "@/api/public";
import { Card } from "@/components/ui/Card";
import { CopyField } from "@/components/ui/CopyField";
import classes from "./Lists.module.css";

const LISTS = [
  {
    form: "p2p",
    label: "Transmission, Deluge and BiglyBT",
    steps: [
      ["Transmission", "Preferences, Privacy: enable the block list, enter this URL and press Update."],
      ["Deluge", "enable the plugin Blocklist, enter this URL in its preferences, then check and import."],
      ["BiglyBT", "Options, IP Filters: enter this URL as the file to load automatically."],
    ],
  },
  {
    form: "dat",
    label: "qBittorrent",
    steps: [
      [
        "qBittorrent",
        "save this URL as a file, and choose that in Options, Connection, IP Filtering. Or right-click the peer in the list of peers and ban it.",
      ],
    ],
  },
  {
    form: "txt",
    label: "PeerBanHelper",
    steps: [["PeerBanHelper", "add this URL as a rule subscription."]],
  },
] as const;

/** The addresses of the lists, and how to use them in each client. */
export function Lists({ list }: { list: BlockList }) {
  return (
    <Card title="How to block them">
      <div className={classes.lists}>
        <p>
          Your client can fetch the list by itself. It changes: peers that behave again disappear from it. The
          list for Transmission, Deluge and BiglyBT has IPv4 addresses only.
        </p>
        {LISTS.map(({ form, label, steps }) => (
          <div key={form} className={classes.list}>
            <h3>{label}</h3>
            <CopyField label={`List for ${label}`} value={new URL(list[form], window.location.origin).href} />
            <ul>
              {steps.map(([client, how]) => (
                <li key={client}>
                  <b>{client}</b>: {how}
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </Card>
  );
}
