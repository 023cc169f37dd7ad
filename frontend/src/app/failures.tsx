import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Empty } from "@/components/ui/states";
import { Page } from "@/components/ui/Page";

export function NotFound() {
  return (
    <Page title="Page not found">
      <Empty title="Nothing at this address">
        The address may be mistyped. Go to the <Link to="/">home page</Link> or{" "}
        <Link to="/infohashes">browse the torrents</Link>.
      </Empty>
    </Page>
  );
}

/** Shown when a page can't be loaded, usually because an update has replaced its script. */
export function LoadFailure({ error }: { error: unknown }) {
  return (
    <Page title="This page couldn't be loaded">
      <Empty
        title="Loading failed"
        action={
          <Button
            onClick={() => {
              location.reload();
            }}
          >
            Reload
          </Button>
        }
      >
        The tracker may have been updated in the meantime. Reload to get the latest version.{" "}
        <small>({error instanceof Error ? error.message : String(error)})</small>
      </Empty>
    </Page>
  );
}
