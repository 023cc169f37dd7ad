import { useSyncExternalStore } from "react";

// An operator's API key is kept in session storage, so that it lives as long as the tab; it is never in a URL.
const NAME = "etracker.api-key";
const listeners = new Set<() => void>();
let current = sessionStorage.getItem(NAME);

export function changeApiKey(key: string | null): void {
  current = key;
  if (key === null) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
  listeners.forEach((listener) => {
    listener();
  });
}

export function useApiKey(): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** The value of an Authorization header. Headers hold bytes: a key beyond ASCII is sent as UTF-8. */
export function authorization(): string {
  return `Bearer ${String.fromCharCode(...new TextEncoder().encode(current ?? ""))}`;
}
