import type { Standing } from "@/api/key-holder";
import { Card } from "@/components/ui/Card";
import { Chart } from "@/components/ui/Chart";
import { Empty } from "@/components/ui/states";

const DAY_MS = 86_400_000;

/** How the tier went. */
export function TierHistory({ history }: { history: Standing["history"] }) {
  const first = history[0];
  const last = history.at(-1);
  if (first === undefined || last === undefined || history.length < 2) {
    return (
      <Card title="Tier over time">
        <Empty title="No history yet">The tracker notes your tier once a day, and whenever it changes.</Empty>
      </Card>
    );
  }
  const days = (Date.parse(last.at) - Date.parse(first.at)) / DAY_MS;
  return (
    <Card title="Tier over time">
      <Chart
        summary={`From tier ${first.tier} to tier ${last.tier}`}
        samples={history.map(({ at, tier }) => ({ at, values: [tier] }))}
        series={[{ name: "Tier" }]}
        span={days < 2 ? "day" : days < 200 ? "month" : "year"}
        format={(value) => String(value)}
        range={[0, 4]}
        steps
      />
    </Card>
  );
}
