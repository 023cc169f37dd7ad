import { useQuery, useQueryClient } from "@tanstack/react-query";
import { correctTorrent } from "@/api/operator";
import { type Torrent, torrent } from "@/api/public";
import { CorrectDialog } from "./CorrectDialog";

/** The list doesn't show all statistics, so the dialog opens once they are loaded. */
export function CorrectTorrent({ of: listed, onClose }: { of: Torrent; onClose: () => void }) {
  const queries = useQueryClient();
  const { data } = useQuery(torrent(listed.info_hash));
  if (data === undefined) return null;
  return (
    <CorrectDialog
      title="Correct a torrent's statistics"
      statistics={[
        { name: "uploaded_bytes", label: "Uploaded, bytes", value: data.uploaded_bytes },
        { name: "downloaded_bytes", label: "Downloaded, bytes", value: data.downloaded_bytes },
        { name: "seeding_seconds", label: "Time seeded, seconds", value: data.seeding_seconds },
        { name: "snatches", label: "Snatches", value: data.snatches },
      ]}
      onCorrect={async (correction) => {
        await correctTorrent(listed.info_hash, correction);
        await queries.invalidateQueries({ queryKey: ["torrents"] });
      }}
      onClose={onClose}
    >
      The tracker's totals change by as much. Statistics of keys don't; correct them separately.
    </CorrectDialog>
  );
}
