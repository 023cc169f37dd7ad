import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { findKey, useAnnounceKey } from "@/api/announce-key";
import classes from "./AnnounceKeyCard.module.css";

/** Takes a key that the visitor already has, from another browser or from the tracker's old site. */
export function OwnKeyForm() {
  const [, remember] = useAnnounceKey();
  const [pasted, setPasted] = useState("");
  const [refused, setRefused] = useState(false);
  return (
    <details className={classes.own}>
      <summary>I already have one</summary>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          const key = findKey(pasted);
          setRefused(key === null);
          if (key !== null) remember(key);
        }}
      >
        <PasswordInput
          label="Announce URL or key"
          autoComplete="off"
          value={pasted}
          error={refused && "No announce key found. A key has 30 characters, all 0 to 9 or a to f."}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
          onChange={(event) => {
            setPasted(event.currentTarget.value);
          }}
        />
        <Button type="submit" variant="default">
          Use this key
        </Button>
      </form>
    </details>
  );
}
