import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { announceOrigin, createKey } from "@/api/public";
import { announceUrl, useAnnounceKey } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { CopyField } from "@/components/ui/CopyField";
import { Failure } from "@/components/requests/Failure";
import classes from "./AnnounceKeyCard.module.css";
import { NewRecoveryCode } from "./NewRecoveryCode";
import { OwnKeyForm } from "./OwnKeyForm";

const RemoveDialog = lazy(() => import("./RemoveDialog"));

interface Props {
  /** Content below the URL. */
  children?: ReactNode;
  /** Link to the page with the standing. */
  linkToStanding?: boolean;
}

/** The visitor's announce URL: get a new one or enter an existing one, copy it, remove it from the browser. */
export function AnnounceKeyCard({ children, linkToStanding = false }: Props) {
  const [key, remember] = useAnnounceKey();
  const [code, setCode] = useState<string | null>(null);
  return (
    <Card title="Your announce URL">
      {key !== null && code !== null && (
        <NewRecoveryCode
          code={code}
          onSaved={() => {
            setCode(null);
          }}
        />
      )}
      {key === null ? (
        <WithoutKey onCode={setCode} />
      ) : (
        <WithKey announceKey={key} remember={remember} linkToStanding={linkToStanding} />
      )}
      {children}
    </Card>
  );
}

function WithoutKey({ onCode }: { onCode: (code: string | null) => void }) {
  const [, remember] = useAnnounceKey();
  const create = useMutation({
    mutationFn: createKey,
    onSuccess: ({ announce_key, recovery_code }) => {
      onCode(recovery_code ?? null);
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

function AnnounceUrl({ announceKey }: { announceKey: string }) {
  const { data, isPending } = useQuery(announceOrigin());
  const origin = data?.announce_origin ?? location.origin; // which takes announces too, should the API be down
  return <CopyField label="Your announce URL" value={isPending ? "" : announceUrl(origin, announceKey)} />;
}

interface WithKeyProps {
  announceKey: string;
  remember: (key: null) => void;
  linkToStanding: boolean;
}

function WithKey({ announceKey, remember, linkToStanding }: WithKeyProps) {
  const [removing, setRemoving] = useState(false);
  return (
    <div className={classes.body}>
      <AnnounceUrl announceKey={announceKey} />
      <p className={classes.soft}>
        It's saved in this browser and sent only to this tracker. Anyone who has it can announce as you.
      </p>
      <div className={classes.actions}>
        {linkToStanding && <Link to="/standing">View your standing</Link>}
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          onClick={() => {
            setRemoving(true);
          }}
        >
          Remove from this browser
        </Button>
      </div>
      {removing && (
        <Suspense>
          <RemoveDialog
            onClose={() => {
              setRemoving(false);
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
