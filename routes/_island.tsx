/** Islands: components that are drawn on the server and come to life in the browser. */

import type { ComponentChildren, JSX } from "preact";
import { NamesOf } from "../islands/parts/names.ts";

/** Islands drawn so far, of all pages: on one page no two have the same number. */
let made = 0;
const MAX_MADE = 1_000_000;

/**
 * Wraps a component of `islands/` so that the page carries its props.
 * @param name its file, without `.tsx`
 */
export function island<Props extends object>(name: string, Component: (props: Props) => JSX.Element) {
  return (props: Props) => {
    const prefix = `i${made = (made + 1) % MAX_MADE}`;
    return (
      <k-island data-name={name} data-prefix={prefix}>
        <NamesOf.Provider value={{ prefix, n: 0 }}>
          <Component {...props} />
        </NamesOf.Provider>
        <script
          type="application/json"
          dangerouslySetInnerHTML={{ __html: JSON.stringify(props).replaceAll("<", "\\u003c") }}
        />
      </k-island>
    );
  };
}

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "k-island": { "data-name": string; "data-prefix": string; children: ComponentChildren };
    }
  }
}
