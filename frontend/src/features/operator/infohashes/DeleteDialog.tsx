import { useMutation, useQueryClient } from "@tanstack/react-query";
import { deleteInfohash } from "@/api/operator";
import type { Torrent } from "@/api/public";
import { Confirm } from "@/components/requests/Confirm";
import { Name } from "@/components/ui/Name";

export function DeleteDialog({ torrent, onClose }: { torrent: Torrent; onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: deleteInfohash,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["torrents"] });
    },
  });
  return (
    <Confirm
      title="Remove this torrent from the allowlist?"
      action="Remove"
      dangerous
      opened
      pending={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() => {
        remove.mutate(torrent.info_hash);
      }}
    >
      <p>
        <b>
          <Name lines={2}>{torrent.name}</Name>
        </b>
      </p>
      <p>Announces for it will be refused within a second. Its statistics and file will be deleted too.</p>
    </Confirm>
  );
}
