import { Button, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { advice, type ApiError } from "@/api/errors";
import { changeApiKey } from "@/api/api-key";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import classes from "./SignIn.module.css";

/** Asks for an API key, which is kept in this tab only. */
export function SignIn({ refused }: { refused?: ApiError }) {
  const [key, setKey] = useState("");
  return (
    <Page
      title="Operator sign-in"
      lead="For the tracker's operators. Your API key stays in this tab and is forgotten when you close it."
    >
      <div className={classes.narrow}>
        <Card>
          <form
            className={classes.form}
            onSubmit={(event) => {
              event.preventDefault();
              if (key.trim() !== "") changeApiKey(key.trim());
            }}
          >
            <PasswordInput
              label="API key"
              description="make run prints it; with Docker Compose it's the value of ETRACKER_AUTHORIZATION. Other operators received theirs when they were added."
              autoComplete="off"
              required
              withAsterisk={false}
              value={key}
              error={refused && `${advice(refused).title}. ${refused.detail}`}
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the key" }}
              onChange={(event) => {
                setKey(event.currentTarget.value);
              }}
            />
            <Button type="submit">Sign in</Button>
          </form>
        </Card>
      </div>
    </Page>
  );
}
