import { Link } from "@tanstack/react-router";
import { Name } from "@/components/ui/Name";
import classes from "./TorrentLink.module.css";

export function TorrentLink({ torrent }: { torrent: { info_hash: string; name: string } }) {
  return (
    <Link to="/infohashes/$infoHash" params={{ infoHash: torrent.info_hash }} className={classes.name}>
      <Name lines={2}>{torrent.name}</Name>
    </Link>
  );
}
