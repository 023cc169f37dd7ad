import { Alert, Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { BanKind } from "@/api/enums";
import { importBans } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import { count, plural } from "@/components/ui/format";
import { Failure } from "@/components/requests/Failure";
import classes from "../tables.module.css";
import { BAN_KINDS, KINDS } from "./kinds";
import { endOf, type Length, LENGTHS, parseLength } from "./lengths";

type ImportResult = Awaited<ReturnType<typeof importBans>>;

/** Bans one thing or a whole list. */
export function AddBans() {
  const [kind, setKind] = useState<BanKind>(BanKind.network);
  const [lines, setLines] = useState("");
  const [reason, setReason] = useState("");
  const [length, setLength] = useState<Length>("");
  const [missing, setMissing] = useState(false);
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: importBans,
    onSuccess: async ({ refused }) => {
      if (refused === 0) setLines("");
      await queries.invalidateQueries({ queryKey: ["operator", "bans"] });
    },
  });
  return (
    <Card title="Ban">
      <form
        className={classes.stack}
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(lines.trim() === "");
          if (lines.trim() !== "") {
            add.mutate({ kind, lines, reason, expires: endOf(length, new Date()), confirm: false });
          }
        }}
      >
        <div className={classes.form}>
          <TextInput
            label="Reason"
            description="Shown to operators only, never to clients."
            maxLength={500}
            value={reason}
            onChange={(event) => {
              setReason(event.currentTarget.value);
            }}
          />
          <NativeSelect
            label="What to ban"
            data={BAN_KINDS.map((value) => ({ value, label: KINDS[value].label }))}
            value={kind}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              setKind(BAN_KINDS.find((one) => one === chosen) ?? BanKind.network);
              add.reset();
            }}
          />
          <NativeSelect
            label="How long"
            data={LENGTHS}
            value={length}
            onChange={(event) => {
              setLength(parseLength(event.currentTarget.value));
            }}
          />
        </div>
        <Textarea
          label={`${KINDS[kind].label}s`}
          description={KINDS[kind].help}
          placeholder={KINDS[kind].example}
          autosize
          minRows={2}
          maxRows={12}
          spellCheck={false}
          value={lines}
          error={missing && "Enter at least one line."}
          onChange={(event) => {
            setLines(event.currentTarget.value);
          }}
        />
        <div>
          <Button type="submit" color="red" loading={add.isPending}>
            Ban
          </Button>
        </div>
        {add.error && <Failure error={add.error} />}
        {add.data && (
          <Results
            result={add.data}
            onConfirm={() => {
              add.mutate({ ...add.variables, confirm: true });
            }}
          />
        )}
      </form>
    </Card>
  );
}

function Results({ result, onConfirm }: { result: ImportResult; onConfirm: () => void }) {
  const { added, extended, known, refused, unconfirmed, problems } = result;
  return (
    <Alert
      role="status"
      color={refused > 0 ? "yellow" : "teal"}
      title={`${plural(added, "ban", "bans")} added, ${count(extended)} extended, ${count(known)} already banned, ${count(refused)} refused`}
    >
      {problems.map(({ line, text, detail }) => (
        <p key={line} className={classes.code}>
          Line {line}, <code>{text}</code>: {detail}
        </p>
      ))}
      {refused > problems.length && <p>{count(refused - problems.length)} more refused lines.</p>}
      {unconfirmed > 0 && (
        <Button mt="sm" size="xs" color="red" variant="outline" onClick={onConfirm}>
          {`Ban ${unconfirmed === 1 ? "this one" : `these ${count(unconfirmed)}`} anyway`}
        </Button>
      )}
    </Alert>
  );
}
