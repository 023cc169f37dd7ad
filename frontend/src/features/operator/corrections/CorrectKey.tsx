import { useQueryClient } from "@tanstack/react-query";
import { correctKey, type Key } from "@/api/operator";
import { CorrectDialog } from "./CorrectDialog";

export function CorrectKey({ of: key, onClose }: { of: Key; onClose: () => void }) {
  const queries = useQueryClient();
  return (
    <CorrectDialog
      title={`Correct the statistics of key ${key.id}`}
      statistics={[
        { name: "uploaded_bytes", label: "Uploaded, bytes", value: key.uploaded_bytes },
        { name: "downloaded_bytes", label: "Downloaded, bytes", value: key.downloaded_bytes },
        { name: "seeding_seconds", label: "Time seeding, seconds", value: key.seeding_seconds },
        { name: "snatched", label: "Snatches", value: key.snatched },
      ]}
      onCorrect={async (correction) => {
        await correctKey(key.id, correction);
        await queries.invalidateQueries({ queryKey: ["operator", "keys"] });
      }}
      onClose={onClose}
    >
      Score and tier follow with the key's next announce. Statistics of torrents don't change; correct them
      separately.
    </CorrectDialog>
  );
}
