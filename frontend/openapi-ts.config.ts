import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: process.env.ETRACKER_OPENAPI ?? "../docs/openapi.json",
  output: { path: "src/api/generated", clean: true },
  parser: { filters: { operations: { include: ["/^[A-Z]+ /api/v1//"] } } },
  plugins: [
    { name: "@hey-api/client-fetch", throwOnError: true },
    {
      name: "@hey-api/sdk",
      responseStyle: "data",
      auth: false, // every call says itself which key it sends
      // The operation's id is the route's function, path and method; the function says enough.
      operations: { methodName: { name: (id) => id.replace(/_?api_?v1.*/i, "") } },
    },
    // Enums are objects, too, so that pages can list their values.
    {
      name: "@hey-api/typescript",
      definitions: { case: "PascalCase" },
      enums: { mode: "javascript", case: "preserve" },
    },
  ],
});
