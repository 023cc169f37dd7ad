import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Loaded } from "@/components/requests/Loaded";
import { DataTable, type Order, type TableProps } from "@/components/ui/DataTable";
import { useListSearch } from "./list-search";
import { Pager } from "./Pager";

interface Props<Row, Key extends string> extends Pick<
  TableProps<Row, Key>,
  "label" | "columns" | "rowKey" | "sort"
> {
  query: UseQueryResult<{ items: Row[]; next: string | null }>;
  /** Label of the loading state. */
  loading: string;
  /** Shown instead of the table when there are no rows. */
  empty: ReactNode;
  cursor: string | undefined;
}

/** One page of a long list, sorted as the URL says. */
export function PagedTable<Row, Key extends string = never>({
  query,
  loading,
  empty,
  cursor,
  sort,
  ...table
}: Props<Row, Key>) {
  const { order } = useListSearch<{ sort: Order<Key> }>();
  const sorting = sort !== undefined && {
    sort,
    onSort: (chosen: Order<Key>) => {
      order({ sort: chosen });
    },
  };
  return (
    <Loaded query={query} label={loading} lines={8}>
      {({ items, next }) =>
        items.length === 0 ? (
          empty
        ) : (
          <>
            <DataTable {...table} {...sorting} rows={items} pending={query.isPlaceholderData} />
            <Pager cursor={cursor} next={next} />
          </>
        )
      }
    </Loaded>
  );
}
