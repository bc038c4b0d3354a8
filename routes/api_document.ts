/** The OpenAPI description as the page of the API reads it: operations by resource, and forms. */

/** A JSON Schema, as far as zod makes them. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: Schema | boolean;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
  example?: unknown;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header" | "cookie";
  required?: boolean;
  description?: string;
  schema?: Schema;
}

/** A body or an answer. */
export interface Content {
  description?: string;
  content?: Record<string, { schema?: Schema }>;
}

interface Described {
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: Content & { required?: boolean };
  responses?: Record<string, Content>;
  "x-kituo-role"?: string;
}

/** What the page needs of an OpenAPI document. */
export interface ApiDocument {
  paths?: Record<string, Record<string, Described>>;
  components?: { schemas?: Record<string, Schema> };
}

/** One route. */
export interface Operation extends Described {
  /** anchor on the page */
  id: string;
  method: string;
  path: string;
}

/** The routes of one resource: `/api/v1/conversations/…` is "conversations". */
export interface Resource {
  name: string;
  operations: Operation[];
}

const ORDER = ["get", "post", "put", "patch", "delete"];

/** The routes that have all words of `q` in method, path, summary or description, by resource. */
export function resourcesOf({ paths = {} }: ApiDocument, q = ""): Resource[] {
  const words = q.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(methods)) {
      const text = [method, path, described.summary, described.description].join(" ").toLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
      const name = /^\/api\/v1\/([^/]+)/.exec(path)?.[1] ?? "health";
      const operation = { ...described, method: method.toUpperCase(), path, id: anchorOf(method, path) };
      found.set(name, [...found.get(name) ?? [], operation]);
    }
  }
  const rank = ({ method }: Operation) => ORDER.indexOf(method.toLowerCase());
  return [...found].map(([name, operations]) => ({
    name,
    operations: operations.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : rank(a) - rank(b)),
  })).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** "get /api/v1/requests/{id}/accept" is "get-requests-id-accept". */
function anchorOf(method: string, path: string): string {
  return [method, ...path.replace(/^\/api\/v1/, "").split("/")].map((part) => part.replace(/[{}]/g, ""))
    .filter((part) => part !== "").join("-");
}

/** The name of what a reference means. */
export function referenced({ $ref = "" }: Schema): string {
  return $ref.slice("#/components/schemas/".length);
}

/** Deepest example that is worth reading. */
const DEEPEST = 4;

/** A value of the form, to show what one looks like. */
export function exampleOf(schema: Schema, schemas: Record<string, Schema>, depth = 0): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.$ref) return exampleOf(schemas[referenced(schema)] ?? {}, schemas, depth + 1);
  if (schema.enum) return schema.enum[0];
  const [first] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
  if (first) return exampleOf(first, schemas, depth);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object" || schema.properties) {
    if (depth > DEEPEST) return {};
    const { properties = {}, required = [] } = schema;
    const shown = Object.entries(properties).filter(([name]) => required.length === 0 || required.includes(name));
    return Object.fromEntries(shown.map(([name, one]) => [name, exampleOf(one, schemas, depth + 1)]));
  }
  if (type === "array") return depth > DEEPEST || !schema.items ? [] : [exampleOf(schema.items, schemas, depth + 1)];
  return { boolean: true, integer: schema.minimum ?? 1, number: schema.minimum ?? 1, null: null }[`${type}`] ?? "…";
}

/** How a shell asks. @param site where the console is */
export function curlOf(operation: Operation, schemas: Record<string, Schema>, site: string): string {
  const { method, path, requestBody, "x-kituo-role": role } = operation;
  const lines = [
    `curl -sS${method === "GET" ? "" : ` -X ${method}`} "${site}${
      path.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase())
    }"`,
  ];
  if (role && role !== "anybody") lines.push('-H "Authorization: Bearer $TOKEN"');
  const schema = requestBody?.content?.["application/json"]?.schema;
  if (schema) {
    lines.push('-H "Content-Type: application/json"');
    lines.push(`-d '${JSON.stringify(exampleOf(schema, schemas)).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}
