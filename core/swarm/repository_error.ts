import { KituoError } from "../base/errors.ts";

/** The repository on disk cannot be used: not one, damaged, or opened only for reading. */
export class RepositoryError extends KituoError {}
