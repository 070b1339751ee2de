// Calls by openapi-fetch with the types that openapi-typescript makes of the spec.
//
// Usage: node openapi_fetch.mjs, with ORIGIN and KEY in the environment. Ends with an error if an answer is not a success.

import createClient from "openapi-fetch";
import type { paths } from "./schema.d.ts";

declare const process: { env: Record<string, string | undefined> };

const api = createClient<paths>({ baseUrl: process.env.ORIGIN, headers: { Authorization: `Bearer ${process.env.KEY}` } });

/** The data of an answer; an error is the end. */
async function of<T>(answer: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data, response } = await answer;
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return data as T;
}

const me = await of(api.GET("/v1/me"));
await of(api.PATCH("/v1/me", { body: { name: me.data.name } }));
const body = { name: "Fetch", sku: "fetch-1", price: 1, stock: 1 };
const made = await of(api.POST("/v1/products", { body }));
const path = { product_id: made.data.id };
await of(api.GET("/v1/products", { params: { query: { q: "fetch", limit: 5 } } }));
await of(api.PATCH("/v1/products/{product_id}", { params: { path }, body: { price: 2 } }));
await of(api.DELETE("/v1/products/{product_id}", { params: { path } }));

const sent = "sku,name,price,stock\n";
const form = new FormData();
form.append("file", new Blob([sent]), "fetch.csv");
const file = await of(
  api.POST("/v1/files", { body: { file: "" }, bodySerializer: () => form }), // as its guide has it for multipart
);
const params = { path: { file_id: file.data.id } };
const bytes = await of(api.GET("/v1/files/{file_id}/content", { params, parseAs: "text" }));
if (bytes !== sent) throw new Error("the download is not what was uploaded");
await of(api.DELETE("/v1/files/{file_id}", { params }));
