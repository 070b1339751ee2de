// Every call that needs no person, by the client that `@hey-api/openapi-ts` makes of the spec.
//
// Usage: node hey_api.mjs, compiled beside `hey/`, with ORIGIN and KEY in the environment. Ends with an error if an
// answer is not a success.

import { client } from "./hey/client.gen.js";
import * as api from "./hey/sdk.gen.js";

declare const process: { env: Record<string, string | undefined> };

client.setConfig({ baseUrl: process.env.ORIGIN, auth: () => process.env.KEY, throwOnError: true });

const throwOnError = true as const;
const { data: me } = await api.usersGetMe({ throwOnError });
await api.usersUpdateMe({ body: { name: me.data.name }, throwOnError });
await api.usersList({ query: { role: "admin", status: "active" }, throwOnError });
const { data: user } = await api.usersCreate({ body: { email: "hey@example.com", name: "Hey" }, throwOnError });
const user_id = user.data.id;
await api.usersGet({ path: { user_id }, throwOnError });
await api.usersUpdate({ path: { user_id }, body: { role: "editor" }, throwOnError });
await api.usersResendInvitation({ path: { user_id }, throwOnError });
await api.usersDelete({ path: { user_id }, throwOnError });

const body = { name: "Hey", sku: "hey-1", price: 1, stock: 1 };
const { data: product } = await api.productsCreate({ body, throwOnError });
const product_id = product.data.id;
await api.productsList({ query: { q: "hey" }, throwOnError });
await api.productsGet({ path: { product_id }, throwOnError });
await api.productsUpdate({ path: { product_id }, body: { price: 2 }, throwOnError });
await api.productsDelete({ path: { product_id }, throwOnError });

const sent = new File(["sku,name,price,stock\n"], "hey.csv", { type: "text/csv" });
const { data: file } = await api.filesUpload({ body: { file: sent }, throwOnError });
const file_id = file.data.id;
await api.filesList({ throwOnError });
await api.filesGet({ path: { file_id }, throwOnError });
const { data: bytes } = await api.filesDownload({ path: { file_id }, parseAs: "blob", throwOnError });
if ((await (bytes as Blob).text()) !== (await sent.text())) throw new Error("the download is not what was uploaded");
await api.filesDelete({ path: { file_id }, throwOnError });

await api.workflowsList({ throwOnError });
const { data: run } = await api.workflowsRun({
  path: { name: "catalog_export" }, body: { input: { format: "csv" } }, throwOnError,
});
await api.workflowsListRuns({ throwOnError });
await api.workflowsGetRun({ path: { run_id: run.data.id }, throwOnError });

const { data: key } = await api.apiKeysCreate({ body: { name: "Hey", scopes: ["users:read"] }, throwOnError });
await api.apiKeysList({ throwOnError });
await api.apiKeysRevoke({ path: { key_id: key.data.id }, throwOnError });

const { data: application } = await api.applicationsCreate({
  body: { name: "Hey", scopes: ["users:read"] }, throwOnError,
});
await api.applicationsList({ throwOnError });
const path = { application_id: application.data.id };
await api.applicationsRotateSecret({ path, throwOnError });
await api.applicationsDelete({ path, throwOnError });

await api.authMetadata({ throwOnError });
await api.authJwks({ throwOnError });
