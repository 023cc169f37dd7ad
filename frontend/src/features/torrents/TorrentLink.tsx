import { Link } from "@tanstack/react-router";
import { Name } from "@/components/ui/Name";
import classes from "./TorrentLink.module.css";

interface Props {
  torrent: { info_hash: string; name: string };
  lines?: 1 | 2;
}

export function TorrentLink({ torrent, lines = 2 }: Props) {
  return (
    <Link to="/infohashes/$infoHash" params={{ infoHash: torrent.info_hash }} className={classes.name}>
      <Name lines={lines}>{torrent.name}</Name>
    </Link>
  );
}
