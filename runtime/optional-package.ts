// Packages that a project may leave out. They are loaded by name at run time, so that a bundler does not
// need them either.

import { createRequire } from "node:module";

/** Returns the package, or null if it is not installed. */
export function optionalPackage<Package>(name: string): Package | null {
  try {
    return createRequire(import.meta.url)(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}
