/** A QR code, drawn on the server: black on white in dark colours too, for cameras expect that. */

import { encode } from "uqr";

/** Modules that stay white around a code (ISO/IEC 18004, 9.1). */
const QUIET = 4;

/** @param label what the code says, for who cannot see it */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "M", border: QUIET });
  const path = data.map((row, y) => row.map((dark, x) => dark ? `M${x} ${y}h1v1h-1z` : "").join("")).join("");
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
      class="w-full max-w-[240px] rounded-lg border border-line"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
