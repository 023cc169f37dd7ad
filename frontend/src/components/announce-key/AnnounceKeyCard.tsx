import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { createKey } from "@/api/public";
import { announceUrl, useAnnounceKey } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { CopyField } from "@/components/ui/CopyField";
import { Failure } from "@/components/requests/Failure";
import classes from "./AnnounceKeyCard.module.css";
import { OwnKeyForm } from "./OwnKeyForm";

const ForgetDialog = lazy(() => import("./ForgetDialog"));

interface Props {
  /** What follows the URL. */
  children?: ReactNode;
  /** Whether the standing is on another page, to which a link leads. */
  standingElsewhere?: boolean;
}

/** One's own announce URL: get it, copy it, bring it from elsewhere, forget it. */
export function AnnounceKeyCard({ children, standingElsewhere = false }: Props) {
  const [key, remember] = useAnnounceKey();
  return (
    <Card title="Your announce URL">
      {key === null ? (
        <None />
      ) : (
        <Known announceKey={key} remember={remember} standingElsewhere={standingElsewhere} />
      )}
      {children}
    </Card>
  );
}

function None() {
  const [, remember] = useAnnounceKey();
  const create = useMutation({
    mutationFn: createKey,
    onSuccess: ({ announce_key }) => {
      remember(announce_key);
    },
  });
  return (
    <div className={classes.body}>
      <p>
        This is how the tracker recognises you across sessions and clients. Keep it private, and use the same
        one everywhere so that everything you seed is credited to you. No account or email address needed.
      </p>
      <div>
        <Button
          size="md"
          loading={create.isPending}
          onClick={() => {
            create.mutate();
          }}
        >
          Get an announce URL
        </Button>
      </div>
      {create.error && <Failure error={create.error} />}
      <OwnKeyForm />
    </div>
  );
}

interface KnownProps {
  announceKey: string;
  remember: (key: null) => void;
  standingElsewhere: boolean;
}

function Known({ announceKey, remember, standingElsewhere }: KnownProps) {
  const [forgetting, setForgetting] = useState(false);
  return (
    <div className={classes.body}>
      <CopyField label="Your announce URL" value={announceUrl(announceKey)} />
      <p className={classes.soft}>
        It's saved in this browser and sent only to this tracker. Anyone who has it can announce as you.
      </p>
      <div className={classes.actions}>
        {standingElsewhere && <Link to="/standing">View your standing</Link>}
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          onClick={() => {
            setForgetting(true);
          }}
        >
          Remove from this browser
        </Button>
      </div>
      {forgetting && (
        <Suspense>
          <ForgetDialog
            onClose={() => {
              setForgetting(false);
            }}
            onConfirm={() => {
              remember(null);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}
