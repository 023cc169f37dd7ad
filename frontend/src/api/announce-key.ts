import { useSyncExternalStore } from "react";
import { queryClient } from "./query-client";

// The announce key is stored in this browser and nowhere else. It is only sent to this tracker, in the X-Announce-Key
// header.
const STORAGE_NAME = "announce";
const KEY_PATTERN = /[0-9a-f]{30}/i;
/** The first part of the query key of every request made with the announce key. */
export const KEY_HOLDER = "key-holder";
const listeners = new Set<() => void>();

function read(): string | null {
  try {
    return localStorage.getItem(STORAGE_NAME);
  } catch {
    return null; // storage is disabled: the key lives as long as the page
  }
}

let current = read();

/** Switch to another key, perhaps another person's, and drop what was fetched with the previous one. */
function change(key: string | null): void {
  queryClient.removeQueries({ queryKey: [KEY_HOLDER] });
  setCurrent(key);
}

function setCurrent(key: string | null): void {
  current = key;
  listeners.forEach((listener) => {
    listener();
  });
}

function store(key: string | null): void {
  try {
    if (key === null) localStorage.removeItem(STORAGE_NAME);
    else localStorage.setItem(STORAGE_NAME, key);
  } catch {
    // see above
  }
}

// Follow changes from other tabs, even on pages that don't show the key.
window.addEventListener("storage", ({ key }) => {
  if (key === STORAGE_NAME || key === null) change(read());
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

/** Switch to the key that replaces the holder's old one; what was fetched remains valid. */
export function rotateTo(key: string): void {
  store(key);
  setCurrent(key);
}

/** Return the current key, or an empty string without one. */
export function announceKey(): string {
  return current ?? "";
}

/** Extract the key from a pasted key or announce URL. */
export function findKey(pasted: string): string | null {
  return KEY_PATTERN.exec(pasted)?.[0].toLowerCase() ?? null;
}

export function announceUrl(origin: string, key: string): string {
  return `${origin}/${key}/announce`;
}
