import { Alert } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import type { Standing } from "@/api/key-holder";
import { Moment } from "@/components/ui/Moment";

/** What the tracker has to tell this key: since when, why, and what to do. */
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
