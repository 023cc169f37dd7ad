import { Alert, Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { rotateKey } from "@/api/key-holder";
import { KEY_HOLDER, rotateTo } from "@/api/announce-key";
import { Card } from "@/components/ui/Card";
import { Confirm } from "@/components/requests/Confirm";
import { AnnounceKeyCard } from "@/components/announce-key/AnnounceKeyCard";
import classes from "./RotateCard.module.css";

/** The announce URL, and how to replace it when it has leaked. */
export function RotateCard() {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
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
            so you'll need to update your clients.
          </p>
          {rotate.isSuccess && (
            <Alert color="teal" role="status" title="Key rotated">
              This page now shows your new announce URL. Add it to your clients.
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
