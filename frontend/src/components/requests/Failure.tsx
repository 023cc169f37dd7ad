import { Alert, Button } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { advice } from "@/api/errors";

/** The error state: what failed, why, and what to do. */
export function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const { title, detail } = advice(error);
  return (
    <Alert color="red" role="alert" title={title} icon={<IconAlertTriangle aria-hidden />}>
      <p>{detail}</p>
      {onRetry && (
        <Button
          mt="sm"
          size="xs"
          color="red"
          variant="outline"
          leftSection={<IconRefresh size={15} aria-hidden />}
          onClick={onRetry}
        >
          Try again
        </Button>
      )}
    </Alert>
  );
}
