import { DecisionName, StateName, VerdictName } from "@/api/enums";

type Tone = "good" | "bad" | "weak" | "idle";

export const STATES: Record<StateName, { label: string; tone: Tone }> = {
  suspected: { label: "Suspected", tone: "weak" },
  confirmed: { label: "Confirmed", tone: "bad" },
  cleared: { label: "Cleared", tone: "good" },
  ok: { label: "Below suspicion", tone: "idle" },
};

export const VERDICTS: Record<VerdictName, string> = {
  statistics: "False statistics",
  hidden_download: "Hidden downloads",
  waste: "Wasted bandwidth",
};

export const DECISIONS: Record<DecisionName, { label: string; done: string; effect: string }> = {
  exempt: {
    label: "Exempt",
    done: "Exempted",
    effect: "No evidence is kept about it. Choose this for your own seedboxes and tests.",
  },
  clear: {
    label: "Clear",
    done: "Cleared",
    effect:
      "The score is 0, and the kinds of evidence found so far don't count. Choose this when there is an honest explanation.",
  },
  confirm: {
    label: "Confirm",
    done: "Confirmed",
    effect: "It counts as confirmed whatever the score is. Choose this when you know more than the detector.",
  },
};

const KINDS: Record<string, string> = {
  "P:rate": "Impossible upload speed",
  "P:sawtooth": "Upload without a source",
  "P:hidden": "Unreported download",
  "P:hidden1": "Unreported download, once",
  "P:redownload": "Downloads more than the torrent",
  "P:cycle": "Downloads the torrent again and again",
  "P:nodata": "Uploads without data",
  "E:started": "Repeated started events",
  "E:completed": "Repeated completed events",
  "E:flood": "Too many announces",
  "F:mod5": "Uploads divisible by 5",
  "F:const": "Constant upload rate",
  "F:ua": "User-Agent of another client",
  "F:port": "Port of a known tool",
  "C:hidden": "Swarm: unreported download",
  "C:upload": "Swarm: upload without a receiver",
  "C:sink": "Swarm: receives without reporting",
  "D:canary": "Reacts to the tracker's peer counts",
};

/** Name a kind of evidence; one that this version doesn't know keeps its code. */
export function kindName(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** The kinds of evidence, those with most points first. */
export function kindsByPoints(points: Record<string, number>): string[] {
  return Object.entries(points)
    .filter(([, value]) => value > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([kind]) => kind);
}

/** How anybody names a key or a guest. */
export function identityName({ key_id, key_hash }: { key_id: number | null; key_hash: string }): string {
  return key_id === null ? `Guest ${key_hash.slice(0, 12)}` : `Key #${key_id}`;
}

const MODES: Record<string, string> = {
  off: "Detection is off: nothing new is found. Set ETRACKER_DETECTION to observe, and restart the services, to look for suspects.",
  observe:
    "Detection only observes: nobody is affected by what is listed here. If you agree with what it finds for some weeks, set ETRACKER_DETECTION to enforce.",
  enforce:
    "Detection is enforced: suspects earn no score, and confirmed ones are left out of peer lists. Clear a mistake, and its peers are handed out again within seconds.",
};

/** What the mode of detection means, and what to do. */
export function describeMode(mode: string | null | undefined): string | undefined {
  return MODES[mode ?? ""];
}
