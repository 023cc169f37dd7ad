import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { KEY_HOLDER, rotateTo } from "@/api/announce-key";
import { recoverKey } from "@/api/key-holder";
import { Failure } from "@/components/requests/Failure";
import { CodeField } from "./CodeField";
import classes from "./Recovery.module.css";

/** Replaces a stolen key with its recovery code, also when this browser no longer has a key that works. */
export function RecoverForm({ onRecovered }: { onRecovered?: () => void }) {
  const queries = useQueryClient();
  const [code, setCode] = useState("");
  const recover = useMutation({
    mutationFn: recoverKey,
    onSuccess: async ({ announce_key }) => {
      rotateTo(announce_key);
      setCode("");
      onRecovered?.();
      await queries.invalidateQueries({ queryKey: [KEY_HOLDER] });
    },
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        recover.mutate(code);
      }}
    >
      <CodeField value={code} onChange={setCode} />
      {recover.error && <Failure error={recover.error} />}
      <Button type="submit" variant="default" disabled={code.trim() === ""} loading={recover.isPending}>
        Recover key
      </Button>
    </form>
  );
}
