/** Makes a picture small enough to be an avatar: in a swarm every member keeps every version of it for ever. */

/** Pixels of a side: what Jami's apps show at most. */
const SIDE = 256;

/** Characters in base64 that the API takes. */
const MOST = 48_000;

/** Bytes of a file that is looked at: larger ones are not made by cameras. */
const MAX_FILE = 32 * 1024 * 1024;

/** Qualities of JPEG that are tried in turn. */
const QUALITIES = [0.92, 0.85, 0.75, 0.6, 0.4];

/** The middle square of a picture, in base64; `null` when the browser cannot read it. */
export async function shrink(file: Blob): Promise<string | null> {
  if (file.size > MAX_FILE) return null;
  try {
    const picture = await createImageBitmap(file);
    const side = Math.min(picture.width, picture.height), to = Math.min(SIDE, side);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = to;
    const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
    canvas.getContext("2d")?.drawImage(picture, x, y, side, side, 0, 0, to, to);
    picture.close();
    return smallEnough(canvas);
  } catch {
    return null;
  }
}

/** As PNG where that fits, for logos have clear edges and see-through parts, else as JPEG. */
function smallEnough(canvas: HTMLCanvasElement): string | null {
  const tries = [() => canvas.toDataURL("image/png"), ...QUALITIES.map((q) => () => canvas.toDataURL("image/jpeg", q))];
  for (const encode of tries) {
    const base64 = encode().split(",")[1];
    if (base64.length <= MOST) return base64;
  }
  return null;
}
