import { Button } from "@mantine/core";
import { CopyField } from "@/components/ui/CopyField";
import classes from "./AnnounceKeyCard.module.css";

/** A recovery code that the tracker won't show again. */
export function NewRecoveryCode({ code, onSaved }: { code: string; onSaved: () => void }) {
  return (
    <div className={classes.code} role="status">
      <p>
        <b>Write down your recovery code.</b> If somebody steals your announce URL, this code gets it back.
        Keep it away from your torrent files. It won't be shown again.
      </p>
      <CopyField label="Your recovery code" value={code} />
      <Button variant="default" onClick={onSaved}>
        I've written it down
      </Button>
    </div>
  );
}
