/** Reads columns of a row with their types: SQLite gives what was written, TypeScript does not know what that was. */

import type { SQLOutputValue } from "node:sqlite";
import { type Bytes, owned } from "../base/bytes.ts";
import { StoreError } from "./errors.ts";

/** One row as `node:sqlite` gives it. */
export type Row = Record<string, SQLOutputValue>;

/**
 * A text column.
 * @throws {StoreError} when it holds something else
 */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : bad(column, "text");
}

/** A text column that may be NULL, then `undefined`. */
export function optionalTextOf(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/**
 * A whole-number column.
 * @throws {StoreError} when it holds something else
 */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  return typeof value === "number" ? value : bad(column, "a number");
}

/** A whole-number column that may be NULL, then `undefined`. */
export function optionalIntegerOf(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integerOf(row, column);
}

/** A column of 0 or 1. */
export function flagOf(row: Row, column: string): boolean {
  return integerOf(row, column) !== 0;
}

/**
 * A column of bytes.
 * @throws {StoreError} when it holds something else
 */
export function bytesOf(row: Row, column: string): Bytes {
  const value = row[column];
  return value instanceof Uint8Array ? owned(value) : bad(column, "bytes");
}

/**
 * A text column that holds one of a few words.
 * @throws {StoreError} when it holds another
 */
export function oneOf<Word extends string>(row: Row, column: string, words: readonly Word[]): Word {
  const value = row[column];
  return words.find((word) => word === value) ?? bad(column, words.join(" or "));
}

function bad(column: string, wanted: string): never {
  throw new StoreError("bad row", `column ${column} does not hold ${wanted}`);
}
