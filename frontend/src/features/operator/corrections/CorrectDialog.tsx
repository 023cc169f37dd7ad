import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Correction } from "@/api/operator";
import { Failure } from "@/components/requests/Failure";
import { count } from "@/components/ui/format";
import classes from "../tables.module.css";
import { parseAmount, parseWay, type Way, WAYS } from "./amounts";

export interface Statistic {
  /** As the API names it. */
  name: string;
  label: string;
  value: number;
}

interface Props {
  title: string;
  statistics: Statistic[];
  /** What follows from a correction. */
  children: ReactNode;
  onCorrect: (correction: Correction) => Promise<unknown>;
  onClose: () => void;
}

/** Corrects one statistic, for a reason that the audit log keeps. */
export function CorrectDialog({ title, statistics, children, onCorrect, onClose }: Props) {
  const [name, setName] = useState(statistics[0]?.name ?? "");
  const [way, setWay] = useState<Way>("to");
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const correct = useMutation({ mutationFn: onCorrect, onSuccess: onClose });
  const current = statistics.find((one) => one.name === name);
  const amount = parseAmount(way, text);
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className={classes.stack}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (amount !== null && reason.trim() !== "") correct.mutate({ statistic: name, amount, reason });
        }}
      >
        <NativeSelect
          label="Statistic"
          description={current && `Now ${count(current.value)}.`}
          data={statistics.map((one) => ({ value: one.name, label: one.label }))}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
          }}
        />
        <NativeSelect
          label="Change"
          data={WAYS.map(({ value, label }) => ({ value, label }))}
          value={way}
          onChange={(event) => {
            setWay(parseWay(event.currentTarget.value));
          }}
        />
        <TextInput
          label="Amount"
          inputMode="numeric"
          data-autofocus
          value={text}
          error={tried && amount === null && "Enter a whole number."}
          onChange={(event) => {
            setText(event.currentTarget.value);
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
        <p className={classes.soft}>{children}</p>
        {correct.error && <Failure error={correct.error} />}
        <div>
          <Button type="submit" loading={correct.isPending}>
            Correct
          </Button>
        </div>
      </form>
    </Modal>
  );
}
