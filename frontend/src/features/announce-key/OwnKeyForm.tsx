import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { keyIn, useAnnounceKey } from "@/app/announce-key";
import classes from "./AnnounceKeyCard.module.css";

/** For somebody who has a key already, from another browser or from the tracker's old pages. */
export function OwnKeyForm() {
  const [, remember] = useAnnounceKey();
  const [pasted, setPasted] = useState("");
  const [refused, setRefused] = useState(false);
  return (
    <details className={classes.own}>
      <summary>I have one already</summary>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          const key = keyIn(pasted);
          setRefused(key === null);
          if (key !== null) remember(key);
        }}
      >
        <PasswordInput
          label="Your announce URL or key"
          autoComplete="off"
          value={pasted}
          error={refused && "There is no announce key in it: a key has 30 characters, 0 to 9 and a to f."}
          visibilityToggleButtonProps={{ "aria-label": "Show what was typed" }}
          onChange={(event) => {
            setPasted(event.currentTarget.value);
          }}
        />
        <Button type="submit" variant="default">
          Use it
        </Button>
      </form>
    </details>
  );
}
