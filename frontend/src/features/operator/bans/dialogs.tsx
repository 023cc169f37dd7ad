import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Ban, changeBan, liftBan } from "@/api/operator";
import { Confirm } from "@/components/requests/Confirm";
import { Failure } from "@/components/requests/Failure";
import { dateAndTime } from "@/components/ui/format";
import classes from "../tables.module.css";
import { endOf, LENGTHS, parseLength } from "./lengths";

interface Props {
  of: Ban;
  onClose: () => void;
}

const UNCHANGED = "unchanged";

export function LiftDialog({ of: ban, onClose }: Props) {
  const queries = useQueryClient();
  const lift = useMutation({
    mutationFn: liftBan,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["operator", "bans"] });
    },
  });
  return (
    <Confirm
      title="Lift this ban?"
      action="Lift"
      opened
      pending={lift.isPending}
      error={lift.error}
      onClose={onClose}
      onConfirm={() => {
        lift.mutate(ban.id);
      }}
    >
      <p>
        <code className={classes.code}>{ban.value}</code> will be served again within a second.
      </p>
    </Confirm>
  );
}

export function ChangeDialog({ of: ban, onClose }: Props) {
  const [reason, setReason] = useState(ban.reason);
  const [length, setLength] = useState(UNCHANGED);
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: changeBan,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["operator", "bans"] });
    },
  });
  const ends = ban.expires === null ? "permanent" : `until ${dateAndTime(new Date(ban.expires))}`;
  return (
    <Modal opened onClose={onClose} title="Change this ban" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className={classes.stack}
        onSubmit={(event) => {
          event.preventDefault();
          const expires = length === UNCHANGED ? {} : { expires: endOf(parseLength(length), new Date()) };
          change.mutate({ id: ban.id, reason, ...expires });
        }}
      >
        <code className={classes.code}>{ban.value}</code>
        <TextInput
          label="Reason"
          maxLength={500}
          data-autofocus
          value={reason}
          onChange={(event) => {
            setReason(event.currentTarget.value);
          }}
        />
        <NativeSelect
          label="How long from now"
          data={[{ value: UNCHANGED, label: `Unchanged: ${ends}` }, ...LENGTHS]}
          value={length}
          onChange={(event) => {
            setLength(event.currentTarget.value);
          }}
        />
        {change.error && <Failure error={change.error} />}
        <div>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  );
}
