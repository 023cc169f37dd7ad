import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { Chart } from "@/components/ui/Chart";
import { COUNT } from "@/components/ui/measures";
import { useNow } from "@/components/ui/now";
import { Empty } from "@/components/ui/states";
import { HIGHEST_TIER } from "./tiers";

/** The tier over time, from the first announce until now. */
export function TierHistory({ history, tier }: { history: Standing["history"]; tier: number }) {
  const now = useNow();
  const first = history[0];
  if (first === undefined) {
    return (
      <Card title="Tier over time">
        <Empty title="No history yet">Your tier history starts with your first announce.</Empty>
      </Card>
    );
  }
  const held = [...history, { at: now.toISOString(), tier }]; // extend the last tier until now
  return (
    <Card title="Tier over time">
      <Chart
        summary={
          held.every((one) => one.tier === tier)
            ? `Tier ${tier} throughout`
            : `From tier ${first.tier} to tier ${tier}`
        }
        samples={held.map((one) => ({ at: one.at, values: [one.tier] }))}
        series={[{ name: "Tier" }]}
        measure={COUNT}
        most={HIGHEST_TIER}
      />
    </Card>
  );
}
