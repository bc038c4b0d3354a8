/** The icons of the navigation: lines on a grid of 24. */

const PATHS = {
  overview: "M4 13a8 8 0 1 1 16 0M12 13l4-4M4 13v3m16-3v3M12 13h.01",
  conversations: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
  requests: "M15 19v-1a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4v1M9 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6M18 8v6M15 11h6",
  protection: "M12 3l7 3v5c0 4.5-3 8-7 10-4-2-7-5.5-7-10V6zM9 11.5l2.2 2.2L15.5 9.5",
  network:
    "M12 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M5.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M18.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M11 7.8l-4.3 7.4M13 7.8l4.3 7.4M8 17.5h8",
  audit: "M6 3h9l4 4v14H6zM9 9h4M9 13h7M9 17h7",
  api: "M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14",
  more: "M6 12a1 1 0 1 0-2 0 1 1 0 0 0 2 0M13 12a1 1 0 1 0-2 0 1 1 0 0 0 2 0M20 12a1 1 0 1 0-2 0 1 1 0 0 0 2 0",
  settings:
    "M5 7h8M17 7h2M5 17h2M11 17h8M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  back: "M15 5l-7 7 7 7",
};

/** A name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon for the eye only: a text stands beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="w-5 h-5 flex-none"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of Kituo. */
export function Sign() {
  return (
    <svg class="w-8 h-8 flex-none" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0a6b5b" />
      <path
        d="M10 7v18M10 17l9-10M13.5 13.5 21 25"
        fill="none"
        stroke="#fff"
        stroke-width="3"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      <circle cx="24" cy="8" r="2.6" fill="#8fe3d0" />
    </svg>
  );
}
