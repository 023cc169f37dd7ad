import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { ApiError } from "@/api/errors";
import { session } from "@/api/operator";
import { changeApiKey, useApiKey } from "@/api/api-key";
import { Name } from "@/components/ui/Name";
import { Failure } from "@/components/requests/Failure";
import { Loading } from "@/components/ui/states";
import classes from "./OperatorLayout.module.css";
import { SignIn } from "./SignIn";

const SECTIONS = [
  { to: "/operator/upload", label: "Upload" },
  { to: "/operator/infohashes", label: "Infohashes" },
  { to: "/operator/keys", label: "Announce keys" },
  { to: "/operator/bans", label: "Bans" },
  { to: "/operator/anomalies", label: "Anomalies" },
  { to: "/operator/clients", label: "Broken clients" },
  { to: "/operator/swarms", label: "Swarms" },
  { to: "/operator/prefixes", label: "Networks" },
  { to: "/operator/operators", label: "Operators" },
  { to: "/operator/settings", label: "Settings" },
  { to: "/operator/audit", label: "Audit log" },
  { to: "/operator/system", label: "System" },
] as const;

/** The operator pages, which need an API key. */
export function OperatorLayout() {
  const key = useApiKey();
  return key === null ? <SignIn /> : <SignedIn key={key} />;
}

function SignedIn() {
  const query = useQuery(session());
  const queries = useQueryClient();
  const signOut = () => {
    changeApiKey(null);
    queries.removeQueries({ queryKey: ["operator"] });
  };
  if (query.error instanceof ApiError && (query.error.status === 401 || query.error.status === 403)) {
    return <SignIn refused={query.error} />;
  }
  if (query.data === undefined) {
    return query.error ? (
      <Failure error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <Loading label="Signing in" lines={4} />
    );
  }
  return (
    <div className={classes.layout}>
      <aside className={classes.side}>
        <nav aria-label="Operator" className={classes.nav}>
          {SECTIONS.map(({ to, label }) => (
            <Link key={to} to={to} className={classes.link} activeProps={{ "data-active": true }}>
              {label}
            </Link>
          ))}
        </nav>
        <div className={classes.who}>
          <span>
            Signed in as{" "}
            <b>
              <Name lines={1}>{query.data.name}</Name>
            </b>
          </span>
          <Button variant="default" size="xs" onClick={signOut}>
            Sign out
          </Button>
        </div>
      </aside>
      <div className={classes.content}>
        <Outlet />
      </div>
    </div>
  );
}
