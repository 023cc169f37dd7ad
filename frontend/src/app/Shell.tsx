import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { stats } from "@/api/public";
import classes from "./Shell.module.css";

const PAGES = [
  { to: "/infohashes", label: "Torrents" },
  { to: "/standing", label: "My standing" },
  { to: "/operator", label: "Operator" },
] as const;

/** The header, navigation and footer around every page. */
export function Shell() {
  const main = useFocusOnNavigation();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <header className={classes.header}>
        <div className={classes.bar}>
          <Link to="/" className={classes.mark} aria-label="etracker home">
            <Mark />
            etracker
          </Link>
          <nav className={classes.nav} aria-label="Main">
            {PAGES.map(({ to, label }) => (
              <Link key={to} to={to} className={classes.link} activeProps={{ "data-active": true }}>
                {label}
              </Link>
            ))}
          </nav>
          <SchemeToggle />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <AnnouncesFail />
        <Outlet />
      </main>
      <footer className={classes.footer}>
        <span>etracker, the equilibrium tracker</span>
        <span>Free software in the public domain</span>
      </footer>
    </div>
  );
}

/** Tells visitors on every page that their clients are being refused, and that they need do nothing about it. */
function AnnouncesFail() {
  const { data } = useQuery({ ...stats(), refetchInterval: LOOK_MS });
  return (
    <div role="status" className={classes.notice}>
      {data?.announces_fail === true && (
        <p>
          <b>Announces fail at the moment.</b> Your client repeats them by itself, transfers that are running
          go on, and nothing you have done is lost.
        </p>
      )}
    </div>
  );
}

const LOOK_MS = 30_000;

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" focusable="false">
      <circle cx="16" cy="16" r="14" fill="var(--accent)" />
      <path d="M9 12.5h14M9 19.5h14" stroke="var(--paper)" strokeWidth="3.2" strokeLinecap="round" />
    </svg>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      aria-label={`Switch to ${other} mode`}
      title={`Switch to ${other} mode`}
      onClick={() => {
        setColorScheme(other);
      }}
    >
      {scheme === "dark" ? <IconSun size={19} /> : <IconMoon size={19} />}
    </ActionIcon>
  );
}

/** Focus the new page after a navigation, so that screen readers continue there instead of at the link. */
function useFocusOnNavigation() {
  const router = useRouter();
  const main = useRef<HTMLElement>(null);
  useEffect(
    () =>
      router.subscribe("onResolved", ({ fromLocation, pathChanged }) => {
        if (fromLocation && pathChanged) main.current?.focus({ preventScroll: true });
      }),
    [router],
  );
  return main;
}
