import { Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type Key, rotateKeyOf, updateKey } from "@/api/operator";
import { Confirm } from "@/components/requests/Confirm";
import { CopyField } from "@/components/ui/CopyField";
import classes from "../tables.module.css";

interface Props {
  of: Key;
  onClose: () => void;
}

export function DisableDialog({ of: key, onClose }: Props) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: updateKey,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["operator", "keys"] });
    },
  });
  return (
    <Confirm
      title={`${key.disabled ? "Enable" : "Disable"} key ${key.id}?`}
      action={key.disabled ? "Enable" : "Disable"}
      dangerous={!key.disabled}
      opened
      pending={change.isPending}
      error={change.error}
      onClose={onClose}
      onConfirm={() => {
        change.mutate({ id: key.id, disabled: !key.disabled });
      }}
    >
      <p>
        {key.disabled
          ? "Its announces will be accepted again within a second. Its history is unchanged."
          : "Its announces will be refused within a second. Its history is kept, and you can enable it again."}
      </p>
    </Confirm>
  );
}

export function RotateDialog({ of: key, onClose }: Props) {
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: rotateKeyOf,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["operator", "keys"] }),
  });
  if (rotate.data) {
    return (
      <Modal
        opened
        onClose={onClose}
        title={`Key ${key.id} rotated`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <div className={classes.stack}>
          <p>This is the holder's new announce URL. It won't be shown again; pass it on privately.</p>
          <CopyField label="New announce URL" value={rotate.data.announce_url} />
        </div>
      </Modal>
    );
  }
  return (
    <Confirm
      title={`Rotate key ${key.id}?`}
      action="Rotate"
      dangerous
      opened
      pending={rotate.isPending}
      error={rotate.error}
      onClose={onClose}
      onConfirm={() => {
        rotate.mutate(key.id);
      }}
    >
      <p>
        The old key stops working immediately, and nobody can undo this. Its history and its recovery code are
        kept, and you get a new key to pass on to the holder.
      </p>
    </Confirm>
  );
}
