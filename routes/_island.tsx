/** Islands: components that are drawn on the server and come to life in the browser. */

import type { ComponentChildren, JSX } from "preact";

/**
 * Wraps a component of `islands/` so that the page carries its props.
 * @param name its file, without `.tsx`
 */
export function island<Props extends object>(name: string, Component: (props: Props) => JSX.Element) {
  return (props: Props) => (
    <k-island data-name={name}>
      <Component {...props} />
      <script
        type="application/json"
        dangerouslySetInnerHTML={{ __html: JSON.stringify(props).replaceAll("<", "\\u003c") }}
      />
    </k-island>
  );
}

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "k-island": { "data-name": string; children: ComponentChildren };
    }
  }
}
