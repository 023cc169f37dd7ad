import { client } from "./generated/client.gen";

export interface FieldError {
  field: string;
  message: string;
}

/** A failed request: the API's problem details (RFC 9457), or status 0 if it couldn't be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly requestId: string | null = null,
    readonly fields: FieldError[] = [],
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }
}

/** Parse a problem document; any other body becomes a sentence about the status. */
export function toApiError(body: unknown, status: number, retryAfter: string | null): ApiError {
  const problem = isRecord(body) ? body : {};
  const fields = Array.isArray(problem.errors) ? problem.errors.filter(isFieldError) : [];
  const seconds = Number(retryAfter);
  return new ApiError(
    status,
    text(problem.detail) ?? text(problem.title) ?? `The tracker returned status ${status}.`,
    text(problem.request_id),
    fields,
    retryAfter !== null && Number.isFinite(seconds) ? seconds : null,
  );
}

/** Describe an error and what to do about it. */
export function advice(error: Error): { title: string; detail: string } {
  if (!(error instanceof ApiError))
    return { title: "Something went wrong on this page", detail: error.message };
  const message = [error.detail, ...error.fields.map((one) => `${one.field}: ${one.message}`)].join(" ");
  switch (error.status) {
    case 0:
      return {
        title: "Can't reach the tracker",
        detail:
          "Check your connection. If it's working, the tracker may be restarting; try again in a moment.",
      };
    case 401:
    case 403:
      return { title: "Key not accepted", detail: message };
    case 404:
      return { title: "Not found", detail: message };
    case 429:
      return {
        title: "Too many requests from your IP address",
        detail: `${message} ${waiting(error.retryAfterSeconds)}`,
      };
    case 503:
      return {
        title: "Temporarily unavailable",
        detail: /try again/i.test(message) ? message : `${message} Try again in a moment.`,
      };
    default:
      return error.status >= 500
        ? {
            title: "Something went wrong on the tracker",
            detail: `${message} Try again. If it keeps happening, contact an operator.`,
          }
        : { title: "That didn't work", detail: message };
  }
}

function waiting(seconds: number | null): string {
  if (seconds === null) return "Try again later.";
  const minutes = Math.ceil(seconds / 60);
  return minutes > 1 ? `Try again in ${minutes} minutes.` : "Try again in a minute.";
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value.field === "string" && typeof value.message === "string";
}

client.interceptors.error.use((error, response: Response | undefined) =>
  response === undefined
    ? new ApiError(0, error instanceof Error ? error.message : "No response.")
    : toApiError(error, response.status, response.headers.get("Retry-After")),
);
