/** The X.509 library, loaded the one way that works: it throws unless the reflection package was there before it. Import it from here only. */

import "reflect-metadata";
export * as x509 from "@peculiar/x509";
