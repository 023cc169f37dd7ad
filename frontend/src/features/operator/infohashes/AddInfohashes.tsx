import { Alert, Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { addInfohashes } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import { count, plural } from "@/components/ui/format";
import { Failure } from "@/components/requests/Failure";
import classes from "../tables.module.css";
import { parseLines } from "./lines";

const AT_ONCE = 1000;

/** Adds up to a thousand infohashes without files. */
export function AddInfohashes() {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: addInfohashes,
    onSuccess: async () => {
      setText("");
      await queries.invalidateQueries({ queryKey: ["torrents"] });
    },
  });
  return (
    <Card title="Add infohashes">
      <form
        className={classes.stack}
        onSubmit={(event) => {
          event.preventDefault();
          const { items, refused } = parseLines(text);
          const invalid = refused[0];
          if (invalid)
            setProblem(`Line ${invalid.line} doesn't start with an infohash of 40 hexadecimal digits.`);
          else if (items.length === 0) setProblem("Enter at least one infohash.");
          else if (items.length > AT_ONCE)
            setProblem(
              `You can add up to ${count(AT_ONCE)} at a time; this list has ${count(items.length)}.`,
            );
          else {
            setProblem(null);
            add.mutate(items);
          }
        }}
      >
        <Textarea
          label="Infohashes"
          description="One per line, optionally followed by a name. Use this for torrents whose files the tracker doesn't need."
          placeholder="0123456789abcdef0123456789abcdef01234567 Torrent name"
          autosize
          minRows={2}
          maxRows={12}
          spellCheck={false}
          value={text}
          error={problem}
          onChange={(event) => {
            setText(event.currentTarget.value);
          }}
        />
        <div>
          <Button type="submit" loading={add.isPending}>
            Add
          </Button>
        </div>
        {add.error && <Failure error={add.error} />}
        {add.data && <Results results={add.data.results} />}
      </form>
    </Card>
  );
}

type Results = Awaited<ReturnType<typeof addInfohashes>>["results"];

function Results({ results }: { results: Results }) {
  const amount = (status: Results[number]["status"]) => results.filter((one) => one.status === status).length;
  const refused = results.filter((one) => one.status === "refused");
  return (
    <Alert
      role="status"
      color={refused.length > 0 ? "yellow" : "teal"}
      title={`${plural(amount("added"), "infohash", "infohashes")} added, ${amount("known")} already listed, ${refused.length} refused`}
    >
      {refused.map(({ info_hash, detail }) => (
        <p key={info_hash} className={classes.code}>
          <code>{info_hash}</code>: {detail}
        </p>
      ))}
    </Alert>
  );
}
