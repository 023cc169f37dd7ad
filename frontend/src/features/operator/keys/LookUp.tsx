import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { type Key, lookUpKey } from "@/api/operator";
import { findKey } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { Failure } from "@/components/requests/Failure";
import classes from "../tables.module.css";

/** Finds the row of an announce key. The key is sent in a body, never in a URL. */
export function LookUp({ onFound }: { onFound: (key: Key) => void }) {
  const [pasted, setPasted] = useState("");
  const [refused, setRefused] = useState(false);
  const lookUp = useMutation({
    mutationFn: lookUpKey,
    onSuccess: (key) => {
      setPasted("");
      onFound(key);
    },
  });
  const unknown = lookUp.error instanceof ApiError && lookUp.error.status === 404;
  return (
    <Card title="Look up a key">
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          const key = findKey(pasted);
          setRefused(key === null);
          if (key !== null) lookUp.mutate(key);
        }}
      >
        <PasswordInput
          label="Announce URL or key"
          autoComplete="off"
          value={pasted}
          error={
            refused
              ? "No announce key found. A key has 30 characters, all 0 to 9 or a to f."
              : unknown && "Unknown key. It was never issued, or it has been rotated or pruned."
          }
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
          onChange={(event) => {
            setPasted(event.currentTarget.value);
          }}
        />
        <Button type="submit" variant="default" loading={lookUp.isPending}>
          Look up
        </Button>
      </form>
      {lookUp.error && !unknown && <Failure error={lookUp.error} />}
    </Card>
  );
}
