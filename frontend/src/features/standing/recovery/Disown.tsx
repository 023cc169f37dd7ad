import { Alert, Button, NativeSelect } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { KEY_HOLDER } from "@/api/announce-key";
import { disown, type NewAddress, newAddresses, recovery } from "@/api/key-holder";
import { Confirm } from "@/components/requests/Confirm";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { bytes, count, dateAndTime, duration } from "@/components/ui/format";
import { Expected, Moment } from "@/components/ui/Moment";
import { Empty } from "@/components/ui/states";
import { CodeField } from "./CodeField";
import classes from "./Recovery.module.css";

/** What was done with the key from addresses that are new to it, and how to disown it. */
export function Disown() {
  const query = useQuery(newAddresses());
  return (
    <Card title="New addresses">
      <Loaded query={query} label="Loading new addresses">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No new addresses">
              Your key has announced only from networks that it has used for some time. If somebody else
              starts using it, you'll see that here.
            </Empty>
          ) : (
            <Addresses addresses={items} />
          )
        }
      </Loaded>
    </Card>
  );
}

const COLUMNS: Column<NewAddress>[] = [
  {
    name: "First announce",
    leading: true,
    cell: ({ first_seen, clients }) => (
      <>
        <Moment at={first_seen} />
        <p className={classes.soft}>{clients.join(", ")}</p>
      </>
    ),
  },
  { name: "Last announce", cell: ({ last_seen }) => <Moment at={last_seen} /> },
  { name: "Torrents", numeric: true, cell: ({ torrents }) => count(torrents) },
  { name: "Snatches", numeric: true, cell: ({ snatches }) => count(snatches) },
  { name: "Seeding time", numeric: true, cell: ({ seeding_seconds }) => duration(seeding_seconds) },
  { name: "Downloaded", numeric: true, cell: ({ downloaded_bytes }) => bytes(downloaded_bytes) },
];

function Addresses({ addresses }: { addresses: NewAddress[] }) {
  const { data } = useQuery(recovery());
  return (
    <div className={classes.body}>
      <p>
        Each row is a network from which your key has begun to announce not long ago. If these weren't your
        clients, get a new key first, then disown what they did.
      </p>
      <div className={classes.wide}>
        <DataTable
          label="New addresses"
          columns={COLUMNS}
          rows={addresses}
          rowKey={(one) => one.first_seen}
        />
      </div>
      {data?.disown_after != null ? (
        <p className={classes.soft}>
          You have disowned sessions already. You can do it again <Expected at={data.disown_after} />;
          operators can help before that.
        </p>
      ) : (
        <DisownForm addresses={addresses} />
      )}
    </div>
  );
}

function DisownForm({ addresses }: { addresses: NewAddress[] }) {
  const queries = useQueryClient();
  const [since, setSince] = useState(addresses[0]?.first_seen ?? "");
  const [code, setCode] = useState("");
  const [asking, setAsking] = useState(false);
  const mutation = useMutation({
    mutationFn: disown,
    onSuccess: async () => {
      setAsking(false);
      await queries.invalidateQueries({ queryKey: [KEY_HOLDER] });
    },
  });
  if (mutation.data)
    return (
      <Alert color="teal" role="status" title="Disowned">
        {count(mutation.data.sessions)} sessions are gone, with {count(mutation.data.snatches)} snatches and{" "}
        {duration(mutation.data.seeding_seconds)} of seeding.
      </Alert>
    );
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        mutation.reset();
        setAsking(true);
      }}
    >
      <NativeSelect
        label="Disown what came from addresses that are new since"
        data={addresses.map((one) => ({
          value: one.first_seen,
          label: dateAndTime(new Date(one.first_seen)),
        }))}
        value={since}
        onChange={(event) => {
          setSince(event.currentTarget.value);
        }}
      />
      <CodeField value={code} onChange={setCode} />
      <Button type="submit" variant="default" disabled={code.trim() === ""}>
        Disown
      </Button>
      <Confirm
        title="Disown these sessions?"
        action="Disown"
        dangerous
        opened={asking}
        pending={mutation.isPending}
        error={mutation.error}
        onClose={() => {
          setAsking(false);
        }}
        onConfirm={() => {
          mutation.mutate({ code, since });
        }}
      >
        <p>
          What they downloaded and owe is taken out of your key, and so is what they seeded. You can't undo
          this, and you can do it only once in 180 days.
        </p>
      </Confirm>
    </form>
  );
}
