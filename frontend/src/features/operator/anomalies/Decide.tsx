import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Anomaly, decide } from "@/api/anomalies";
import { DecisionName } from "@/api/enums";
import { Failure } from "@/components/requests/Failure";
import { Card } from "@/components/ui/Card";
import classes from "../tables.module.css";
import { CurrentDecision } from "./CurrentDecision";
import { endOfDecision, lengthsFor } from "./terms";
import { DECISIONS } from "./words";

const CHOICES = Object.values(DecisionName);

/** What operators decided about a key or guest, and a form for a decision. */
export function Decide({ of: one }: { of: Anomaly }) {
  return (
    <Card title="Decision">
      <div className={classes.stack}>
        {one.decision === null ? (
          <p>
            The detector decides. You can overrule it; the note is for operators, and goes into the audit log.
          </p>
        ) : (
          <CurrentDecision id={one.id} decision={one.decision} />
        )}
        <DecisionForm id={one.id} />
      </div>
    </Card>
  );
}

function DecisionForm({ id }: { id: number }) {
  const [decision, setDecision] = useState<DecisionName>(DecisionName.clear);
  const [length, setLength] = useState("week");
  const [note, setNote] = useState("");
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: decide,
    onSuccess: async () => {
      setNote("");
      await queries.invalidateQueries({ queryKey: ["operator", "anomalies"] });
    },
  });
  return (
    <form
      className={classes.stack}
      onSubmit={(event) => {
        event.preventDefault();
        mutation.mutate({ id, decision, note, until: endOfDecision(length, new Date()) });
      }}
    >
      <div className={classes.form}>
        <TextInput
          label="Note"
          required
          maxLength={500}
          value={note}
          onChange={(event) => {
            setNote(event.currentTarget.value);
          }}
        />
        <NativeSelect
          label="Decision"
          data={CHOICES.map((value) => ({ value, label: DECISIONS[value].label }))}
          value={decision}
          onChange={(event) => {
            const chosen = CHOICES.find((choice) => choice === event.currentTarget.value) ?? decision;
            setDecision(chosen);
            if (!lengthsFor(chosen).some(({ value }) => value === length)) setLength("week");
          }}
        />
        <NativeSelect
          label="Until"
          data={lengthsFor(decision)}
          value={length}
          onChange={(event) => {
            setLength(event.currentTarget.value);
          }}
        />
        <Button
          type="submit"
          color={decision === DecisionName.confirm ? "red" : "teal"}
          loading={mutation.isPending}
        >
          {DECISIONS[decision].label}
        </Button>
      </div>
      <p className={classes.soft}>{DECISIONS[decision].effect}</p>
      {mutation.error && <Failure error={mutation.error} />}
    </form>
  );
}
