import type { BanKind } from "@/api/enums";

interface Kind {
  label: string;
  /** What to enter in the form. */
  help: string;
  example: string;
}

export const KINDS: Record<BanKind, Kind> = {
  network: {
    label: "Network",
    help: "One address, network or range per line; comments are skipped.",
    example: "203.0.113.9\n2001:db8::/32",
  },
  client: {
    label: "Client",
    help: "The start of a peer_id, one per line: ASCII characters as they are, other bytes as %xx.",
    example: "-XY12",
  },
  torrent: {
    label: "Torrent",
    help: "One infohash per line. A hybrid torrent is banned by both its infohashes.",
    example: "0123456789abcdef0123456789abcdef01234567",
  },
};

export const BAN_KINDS = Object.keys(KINDS) as BanKind[];
