/** Headers that keep a browser from doing more with an answer than show it. */

import { secureHeaders } from "hono/secure-headers";

/** No scripts, styles or frames at all: nothing here is a page yet. HSTS is left to who puts TLS in front. */
export const securityHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: "no-referrer",
  strictTransportSecurity: false,
  xFrameOptions: "DENY",
});
