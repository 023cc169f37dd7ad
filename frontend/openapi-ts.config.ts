import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: process.env.ETRACKER_OPENAPI ?? "../docs/openapi.json",
  output: { path: "src/api/generated", clean: true },
  parser: { filters: { operations: { include: ["/^[A-Z]+ /api/v1//", "GET /api/blocklist/{token}"] } } },
  plugins: [
    { name: "@hey-api/client-fetch", throwOnError: true },
    {
      name: "@hey-api/sdk",
      responseStyle: "data",
      auth: false, // every call passes its key explicitly
      // Operation ids consist of the route's function, path and method; the function name is enough.
      operations: { methodName: { name: (id) => id.replace(/_?api_?(v1|blocklist).*/i, "") } },
    },
    // Generate enums as values, too, so that pages can list them.
    {
      name: "@hey-api/typescript",
      definitions: { case: "PascalCase" },
      enums: { mode: "javascript", case: "preserve" },
    },
  ],
});
