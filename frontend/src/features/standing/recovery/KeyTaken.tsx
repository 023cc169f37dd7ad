import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KEY_HOLDER } from "@/api/announce-key";
import { rotation, undoRotation } from "@/api/key-holder";
import { Failure } from "@/components/requests/Failure";
import { Card } from "@/components/ui/Card";
import { Expected, Moment } from "@/components/ui/Moment";
import { RecoverForm } from "./RecoverForm";
import classes from "./Recovery.module.css";

/** What to do when the key in this browser has stopped working. */
export function KeyTaken() {
  return (
    <>
      <UndoRotation />
      <Card title="Get your key back">
        <div className={classes.body}>
          <p>
            If you have the recovery code, enter it. You get a new announce URL with your history, and whoever
            has the old one is out for good.
          </p>
          <RecoverForm />
        </div>
      </Card>
    </>
  );
}

/** Nothing, unless the key in this browser was rotated and can undo that. */
function UndoRotation() {
  const queries = useQueryClient();
  const { data } = useQuery(rotation());
  const undo = useMutation({
    mutationFn: undoRotation,
    onSuccess: () => queries.resetQueries({ queryKey: [KEY_HOLDER] }),
  });
  if (data === undefined) return null;
  return (
    <Card title="Your key was rotated">
      <div className={classes.body}>
        <p>
          That was <Moment at={data.rotated} />. If it wasn't you, undo it: this key works again, and the one
          that replaced it stops working. You can do this once; it ends <Expected at={data.undo_until} />.
        </p>
        {undo.error && <Failure error={undo.error} />}
        <Button
          loading={undo.isPending}
          onClick={() => {
            undo.mutate();
          }}
        >
          Undo the rotation
        </Button>
      </div>
    </Card>
  );
}
