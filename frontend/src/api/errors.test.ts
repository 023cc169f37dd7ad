import { expect, test } from "vitest";
import { advice, toApiError } from "./errors";

const unavailable = (detail: string) =>
  advice(toApiError({ title: "Service Unavailable", status: 503, detail }, 503, "5"));

test("an unavailable service is named in the words of the tracker", () => {
  const detail = "The scoring service doesn't answer. Your history is safe; try again in a moment.";
  expect(unavailable(detail)).toEqual({ title: "Temporarily unavailable", detail });
  expect(unavailable("Redis doesn't answer.").detail).toBe("Redis doesn't answer. Try again in a moment.");
});

test("an error without a problem document still says what to do", () => {
  expect(advice(toApiError(null, 503, null)).detail).toBe(
    "The tracker returned status 503. Try again in a moment.",
  );
});

test("Retry-After is shown in minutes", () => {
  const limited = (seconds: string | null) =>
    advice(toApiError({ detail: "That was too often." }, 429, seconds)).detail;
  expect(limited("150")).toBe("That was too often. Try again in 3 minutes.");
  expect(limited(null)).toBe("That was too often. Try again later.");
});

test("errors of individual fields are shown", () => {
  const body = { detail: "It isn't accepted.", errors: [{ field: "name", message: "It is empty." }, "junk"] };
  expect(advice(toApiError(body, 400, null)).detail).toBe("It isn't accepted. name: It is empty.");
});
