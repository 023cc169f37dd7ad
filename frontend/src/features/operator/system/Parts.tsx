import type { Service, System, SystemPart } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { count, duration } from "@/components/ui/format";
import { Ago } from "@/components/ui/Moment";
import classes from "../tables.module.css";
import { nameOf, troubleOf } from "./words";

/** Every process and store; what is broken comes first, with what that means. */
export function Parts({ of: { parts, services }, asOf }: { of: System; asOf: Date }) {
  const metrics = new Map(services.map((service) => [service.name, service.metrics]));
  return (
    <Card title="Processes and stores" flush>
      <DataTable
        label="Processes and stores"
        columns={columns(asOf, metrics)}
        rows={parts}
        rowKey={({ name }) => name}
      />
    </Card>
  );
}

const columns = (asOf: Date, metrics: Map<string, Service["metrics"]>): Column<SystemPart>[] => [
  {
    name: "Part",
    leading: true,
    cell: (part) => (
      <>
        <b>{nameOf(part.name)}</b>
        {part.detail !== "" && <p>{troubleOf(part, asOf)}</p>}
        <p className={classes.soft}>{countsOf(metrics.get(part.name) ?? {})}</p>
      </>
    ),
  },
  {
    name: "State",
    cell: ({ status, detail }) => (
      <span className={classes.state} data-is={status === "down" ? "bad" : detail === "" ? "good" : "weak"}>
        {status === "down" ? "Down" : detail === "" ? "Up" : "Up, with a warning"}
      </span>
    ),
  },
  { name: "Version", cell: ({ version }) => version ?? "–" },
  {
    name: "Up for",
    cell: ({ started_at }) =>
      started_at === null ? "–" : duration((asOf.getTime() - Date.parse(started_at)) / 1000),
  },
  {
    name: "Errors",
    numeric: true,
    cell: ({ version, errors }) =>
      version === null ? "–" : <span title="since it started">{count(errors)}</span>,
  },
  { name: "Last checked", cell: ({ checked_at }) => <Ago at={checked_at} asOf={asOf} /> },
];

function countsOf(metrics: Service["metrics"]): string {
  return Object.entries(metrics)
    .map(([measure, value]) => `${measure.replace(/^etracker_/, "").replaceAll("_", " ")} ${count(value)}`)
    .join(" · ");
}
