/** Bounds on what one entry of the display takes along from other commits: a member may write any number of them. */

/** Edits of one commit that are looked at, the newest. */
export const MAX_SHOWN_EDITS = 50;

/** Reactions shown with one entry, the newest. */
export const MAX_SHOWN_REACTIONS = 100;

/** Characters of a reaction: it should be one emoji. */
export const MAX_REACTION_TEXT = 64;

/** Characters of a former text that was edited; the present one is shown whole. */
export const MAX_FORMER_TEXT = 16_000;
