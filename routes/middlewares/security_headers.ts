/** Headers that keep a browser from doing more with an answer than it should. */

import { secureHeaders } from "hono/secure-headers";

/**
 * Everything comes from here: no inline scripts and styles, no third party, no frames. The referrer stays within the
 * site: with none at all, browsers send `Origin: null` with forms. HSTS is left to who puts TLS in front.
 */
export const securityHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: "same-origin",
  strictTransportSecurity: false,
  xFrameOptions: "DENY",
});
