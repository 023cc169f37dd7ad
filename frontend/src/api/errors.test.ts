import { expect, test } from "vitest";
import { advice, toApiError } from "./errors";

const unavailable = (detail: string) =>
  advice(toApiError({ title: "Service Unavailable", status: 503, detail }, 503, "5"));

test("what is unavailable is what the tracker says, and nothing else is blamed", () => {
  const said = "The scoring service doesn't answer. Your history is safe; try again in a moment.";
  expect(unavailable(said)).toEqual({ title: "Temporarily unavailable", detail: said });
  expect(unavailable("Redis doesn't answer.").detail).toBe("Redis doesn't answer. Try again in a moment.");
});

test("an answer without a problem document still says what to do", () => {
  expect(advice(toApiError(null, 503, null)).detail).toBe(
    "The tracker returned status 503. Try again in a moment.",
  );
});

test("a wait that the tracker names is told in minutes", () => {
  const limited = (seconds: string | null) =>
    advice(toApiError({ detail: "That was too often." }, 429, seconds)).detail;
  expect(limited("150")).toBe("That was too often. Try again in 3 minutes.");
  expect(limited(null)).toBe("That was too often. Try again later.");
});

test("what is wrong with each part of a request is told", () => {
  const body = { detail: "It isn't accepted.", errors: [{ field: "name", message: "It is empty." }, "junk"] };
  expect(advice(toApiError(body, 400, null)).detail).toBe("It isn't accepted. name: It is empty.");
});
