import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Loading } from "@/components/ui/states";
import { Failure } from "./Failure";

interface Props<T> {
  query: UseQueryResult<T>;
  label: string;
  lines?: number;
  children: (data: T) => ReactNode;
}

/** Renders the data of a query, or its loading or error state. Data from before an error stays visible below it. */
export function Loaded<T>({ query, label, lines, children }: Props<T>) {
  const failure = query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) {
    return (
      <div data-inset>{failure ?? <Loading label={label} {...(lines !== undefined && { lines })} />}</div>
    );
  }
  return (
    <>
      {failure && <div data-inset>{failure}</div>}
      {children(query.data)}
    </>
  );
}
