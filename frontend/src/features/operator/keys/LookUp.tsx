import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { type Key, lookUpKey } from "@/api/operator";
import { keyIn } from "@/app/announce-key";
import { Card } from "@/components/ui/Card";
import { Failure } from "@/components/ui/states";
import classes from "../tables.module.css";

/** Whose key is this? The key travels in a body, never in a URL. */
export function LookUp({ onFound }: { onFound: (key: Key) => void }) {
  const [pasted, setPasted] = useState("");
  const [refused, setRefused] = useState(false);
  const look = useMutation({
    mutationFn: lookUpKey,
    onSuccess: (key) => {
      setPasted("");
      onFound(key);
    },
  });
  const unknown = look.error instanceof ApiError && look.error.status === 404;
  return (
    <Card title="Look a key up">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          const key = keyIn(pasted);
          setRefused(key === null);
          if (key !== null) look.mutate(key);
        }}
      >
        <PasswordInput
          label="Announce key or URL"
          autoComplete="off"
          value={pasted}
          error={
            refused
              ? "There is no announce key in it: a key has 30 characters, 0 to 9 and a to f."
              : unknown && "No such key: it was never issued, or was rotated or pruned."
          }
          visibilityToggleButtonProps={{ "aria-label": "Show what was typed" }}
          onChange={(event) => {
            setPasted(event.currentTarget.value);
          }}
        />
        <Button type="submit" variant="default" loading={look.isPending}>
          Look up
        </Button>
      </form>
      {look.error && !unknown && <Failure error={look.error} />}
    </Card>
  );
}
