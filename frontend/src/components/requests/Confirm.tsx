import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { Failure } from "./Failure";
import classes from "./Confirm.module.css";

interface Props {
  title: string;
  children: ReactNode;
  action: string;
  opened: boolean;
  pending?: boolean;
  error?: Error | null;
  dangerous?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks for confirmation before an action. */
export function Confirm({
  title,
  children,
  action,
  opened,
  pending,
  error,
  dangerous,
  onConfirm,
  onClose,
}: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.body}>
        {children}
        {error && <Failure error={error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color={dangerous ? "red" : "teal"} loading={pending ?? false} onClick={onConfirm}>
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
