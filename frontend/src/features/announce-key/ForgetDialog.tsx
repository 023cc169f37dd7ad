import { Confirm } from "@/components/ui/Confirm";

/** Loaded when asked for: dialogs are a good part of the component library. */
export default function ForgetDialog(on: { onClose: () => void; onConfirm: () => void }) {
  return (
    <Confirm title="Forget the announce URL in this browser?" action="Forget it" dangerous opened {...on}>
      <p>
        Your clients go on using it. Copy it first if you want to come back to it here: the tracker can't tell
        it to you again.
      </p>
    </Confirm>
  );
}
