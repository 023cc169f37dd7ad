import { Alert } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import type { Standing } from "@/api/key-holder";
import { Moment } from "@/components/ui/Moment";

/** The tracker's notice for this key: its text, advice and date. */
export function Notice({ notice }: { notice: NonNullable<Standing["notice"]> }) {
  return (
    <Alert color="yellow" icon={<IconInfoCircle aria-hidden />} title={notice.text}>
      <p>{notice.advice}</p>
      <p>
        <small>
          <Moment at={notice.since} />
        </small>
      </p>
    </Alert>
  );
}
