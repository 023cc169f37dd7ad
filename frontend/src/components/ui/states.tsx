import { Alert, Button, Skeleton } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { advice } from "@/api/errors";
import classes from "./states.module.css";

interface EmptyProps {
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** Nothing to show, and what to do about it. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <p className={classes.title}>{title}</p>
      <div className={classes.text}>{children}</div>
      {action}
    </div>
  );
}

/** Something failed: what, why, and what to do. */
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

export function Loading({ label, lines = 3 }: { label: string; lines?: number }) {
  return (
    <div className={classes.loading} role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height="1.1rem" width={`${90 - ((line * 23) % 45)}%`} />
      ))}
    </div>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  label: string;
  lines?: number;
  children: (data: T) => ReactNode;
}

/** What a request brought; until then that it is under way, or why it failed. Old data stays beside a new failure. */
export function Loaded<T>({ query, label, lines, children }: LoadedProps<T>) {
  const failure = query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) {
    return (
      <div className={classes.padded}>
        {failure ?? <Loading label={label} {...(lines !== undefined && { lines })} />}
      </div>
    );
  }
  return (
    <>
      {failure && <div className={classes.padded}>{failure}</div>}
      {children(query.data)}
    </>
  );
}
