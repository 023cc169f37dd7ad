import type { SystemPart } from "@/api/operator";
import { dateAndTime } from "@/components/ui/format";

const NAMES: Record<string, string> = {
  postgres: "Postgres",
  redis: "Redis",
  announce: "Announce",
  scoring: "Scoring",
  scoring_worker: "Scoring worker",
  admin_api: "Admin API",
};
const DAY_MS = 86_400_000;

/** The name of a process or store in words: "Announce 2" for `announce-2`. */
export function nameOf(name: string): string {
  const [, service = name, number] = /^(.*?)(?:-(\d+))?$/.exec(name) ?? [];
  return [NAMES[service] ?? service, number].filter(Boolean).join(" ");
}

/** What is wrong, since when, and what that means. */
export function troubleOf(part: SystemPart, now: Date): string {
  if (part.consequence === "") return part.detail;
  return `${nameOf(part.name)} hasn't answered ${sinceWhen(part.answered_at, now)}. ${part.consequence}`;
}

function sinceWhen(at: string | null, now: Date): string {
  if (at === null) return "since the admin API was started";
  const moment = new Date(at);
  const recent = now.getTime() - moment.getTime() < DAY_MS / 2;
  return `since ${recent ? moment.toLocaleTimeString("en-GB", { timeStyle: "short" }) : dateAndTime(moment)}`;
}
