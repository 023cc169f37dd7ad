import { Alert, Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { rotateKey } from "@/api/key-holder";
import { KEY_HOLDER, rotateTo } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { Confirm } from "@/components/requests/Confirm";
import { AnnounceKeyCard } from "@/components/announce-key/AnnounceKeyCard";
import { RecoverForm } from "./recovery/RecoverForm";
import classes from "./RotateCard.module.css";

/** The announce URL, and how to replace it when it has leaked. */
export function RotateCard() {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [recovered, setRecovered] = useState(false);
  const rotate = useMutation({
    mutationFn: rotateKey,
    onSuccess: async ({ announce_key }) => {
      rotateTo(announce_key);
      setAsking(false);
      await queries.invalidateQueries({ queryKey: [KEY_HOLDER] });
    },
  });
  return (
    <div className={classes.columns}>
      <AnnounceKeyCard />
      <Card title="Key leaked?">
        <div className={classes.body}>
          <p>
            Rotate the key to get a new announce URL. Your history moves to it and the old URL stops working,
            so you'll need to update your clients. For a few days whoever has the old URL can undo this; with
            the recovery code it's final.
          </p>
          {rotate.isSuccess && (
            <Alert color="teal" role="status" title="Key rotated">
              This page now shows your new announce URL. Add it to your clients.
            </Alert>
          )}
          {recovered && (
            <Alert color="teal" role="status" title="Key recovered">
              Only you have the key now. Add the new announce URL to your clients. Your recovery code stays
              the same.
            </Alert>
          )}
          <Button
            variant="default"
            onClick={() => {
              rotate.reset();
              setAsking(true);
            }}
          >
            Rotate key
          </Button>
          <details>
            <summary>Rotate with the recovery code</summary>
            <RecoverForm
              onRecovered={() => {
                setRecovered(true);
              }}
            />
          </details>
        </div>
      </Card>
      <Confirm
        title="Rotate your announce key?"
        action="Rotate key"
        dangerous
        opened={asking}
        pending={rotate.isPending}
        error={rotate.error}
        onClose={() => {
          setAsking(false);
        }}
        onConfirm={() => {
          rotate.mutate();
        }}
      >
        <p>
          The old announce URL stops working immediately in every client that uses it. You keep your history.
        </p>
      </Confirm>
    </div>
  );
}
