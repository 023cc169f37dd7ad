import { Alert, Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { rotateKey } from "@/api/key-holder";
import { OF_HOLDER, rotateTo } from "@/app/announce-key";
import { Card } from "@/components/ui/Card";
import { Confirm } from "@/components/ui/Confirm";
import { AnnounceKeyCard } from "@/features/announce-key/AnnounceKeyCard";
import classes from "./RotateCard.module.css";

/** One's announce URL, and another one in its place when it got about. */
export function RotateCard() {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const rotate = useMutation({
    mutationFn: rotateKey,
    onSuccess: async ({ announce_key }) => {
      rotateTo(announce_key);
      setAsking(false);
      await queries.invalidateQueries({ queryKey: [OF_HOLDER] });
    },
  });
  return (
    <div className={classes.columns}>
      <AnnounceKeyCard />
      <Card title="Did it get about?">
        <div className={classes.body}>
          <p>
            Rotate the key: you get another announce URL, your history moves to it, and the old one stops
            working. Your clients need the new one then.
          </p>
          {rotate.isSuccess && (
            <Alert color="teal" role="status" title="Rotated">
              The announce URL beside this is the new one. Put it into your clients.
            </Alert>
          )}
          <Button
            variant="default"
            onClick={() => {
              rotate.reset();
              setAsking(true);
            }}
          >
            Rotate the key
          </Button>
        </div>
      </Card>
      <Confirm
        title="Rotate your announce key?"
        action="Rotate it"
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
          The old announce URL stops working at once, in every client that has it. Your history stays yours.
        </p>
      </Confirm>
    </div>
  );
}
