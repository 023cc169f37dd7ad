import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { HomePage } from "@/features/home/HomePage";
import { LoadFailure, NotFound } from "./failures";
import {
  anomalySearch,
  auditSearch,
  banSearch,
  evidenceSearch,
  keySearch,
  parseSearch,
  prefixSearch,
  settingSearch,
  historySearch,
  stringifySearch,
  torrentSearch,
} from "./search";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: historySearch,
  component: HomePage,
});

const torrents = createRoute({
  getParentRoute: () => root,
  path: "/infohashes",
  validateSearch: torrentSearch,
  component: lazyRouteComponent(() => import("@/features/torrents/TorrentsPage"), "TorrentsPage"),
});

const torrent = createRoute({
  getParentRoute: () => root,
  path: "/infohashes/$infoHash",
  validateSearch: historySearch,
  component: lazyRouteComponent(() => import("@/features/torrents/TorrentPage"), "TorrentPage"),
});

const standing = createRoute({
  getParentRoute: () => root,
  path: "/standing",
  component: lazyRouteComponent(() => import("@/features/standing/StandingPage"), "StandingPage"),
});

const blockList = createRoute({
  getParentRoute: () => root,
  path: "/b/$token",
  component: lazyRouteComponent(() => import("@/features/block-list/BlockListPage"), "BlockListPage"),
});

const operator = createRoute({
  getParentRoute: () => root,
  path: "/operator",
  component: lazyRouteComponent(() => import("@/features/operator/OperatorLayout"), "OperatorLayout"),
});

const operatorStart = createRoute({
  getParentRoute: () => operator,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/operator/upload", replace: true });
  },
});

const operatorPages = [
  createRoute({
    getParentRoute: () => operator,
    path: "/upload",
    component: lazyRouteComponent(() => import("@/features/operator/upload/UploadPage"), "UploadPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/infohashes",
    validateSearch: torrentSearch,
    component: lazyRouteComponent(() => import("@/features/operator/InfohashesPage"), "InfohashesPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/keys",
    validateSearch: keySearch,
    component: lazyRouteComponent(() => import("@/features/operator/KeysPage"), "KeysPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/bans",
    validateSearch: banSearch,
    component: lazyRouteComponent(() => import("@/features/operator/BansPage"), "BansPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/anomalies",
    validateSearch: anomalySearch,
    component: lazyRouteComponent(
      () => import("@/features/operator/anomalies/AnomaliesPage"),
      "AnomaliesPage",
    ),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/clients",
    component: lazyRouteComponent(() => import("@/features/operator/anomalies/ClientsPage"), "ClientsPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/anomalies/$id",
    validateSearch: evidenceSearch,
    component: lazyRouteComponent(() => import("@/features/operator/anomalies/AnomalyPage"), "AnomalyPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/swarms",
    validateSearch: torrentSearch,
    component: lazyRouteComponent(() => import("@/features/operator/SwarmsPage"), "SwarmsPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/swarms/$infoHash",
    component: lazyRouteComponent(() => import("@/features/operator/SwarmPage"), "SwarmPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/prefixes",
    validateSearch: prefixSearch,
    component: lazyRouteComponent(() => import("@/features/operator/PrefixesPage"), "PrefixesPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/operators",
    component: lazyRouteComponent(() => import("@/features/operator/OperatorsPage"), "OperatorsPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/settings",
    validateSearch: settingSearch,
    component: lazyRouteComponent(() => import("@/features/operator/SettingsPage"), "SettingsPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/audit",
    validateSearch: auditSearch,
    component: lazyRouteComponent(() => import("@/features/operator/AuditPage"), "AuditPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "/system",
    component: lazyRouteComponent(() => import("@/features/operator/system/SystemPage"), "SystemPage"),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    torrents,
    torrent,
    standing,
    blockList,
    operator.addChildren([operatorStart, ...operatorPages]),
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: LoadFailure,
  parseSearch,
  stringifySearch,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
