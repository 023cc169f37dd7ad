import { useSyncExternalStore } from "react";

// The announce key is remembered in this browser and nowhere else. It leaves it only in the header
// X-Announce-Key, to this tracker.
const NAME = "announce";
const FORM = /[0-9a-f]{30}/i;
const listeners = new Set<() => void>();

function read(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null; // storage is switched off: the key lives as long as the page
  }
}

let current = read();

function change(key: string | null): void {
  current = key;
  try {
    if (key === null) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, key);
  } catch {
    // see above
  }
  listeners.forEach((listener) => {
    listener();
  });
}

function subscribe(listener: () => void): () => void {
  const elsewhere = (event: StorageEvent) => {
    if (event.key !== NAME && event.key !== null) return;
    current = read();
    listener();
  };
  listeners.add(listener);
  window.addEventListener("storage", elsewhere);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", elsewhere);
  };
}

export function useAnnounceKey(): [key: string | null, remember: (key: string | null) => void] {
  return [useSyncExternalStore(subscribe, () => current), change];
}

/** Find the key in what somebody pasted: a key, or an announce URL with one. */
export function keyIn(pasted: string): string | null {
  return FORM.exec(pasted)?.[0].toLowerCase() ?? null;
}

export function announceUrl(key: string): string {
  return `${location.origin}/${key}/announce`;
}
