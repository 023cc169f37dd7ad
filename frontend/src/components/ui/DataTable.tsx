import { NativeSelect, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./DataTable.module.css";

type Kind = "text" | "number" | "time";

// The direction that the first click sorts in, and labels for both directions.
const ORDERS: Record<Kind, { first: "up" | "down"; up: string; down: string }> = {
  text: { first: "up", up: "A to Z", down: "Z to A" },
  number: { first: "down", up: "lowest first", down: "highest first" },
  time: { first: "down", up: "oldest first", down: "newest first" },
};

/** A column's key for ascending order, or with a `-` before it for descending. */
export type Order<Key extends string> = Key | `-${Key}`;

/** The column keys of a set of orders. */
export type SortKey<Orders extends string> = Exclude<Orders, `-${string}`>;

export interface Column<Row, Key extends string = never> {
  name: string;
  cell: (row: Row) => ReactNode;
  /** The key to sort by, the kind of its values, and what they are if not what the column's name says. */
  sort?: { key: Key; by: Kind; name?: string };
  numeric?: boolean;
  /** The column that identifies a row; it comes first on a card. */
  leading?: boolean;
  /** Show the heading to screen readers only. */
  silent?: boolean;
}

export interface TableProps<Row, Key extends string> {
  label: string;
  columns: Column<Row, Key>[];
  rows: Row[];
  rowKey: (row: Row) => string | number;
  sort?: Order<Key>;
  onSort?: (sort: Order<Key>) => void;
  /** New rows are loading. */
  pending?: boolean;
}

/* eslint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role --
   On narrow screens the rows become cards, and browsers drop a table's own roles when its display changes. */

/** A sortable table. On a narrow screen each row becomes a card that repeats the column names. */
export function DataTable<Row, Key extends string = never>({
  label,
  columns,
  rows,
  rowKey,
  sort,
  onSort,
  pending = false,
}: TableProps<Row, Key>) {
  return (
    <div className={classes.frame} data-pending={pending || undefined}>
      {onSort && <SortSelect columns={columns} sort={sort} onSort={onSort} />}
      <table role="table" className={classes.table} aria-label={label} aria-busy={pending}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <Heading key={column.name} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" key={rowKey(row)}>
              {columns.map((column) => (
                <td
                  role="cell"
                  key={column.name}
                  data-label={column.silent || column.leading ? undefined : column.name}
                  data-numeric={column.numeric}
                  data-leading={column.leading}
                  data-silent={column.silent}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadingProps<Row, Key extends string> {
  column: Column<Row, Key>;
  sort: Order<Key> | undefined;
  onSort: ((sort: Order<Key>) => void) | undefined;
}

function Heading<Row, Key extends string>({ column, sort, onSort }: HeadingProps<Row, Key>) {
  const state = stateOf(column, sort);
  const by = column.sort;
  return (
    <th
      role="columnheader"
      scope="col"
      data-numeric={column.numeric}
      aria-sort={state === "up" ? "ascending" : state === "down" ? "descending" : undefined}
    >
      {by && onSort ? (
        <UnstyledButton
          className={classes.sort}
          data-active={state !== undefined || undefined}
          onClick={() => {
            onSort(nextOrder(by, state));
          }}
        >
          {column.name}
          <SortIcon state={state} />
        </UnstyledButton>
      ) : column.silent ? (
        <span className={classes.silent}>{column.name}</span>
      ) : (
        column.name
      )}
    </th>
  );
}

function SortIcon({ state }: { state: "up" | "down" | undefined }) {
  if (state === undefined) return <IconArrowsSort size={13} aria-hidden opacity={0.5} />;
  return state === "up" ? <IconArrowUp size={13} aria-hidden /> : <IconArrowDown size={13} aria-hidden />;
}

interface SelectProps<Row, Key extends string> {
  columns: Column<Row, Key>[];
  sort: Order<Key> | undefined;
  onSort: (sort: Order<Key>) => void;
}

function SortSelect<Row, Key extends string>({ columns, sort, onSort }: SelectProps<Row, Key>) {
  const options = columns.flatMap(({ name, sort: by }): { value: Order<Key>; label: string }[] =>
    by === undefined
      ? []
      : [
          { value: by.key, label: `${by.name ?? name}, ${ORDERS[by.by].up}` },
          { value: `-${by.key}`, label: `${by.name ?? name}, ${ORDERS[by.by].down}` },
        ],
  );
  return (
    <NativeSelect
      className={classes.select}
      label="Sort by"
      size="sm"
      data={options}
      value={sort ?? ""}
      onChange={(event) => {
        const chosen = options.find(({ value }) => value === event.currentTarget.value);
        if (chosen) onSort(chosen.value);
      }}
    />
  );
}

function stateOf<Row, Key extends string>(
  { sort: by }: Column<Row, Key>,
  sort: Order<Key> | undefined,
): "up" | "down" | undefined {
  if (by === undefined) return undefined;
  return sort === by.key ? "up" : sort === `-${by.key}` ? "down" : undefined;
}

function nextOrder<Key extends string>(
  by: { key: Key; by: Kind },
  state: "up" | "down" | undefined,
): Order<Key> {
  const direction = state === undefined ? ORDERS[by.by].first : state === "up" ? "down" : "up";
  return direction === "down" ? `-${by.key}` : by.key;
}
