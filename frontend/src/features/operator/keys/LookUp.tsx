import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { type Key, lookUpKey } from "@/api/operator";
import { keyIn } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { Failure } from "@/components/requests/Failure";
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
    <Card title="Look up a key">
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
          label="Announce URL or key"
          autoComplete="off"
          value={pasted}
          error={
            refused
              ? "No announce key found. A key is 30 characters long, using 0 to 9 and a to f."
              : unknown && "Unknown key. It was never issued, or it has been rotated or pruned."
          }
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
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
