import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Decision, endDecision } from "@/api/anomalies";
import { Failure } from "@/components/requests/Failure";
import { dateAndTime } from "@/components/ui/format";
import { Name } from "@/components/ui/Name";
import classes from "../tables.module.css";
import { DECISIONS } from "./words";

/** The decision in effect, and a form that ends it. */
export function CurrentDecision({ id, decision }: { id: number; decision: Decision }) {
  const [note, setNote] = useState("");
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: endDecision,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["operator", "anomalies"] }),
  });
  const until =
    decision.until === null ? "until you end it" : `until ${dateAndTime(new Date(decision.until))}`;
  return (
    <form
      className={classes.stack}
      onSubmit={(event) => {
        event.preventDefault();
        end.mutate({ id, note });
      }}
    >
      <div>
        <p>
          <b>{DECISIONS[decision.decision].done}</b> by <Name lines={1}>{decision.operator}</Name>, {until}.
        </p>
        <p>
          <Name lines={2}>{decision.note}</Name>
        </p>
      </div>
      <div className={classes.form}>
        <TextInput
          label="Why it ends"
          required
          maxLength={500}
          value={note}
          onChange={(event) => {
            setNote(event.currentTarget.value);
          }}
        />
        <Button type="submit" variant="default" loading={end.isPending}>
          End this decision
        </Button>
      </div>
      {end.error && <Failure error={end.error} />}
    </form>
  );
}
