import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { clearDebts, debts, type Key } from "@/api/operator";
import { Failure } from "@/components/requests/Failure";
import { Loaded } from "@/components/requests/Loaded";
import { duration, plural } from "@/components/ui/format";
import { piecesOf } from "@/components/ui/hidden-characters";
import classes from "../tables.module.css";

const ALL = "";

// An option holds only text, so invisible characters can't be marked as in other names.
const visible = (name: string) =>
  piecesOf(name)
    .map(({ text }) => text)
    .join("");

/** Clears the debt of one torrent, or all, for a reason that the audit log keeps. */
export function ClearDebts({ of: key, onClose }: { of: Key; onClose: () => void }) {
  const query = useQuery(debts(key.id));
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Clear the debts of key ${key.id}`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Loaded query={query} label="Loading debts">
        {({ items }) => <Form of={key} owed={items} onClose={onClose} />}
      </Loaded>
    </Modal>
  );
}

interface FormProps {
  of: Key;
  owed: { info_hash: string; name: string; seconds_left: number }[];
  onClose: () => void;
}

function Form({ of: key, owed, onClose }: FormProps) {
  const queries = useQueryClient();
  const [infoHash, setInfoHash] = useState(ALL);
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const clear = useMutation({
    mutationFn: clearDebts,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["operator", "keys"] });
    },
  });
  return (
    <form
      className={classes.stack}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (reason.trim() !== "")
          clear.mutate({ id: key.id, infoHash: infoHash === ALL ? null : infoHash, reason });
      }}
    >
      <NativeSelect
        label="Debt"
        description={owed.length === 0 ? "It owes nothing for torrents that still exist." : undefined}
        data={[
          { value: ALL, label: `All (${plural(owed.length, "torrent")}), also of deleted torrents` },
          ...owed.map((one) => ({
            value: one.info_hash,
            label: `${visible(one.name) || one.info_hash.slice(0, 12)}: ${duration(one.seconds_left)}`,
          })),
        ]}
        value={infoHash}
        onChange={(event) => {
          setInfoHash(event.currentTarget.value);
        }}
      />
      <TextInput
        label="Reason"
        description="Kept in the audit log."
        maxLength={500}
        value={reason}
        error={tried && reason.trim() === "" && "Enter a reason."}
        onChange={(event) => {
          setReason(event.currentTarget.value);
        }}
      />
      <p className={classes.soft}>
        Snatches stay counted, but the key no longer owes seeding for them. Score and tier follow with its
        next announce.
      </p>
      {clear.error && <Failure error={clear.error} />}
      <div>
        <Button type="submit" loading={clear.isPending}>
          Clear
        </Button>
      </div>
    </form>
  );
}
