import { Alert, Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createOperator, type Operator, operators, revokeOperator, session } from "@/api/operator";
import { Card } from "@/components/ui/Card";
import { Confirm } from "@/components/requests/Confirm";
import { CopyField } from "@/components/ui/CopyField";
import { type Column, DataTable } from "@/components/ui/DataTable";
import { MaybeMoment } from "@/components/ui/Moment";
import { Name } from "@/components/ui/Name";
import { Page } from "@/components/ui/Page";
import { Failure } from "@/components/requests/Failure";
import { Loaded } from "@/components/requests/Loaded";
import classes from "./tables.module.css";

export function OperatorsPage() {
  const query = useQuery(operators());
  const first = useQuery(session()).data?.first ?? false;
  const [revoking, setRevoking] = useState<Operator | null>(null);
  return (
    <Page
      title="Operators"
      lead="The people and scripts that can use these operator pages. Each has its own API key, so that one can be revoked without affecting the others and the audit log shows who did what."
    >
      {first ? (
        <AddOperator />
      ) : (
        <p className={classes.soft}>
          Only the first operator, whose key is set in ETRACKER_AUTHORIZATION, can add and revoke others.
        </p>
      )}
      <Card title="API keys" flush>
        <Loaded query={query} label="Loading operators">
          {({ items }) => (
            <DataTable
              label="Operators"
              columns={first ? [...COLUMNS, revocation(setRevoking)] : COLUMNS}
              rows={items}
              rowKey={({ id, name }) => id ?? name}
            />
          )}
        </Loaded>
      </Card>
      {revoking !== null && (
        <RevokeDialog
          operator={revoking}
          onClose={() => {
            setRevoking(null);
          }}
        />
      )}
    </Page>
  );
}

const COLUMNS: Column<Operator>[] = [
  { name: "Name", leading: true, cell: ({ name }) => <Name lines={1}>{name}</Name> },
  {
    name: "State",
    cell: ({ revoked }) => (
      <span className={classes.state} data-is={revoked ? "bad" : "good"}>
        {revoked ? "Revoked" : "Active"}
      </span>
    ),
  },
  { name: "Created", cell: ({ created }) => <MaybeMoment at={created} never="set in the environment" /> },
  { name: "Last used", cell: ({ last_used }) => <MaybeMoment at={last_used} /> },
];

function revocation(revoke: (operator: Operator) => void): Column<Operator> {
  return {
    name: "Actions",
    silent: true,
    cell: (operator) =>
      operator.id !== null &&
      !operator.revoked && (
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          aria-label={`Revoke ${operator.name}`}
          onClick={() => {
            revoke(operator);
          }}
        >
          Revoke
        </Button>
      ),
  };
}

function AddOperator() {
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: createOperator,
    onSuccess: async () => {
      setName("");
      await queries.invalidateQueries({ queryKey: ["operator", "operators"] });
    },
  });
  return (
    <Card title="Add an operator">
      <div className={classes.stack}>
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate(name.trim());
          }}
        >
          <TextInput
            label="Name"
            placeholder="A person's name, or what a script does"
            required
            withAsterisk={false}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Button type="submit" loading={create.isPending}>
            Create an API key
          </Button>
        </form>
        {create.error && <Failure error={create.error} />}
        {create.data && (
          <Alert color="teal" role="status" title={`API key for ${create.data.name}`}>
            <div className={classes.stack}>
              <p>Copy it now: it won't be shown again, because the tracker stores only its hash.</p>
              <CopyField label="API key" value={create.data.key} />
            </div>
          </Alert>
        )}
      </div>
    </Card>
  );
}

function RevokeDialog({ operator, onClose }: { operator: Operator; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: revokeOperator,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["operator", "operators"] });
    },
  });
  return (
    <Confirm
      title="Revoke this API key?"
      action="Revoke"
      dangerous
      opened
      pending={revoke.isPending}
      error={revoke.error}
      onClose={onClose}
      onConfirm={() => {
        if (operator.id !== null) revoke.mutate(operator.id);
      }}
    >
      <p>
        <b>
          <Name lines={1}>{operator.name}</Name>
        </b>
      </p>
      <p>It stops working immediately and permanently. Its past actions stay in the audit log.</p>
    </Confirm>
  );
}
