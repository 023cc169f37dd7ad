import type { Amount } from "@/api/operator";

export const WAYS = [
  { value: "to", label: "Set to" },
  { value: "add", label: "Add" },
  { value: "subtract", label: "Subtract" },
] as const;

export type Way = (typeof WAYS)[number]["value"];

/** Parse what was entered as a whole number; digits may be grouped. Null: it isn't one. */
export function parseAmount(way: Way, text: string): Amount | null {
  const digits = text.replace(/[\s,_]/g, "");
  if (!/^[0-9]{1,19}$/.test(digits)) return null;
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) return null;
  if (way === "to") return { to: value };
  return { by: way === "add" ? value : -value };
}

export function parseWay(value: string): Way {
  return WAYS.find((way) => way.value === value)?.value ?? "to";
}
