import { Confirm } from "@/components/requests/Confirm";

/** Loaded on demand, because dialogs are a large part of the component library. */
export default function RemoveDialog(on: { onClose: () => void; onConfirm: () => void }) {
  return (
    <Confirm title="Remove your announce URL from this browser?" action="Remove" dangerous opened {...on}>
      <p>
        Your clients will keep using it. If you may need it here again, copy it first: the tracker can't show
        it to you again.
      </p>
    </Confirm>
  );
}
