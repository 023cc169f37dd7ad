import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { KEY_HOLDER } from "@/api/announce-key";
import { sendAppeal } from "@/api/key-holder";
import { Failure } from "@/components/requests/Failure";
import classes from "./Confirmation.module.css";

const MOST_CHARACTERS = 2000;

export function AppealForm({ left }: { left: number }) {
  const [text, setText] = useState("");
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: sendAppeal,
    onSuccess: async () => {
      setText("");
      await queries.invalidateQueries({ queryKey: [KEY_HOLDER, "anomaly"] });
    },
  });
  if (left === 0) {
    return <p className={classes.soft}>You can send another appeal once an operator has answered one.</p>;
  }
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        mutation.mutate(text);
      }}
    >
      <Textarea
        label="Is this a mistake?"
        description="Tell the operators what happened: which client you use, what you did at the time, whether anybody else uses your key. The answer appears here."
        required
        autosize
        minRows={3}
        maxRows={12}
        maxLength={MOST_CHARACTERS}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
        }}
      />
      {mutation.error && <Failure error={mutation.error} />}
      <Button type="submit" loading={mutation.isPending}>
        Send the appeal
      </Button>
    </form>
  );
}
