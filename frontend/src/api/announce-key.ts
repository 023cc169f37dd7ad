import { useSyncExternalStore } from "react";
import { queryClient } from "./query-client";

// The announce key is remembered in this browser and nowhere else. It leaves it only in the header
// X-Announce-Key, to this tracker.
const NAME = "announce";
const FORM = /[0-9a-f]{30}/i;
/** What the key of every query begins with that is asked in the name of the key's holder. */
export const OF_HOLDER = "key-holder";
const listeners = new Set<() => void>();

function read(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null; // storage is switched off: the key lives as long as the page
  }
}

let current = read();

/** From here on somebody else may be meant: what the tracker told of the one before goes with the key. */
function change(key: string | null): void {
  queryClient.removeQueries({ queryKey: [OF_HOLDER] });
  become(key);
}

function become(key: string | null): void {
  current = key;
  listeners.forEach((listener) => {
    listener();
  });
}

function store(key: string | null): void {
  try {
    if (key === null) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, key);
  } catch {
    // see above
  }
}

// Other tabs' changes count on every page, also on one that shows nothing of the key.
window.addEventListener("storage", ({ key }) => {
  if (key === NAME || key === null) change(read());
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function remember(key: string | null): void {
  store(key);
  change(key);
}

export function useAnnounceKey(): [key: string | null, remember: (key: string | null) => void] {
  return [useSyncExternalStore(subscribe, () => current), remember];
}

/** Go on with the key that the same holder got in the old one's place: what was fetched stays true. */
export function rotateTo(key: string): void {
  store(key);
  become(key);
}

/** The key as it is when a request goes out; empty without one. */
export function announceKey(): string {
  return current ?? "";
}

/** Find the key in what somebody pasted: a key, or an announce URL with one. */
export function keyIn(pasted: string): string | null {
  return FORM.exec(pasted)?.[0].toLowerCase() ?? null;
}

export function announceUrl(key: string): string {
  return `${location.origin}/${key}/announce`;
}
