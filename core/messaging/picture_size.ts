/** How large a picture is, from its own bytes: PNG (RFC 2083, 11.2.2) and JPEG (ITU T.81, B.2.2). */

/** In pixels. */
export interface PictureSize {
  width: number;
  height: number;
}

/** Where a PNG says its size, in its first chunk, and how it ends. */
const PNG_SIZE = 16;
const PNG_END = [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

/** Markers of JPEG: its end, and the frame headers (C4, C8 and CC are something else). */
const JPEG_END = [0xff, 0xd9];
const JPEG_FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

/** The size of a PNG or JPEG; `null` for what is neither, is cut short, or has no size. Whatever the bytes are, it cannot fail. */
export function pictureSize(data: Uint8Array): PictureSize | null {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const size = data[0] === 0x89 ? pngSize(data, view) : jpegSize(data, view);
  return size && size.width > 0 && size.height > 0 ? size : null;
}

function pngSize(data: Uint8Array, view: DataView): PictureSize | null {
  if (data.length < PNG_SIZE + 8 || !endsWith(data, PNG_END)) return null;
  return { width: view.getUint32(PNG_SIZE), height: view.getUint32(PNG_SIZE + 4) };
}

function jpegSize(data: Uint8Array, view: DataView): PictureSize | null {
  if (!endsWith(data, JPEG_END)) return null;
  // after the first marker come segments: a marker, and a length that counts itself
  for (let at = 2; at + 9 <= data.length && data[at] === 0xff;) {
    if (JPEG_FRAMES.has(data[at + 1])) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

function endsWith(data: Uint8Array, end: readonly number[]): boolean {
  return end.every((byte, i) => data[data.length - end.length + i] === byte);
}
