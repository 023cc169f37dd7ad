// Proves that a recovery code was asked for from this browser. It is stored here and nowhere else, because everybody
// with the same announce key could fetch the code otherwise. The time of the request tells it from those of other keys.
const STORAGE_NAME = "recovery-claim";
let current: string | null = null;

function read(): string | null {
  try {
    return localStorage.getItem(STORAGE_NAME);
  } catch {
    return current; // storage is disabled: the claim lives as long as the page
  }
}

/** Return the claim for a request, null if it was made in another browser. */
export function claimOf(requested: string): string | null {
  const [stored, claim] = read()?.split(" ") ?? [];
  return stored === requested && claim !== undefined ? claim : null;
}

export function rememberClaim(requested: string, claim: string): void {
  store(`${requested} ${claim}`);
}

export function forgetClaim(): void {
  store(null);
}

function store(value: string | null): void {
  current = value;
  try {
    if (value === null) localStorage.removeItem(STORAGE_NAME);
    else localStorage.setItem(STORAGE_NAME, value);
  } catch {
    // see above
  }
}
