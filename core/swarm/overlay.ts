/** Objects in front of a repository: what was received or made but is not stored yet. */

import { type GitObject, MissingObject, type ObjectReader, type Oid } from "./object.ts";

/** Reads from `extra` first, then from `base`. Later changes of `extra` are seen. */
export class OverlayReader implements ObjectReader {
  constructor(private readonly base: ObjectReader, private readonly extra: ReadonlyMap<Oid, GitObject>) {}

  read(oid: Oid): Promise<GitObject> {
    const object = this.extra.get(oid);
    return object ? Promise.resolve(object) : this.base.read(oid);
  }

  has(oid: Oid): Promise<boolean> {
    return this.extra.has(oid) ? Promise.resolve(true) : this.base.has(oid);
  }
}

/** A reader with nothing in it: the base of a clone. */
export const emptyReader: ObjectReader = {
  read: (oid) => Promise.reject(new MissingObject(oid)),
  has: () => Promise.resolve(false),
};
