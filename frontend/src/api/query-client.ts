import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors";

const RETRIES = 2;

/** Retry network and server errors only: a client error would fail again. */
function shouldRetry(failures: number, error: Error): boolean {
  return failures < RETRIES && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500);
}

export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: shouldRetry, staleTime: 10_000 } },
});
