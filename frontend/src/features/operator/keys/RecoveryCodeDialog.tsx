import { Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { giveRecoveryCode, type Key } from "@/api/operator";
import { Confirm } from "@/components/requests/Confirm";
import { CopyField } from "@/components/ui/CopyField";
import classes from "../tables.module.css";

export function RecoveryCodeDialog({ of: key, onClose }: { of: Key; onClose: () => void }) {
  const give = useMutation({ mutationFn: giveRecoveryCode });
  if (give.data) {
    return (
      <Modal
        opened
        onClose={onClose}
        title={`Recovery code of key ${key.id}`}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <div className={classes.stack}>
          <p>It won't be shown again; pass it on to the holder privately.</p>
          <CopyField label="Recovery code" value={give.data.recovery_code} />
        </div>
      </Modal>
    );
  }
  return (
    <Confirm
      title={`Give key ${key.id} a recovery code?`}
      action="Give a code"
      dangerous
      opened
      pending={give.isPending}
      error={give.error}
      onClose={onClose}
      onConfirm={() => {
        give.mutate(key.id);
      }}
    >
      <p>
        Whoever has the code can take the key over for good, so make sure that you're talking to its holder. A
        code that the key has stops working.
      </p>
    </Confirm>
  );
}
