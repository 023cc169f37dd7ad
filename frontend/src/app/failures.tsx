import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Empty } from "@/components/ui/states";
import { Page } from "@/components/ui/Page";

export function NotFound() {
  return (
    <Page title="There is no such page">
      <Empty title="The address leads nowhere">
        Perhaps it was mistyped. <Link to="/">Go to the front page</Link> or look through{" "}
        <Link to="/infohashes">the torrents</Link>.
      </Empty>
    </Page>
  );
}

/** A page that couldn't be shown: mostly its script is gone because a newer version was installed meanwhile. */
export function LoadFailure({ error }: { error: unknown }) {
  return (
    <Page title="This page can't be shown">
      <Empty
        title="It didn't load"
        action={
          <Button
            onClick={() => {
              location.reload();
            }}
          >
            Load it again
          </Button>
        }
      >
        The tracker may have been updated meanwhile; loading the page again brings the newest version.{" "}
        <small>({error instanceof Error ? error.message : String(error)})</small>
      </Empty>
    </Page>
  );
}
