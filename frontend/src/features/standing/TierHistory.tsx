import type { Standing } from "@/api/key-holder";
import { TIME_FORMATS } from "@/components/history/spans";
import { Card } from "@/components/ui/Card";
import { Chart } from "@/components/ui/Chart";
import { useNow } from "@/components/ui/now";
import { Empty } from "@/components/ui/states";
import { HIGHEST_TIER } from "./tiers";

const DAY_MS = 86_400_000;

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
  const days = (now.getTime() - Date.parse(first.at)) / DAY_MS;
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
        timeFormat={TIME_FORMATS[days < 2 ? "day" : days < 200 ? "month" : "year"]}
        format={(value) => String(value)}
        range={[0, HIGHEST_TIER]}
        steps
      />
    </Card>
  );
}
