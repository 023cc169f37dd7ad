import type { VerdictName } from "@/api/enums";
import type { OwnAnomaly } from "@/api/key-holder";

/** What a verdict means, in words for the key's holder. */
export const FOUND: Record<VerdictName, string> = {
  statistics:
    "Your client reported uploads or events that can't have happened. Either it is broken, or somebody uses a program that fakes statistics with your key.",
  hidden_download: "Your client downloaded more than it reported.",
  waste:
    "Your client downloads the same data again and again, at the expense of those who upload it. Often the disk is broken or full: check the files, or add the torrent again.",
};

/** What a confirmation means for the key now. */
export function consequence({ enforced, verdict }: Pick<OwnAnomaly, "enforced" | "verdict">): string {
  if (!enforced)
    return "It has no consequences at the moment. If this tracker begins to enforce it, your key would get the lowest tier.";
  const peers =
    verdict === "waste"
      ? "Your client gets at most five peers, and none after a day"
      : "Your client gets at most five peers";
  return `Your key has the lowest tier until this is over. ${peers}, and others don't get it as a peer. It ends by itself some days after your client reports correctly.`;
}
