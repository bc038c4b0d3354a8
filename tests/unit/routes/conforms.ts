/** Whether a value has the form that a JSON Schema of the API's description asks for: as much of it as the description uses. */

import { referenced, type Schema } from "../../../routes/api_document.ts";

/** What is wrong, with the place; none = it conforms. */
export function faultsOf(value: unknown, schema: Schema, schemas: Record<string, Schema>, at = "$"): string[] {
  const again = (one: unknown, form: Schema, place = at) => faultsOf(one, form, schemas, place);
  if (schema.$ref) {
    const form = schemas[referenced(schema)];
    return form ? again(value, form) : [`${at}: ${schema.$ref} is not described`];
  }
  const faults = (schema.allOf ?? []).flatMap((form) => again(value, form));
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms && !forms.some((form) => again(value, form).length === 0)) {
    faults.push(`${at}: none of ${forms.length} forms: ${again(value, forms[0]).join("; ")}`);
  }
  if (schema.enum && !schema.enum.includes(value)) faults.push(`${at}: ${value} is not in ${schema.enum}`);
  if (schema.const !== undefined && schema.const !== value) faults.push(`${at}: ${value} is not ${schema.const}`);
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOf(value, type))) return [...faults, `${at}: is no ${types}`];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? [...faults, ...value.flatMap((one, i) => again(one, items, `${at}[${i}]`))] : faults;
  }
  if (typeof value !== "object" || value === null) return faults;
  const { properties = {}, required = [], additionalProperties } = schema;
  const has = new Map<string, unknown>(Object.entries(value));
  for (const name of required) if (!has.has(name)) faults.push(`${at}.${name}: is missing`);
  for (const [name, one] of has) {
    const form = properties[name] ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    if (form) faults.push(...again(one, form, `${at}.${name}`));
    else if (additionalProperties === false) faults.push(`${at}.${name}: is not described`);
  }
  return faults;
}

function isOf(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  const kind: string = typeof value;
  return kind === type;
}
