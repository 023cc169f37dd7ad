import type { Standing } from "@/api/key-holder";
import { TIME_FORMATS } from "@/components/history/spans";
import { Card } from "@/components/ui/Card";
import { Chart } from "@/components/ui/Chart";
import { useNow } from "@/components/ui/now";
import { Empty } from "@/components/ui/states";

const DAY_MS = 86_400_000;

/** How the tier went, from the first announce up to now. */
export function TierHistory({ history, tier }: { history: Standing["history"]; tier: number }) {
  const now = useNow();
  const first = history[0];
  if (first === undefined) {
    return (
      <Card title="Tier over time">
        <Empty title="No history yet">Your tier is recorded from your first announce.</Empty>
      </Card>
    );
  }
  const held = [...history, { at: now.toISOString(), tier }]; // until now, whatever the score did since the last announce
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
        range={[0, 4]}
        steps
      />
    </Card>
  );
}
