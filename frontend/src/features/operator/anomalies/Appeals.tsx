import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type AnomalyDetail, answerAppeal, type Appeal } from "@/api/anomalies";
import { Failure } from "@/components/requests/Failure";
import { Card } from "@/components/ui/Card";
import { Moment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Prose } from "@/components/ui/Prose";
import classes from "../tables.module.css";

const MOST_CHARACTERS = 2000;

/** What the key's holder says, and the answers. */
export function Appeals({ of: one }: { of: AnomalyDetail }) {
  return (
    <Card title="Appeals">
      <div className={classes.stack}>
        {one.appeals.map((appeal) => (
          <article key={appeal.id} className={classes.stack}>
            <div>
              <Prose>{appeal.text}</Prose>
              <p className={classes.soft}>
                The key&rsquo;s holder, <Moment at={appeal.at} />
              </p>
            </div>
            {appeal.answer === null ? <AnswerForm id={one.id} appeal={appeal.id} /> : <Answer of={appeal} />}
          </article>
        ))}
      </div>
    </Card>
  );
}

function Answer({ of: { answer, answered, operator } }: { of: Appeal }) {
  return (
    <div className={classes.answer}>
      <Prose>{answer ?? ""}</Prose>
      <p className={classes.soft}>
        Answered by <Name lines={1}>{operator ?? ""}</Name>
        {answered !== null && (
          <>
            , <Moment at={answered} />
          </>
        )}
      </p>
    </div>
  );
}

function AnswerForm({ id, appeal }: { id: number; appeal: number }) {
  const [answer, setAnswer] = useState("");
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: answerAppeal,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["operator", "anomalies"] }),
  });
  return (
    <form
      className={classes.stack}
      onSubmit={(event) => {
        event.preventDefault();
        mutation.mutate({ id, appeal, answer });
      }}
    >
      <Textarea
        label="Answer"
        description="The key's holder sees it, but not your name. You can answer once; to lift the confirmation, clear it above."
        required
        autosize
        minRows={2}
        maxRows={12}
        maxLength={MOST_CHARACTERS}
        value={answer}
        onChange={(event) => {
          setAnswer(event.currentTarget.value);
        }}
      />
      {mutation.error && <Failure error={mutation.error} />}
      <div>
        <Button type="submit" loading={mutation.isPending}>
          Send the answer
        </Button>
      </div>
    </form>
  );
}
