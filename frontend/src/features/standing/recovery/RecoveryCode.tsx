import { Alert, Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { KEY_HOLDER } from "@/api/announce-key";
import { askForCode, claimCode, objectToCode, type Recovery, recovery } from "@/api/key-holder";
import { claimOf, forgetClaim, rememberClaim } from "@/api/recovery-claim";
import { NewRecoveryCode } from "@/components/announce-key/NewRecoveryCode";
import { Failure } from "@/components/requests/Failure";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { Expected, Moment } from "@/components/ui/Moment";
import { useNow } from "@/components/ui/now";
import classes from "./Recovery.module.css";

/** Whether the key has a recovery code, and how to get one. */
export function RecoveryCode() {
  const query = useQuery(recovery());
  const [code, setCode] = useState<string | null>(null);
  return (
    <Card title="Recovery code">
      {code !== null && (
        <NewRecoveryCode
          code={code}
          onSaved={() => {
            setCode(null);
          }}
        />
      )}
      <Loaded query={query} label="Loading the recovery code's state">
        {(state) => <State state={state} onCode={setCode} />}
      </Loaded>
    </Card>
  );
}

function State({ state, onCode }: { state: Recovery; onCode: (code: string) => void }) {
  if (state.code_created !== null)
    return (
      <p>
        This key has had a recovery code since <Moment at={state.code_created} />. With the code you can
        always get your key back. If you've lost it, ask an operator for another.
      </p>
    );
  if (state.request !== null) return <Requested request={state.request} onCode={onCode} />;
  return <Ask undoUntil={state.undo_until} />;
}

function Ask({ undoUntil }: { undoUntil: string | null }) {
  const queries = useQueryClient();
  const ask = useMutation({
    mutationFn: askForCode,
    onSuccess: async ({ claim, requested }) => {
      rememberClaim(requested, claim);
      await queries.invalidateQueries({ queryKey: [KEY_HOLDER, "recovery"] });
    },
  });
  return (
    <div className={classes.body}>
      <p>
        This key has no recovery code yet. With one you can get your key back if somebody steals it. Ask for
        it here and come back with this browser after a few days; until then, anyone who has the key can
        object.
      </p>
      {undoUntil !== null && (
        <p className={classes.soft}>
          The key was rotated recently, so you can only ask once that can't be undone any more,{" "}
          <Expected at={undoUntil} />. An operator can give you a code now.
        </p>
      )}
      {ask.error && <Failure error={ask.error} />}
      <Button
        variant="default"
        disabled={undoUntil !== null}
        loading={ask.isPending}
        onClick={() => {
          ask.mutate();
        }}
      >
        Ask for a recovery code
      </Button>
    </div>
  );
}

interface RequestedProps {
  request: NonNullable<Recovery["request"]>;
  onCode: (code: string) => void;
}

function Requested({ request, onCode }: RequestedProps) {
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: [KEY_HOLDER, "recovery"] });
  const claim = claimOf(request.requested);
  const isReady = useNow() >= new Date(request.ready);
  const object = useMutation({
    mutationFn: objectToCode,
    onSuccess: () => {
      forgetClaim();
      return refresh();
    },
  });
  const fetchCode = useMutation({
    mutationFn: claimCode,
    onSuccess: ({ recovery_code }) => {
      forgetClaim();
      onCode(recovery_code);
      return refresh();
    },
  });
  const error = object.error ?? fetchCode.error;
  return (
    <div className={classes.body}>
      <Alert color="yellow" className={classes.wide} title="Someone asked for this key's recovery code">
        <p>
          That was <Moment at={request.requested} />
          {claim === null ? ", in another browser." : ", in this browser."} Whoever gets the code can take the
          key over for good. If it wasn't you, object. To start again from this browser, object too.
        </p>
      </Alert>
      {claim !== null && !isReady && (
        <p>
          You can fetch the code here <Expected at={request.ready} />, unless somebody objects.
        </p>
      )}
      {error && <Failure error={error} />}
      {claim !== null && isReady && (
        <Button
          loading={fetchCode.isPending}
          onClick={() => {
            fetchCode.mutate(claim);
          }}
        >
          Show the recovery code
        </Button>
      )}
      <Button
        variant="default"
        loading={object.isPending}
        onClick={() => {
          object.mutate();
        }}
      >
        Object
      </Button>
    </div>
  );
}
