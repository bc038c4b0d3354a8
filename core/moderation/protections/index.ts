/** All protections, in the order of the page. */

import type { Protection } from "../protection.ts";
import { files } from "./files.ts";
import { firstMessage } from "./first_message.ts";
import { flood } from "./flood.ts";
import { joinWave } from "./join_wave.ts";
import { words } from "./words.ts";

export const PROTECTIONS: readonly Protection[] = [flood, joinWave, firstMessage, words, files];
