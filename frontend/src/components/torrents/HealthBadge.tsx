import { Health } from "@/api/enums";
import classes from "./HealthBadge.module.css";

const TEXTS: Record<Health, { label: string; meaning: string }> = {
  healthy: { label: "Healthy", meaning: "Three or more seeders" },
  weak: { label: "Weak", meaning: "One or two seeders" },
  unseeded: { label: "Unseeded", meaning: "Leechers but no seeders" },
  idle: { label: "Idle", meaning: "No peers right now" },
};

export const HEALTHS = Object.values(Health);

export function healthLabel(health: Health): string {
  return TEXTS[health].label;
}

/** Health as bars and a word, so that it never depends on colour alone. */
export function HealthBadge({ health }: { health: Health }) {
  return (
    <span className={classes.badge} data-health={health} title={TEXTS[health].meaning}>
      <svg viewBox="0 0 14 12" width="14" height="12" aria-hidden="true" focusable="false">
        <rect x="0" y="7" width="3.4" height="5" rx="1" />
        <rect x="5.3" y="4" width="3.4" height="8" rx="1" />
        <rect x="10.6" y="0" width="3.4" height="12" rx="1" />
      </svg>
      {TEXTS[health].label}
    </span>
  );
}
