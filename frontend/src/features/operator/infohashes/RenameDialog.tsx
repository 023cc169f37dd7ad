import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { renameInfohash } from "@/api/operator";
import type { Torrent } from "@/api/public";
import { Failure } from "@/components/requests/Failure";
import classes from "../tables.module.css";

export function RenameDialog({ torrent, onClose }: { torrent: Torrent; onClose: () => void }) {
  const [name, setName] = useState(torrent.name);
  const queries = useQueryClient();
  const rename = useMutation({
    mutationFn: renameInfohash,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["torrents"] });
    },
  });
  return (
    <Modal opened onClose={onClose} title="Rename torrent" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className={classes.stack}
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate({ infoHash: torrent.info_hash, name });
        }}
      >
        <TextInput
          label="Name"
          description="Shown in lists. The name inside the torrent file doesn't change."
          data-autofocus
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        {rename.error && <Failure error={rename.error} />}
        <div>
          <Button type="submit" loading={rename.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}
