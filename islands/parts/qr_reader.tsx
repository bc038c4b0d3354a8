/**
 * Reads a QR code with the browser's own reader (Barcode Detection API): from the camera, or without one from a picture.
 * Where the browser has no reader nothing is shown, for the text behind a code can be pasted as well.
 */

import { useEffect, useRef, useState } from "preact/hooks";

/** What the reader says. */
export interface QrTexts {
  scan: string;
  scanPicture: string;
  scanning: string;
  stop: string;
  noCode: string;
  noCamera: string;
}

/** The part of the API that is used; TypeScript does not know it yet. */
interface Detector {
  detect(source: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}
declare const BarcodeDetector: {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
};

/** Milliseconds between two looks through the camera. */
const LOOK_EVERY = 250;

/** How codes can be read here. */
type Way = "none" | "camera" | "picture";

interface Props {
  t: QrTexts;
  /** What a code says. @returns is it what was looked for? */
  onCode: (text: string) => boolean;
}

export function QrReader({ t, onCode }: Props) {
  const [way, setWay] = useState<Way>("none");
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState("");
  const file = useRef<HTMLInputElement>(null);
  useEffect(() => void wayHere().then(setWay), []);
  const read = async () => {
    const picture = file.current?.files?.[0];
    if (!picture) return;
    const found = await codesIn(picture);
    if (file.current) file.current.value = "";
    setProblem(found.some(onCode) ? "" : t.noCode);
  };
  if (way === "none") return null;
  return (
    <div class="grid gap-2">
      {way === "camera" && !open && (
        <p>
          <button type="button" class="button small" onClick={() => setOpen(true)}>{t.scan}</button>
        </p>
      )}
      {open && (
        <Camera
          t={t}
          onCode={(text) => {
            if (onCode(text)) setOpen(false);
          }}
          onStop={() => setOpen(false)}
          onFailure={() => {
            setOpen(false);
            setProblem(t.noCamera);
            setWay("picture");
          }}
        />
      )}
      {way === "picture" && (
        <p>
          <input
            ref={file}
            type="file"
            accept="image/*"
            hidden
            onChange={read}
          />
          <button type="button" class="button small" onClick={() => file.current?.click()}>{t.scanPicture}</button>
        </p>
      )}
      <p class="text-sm text-bad" role="alert">{problem}</p>
    </div>
  );
}

interface CameraProps extends Props {
  onStop: () => void;
  onFailure: () => void;
}

/** What the camera sees, until a code is seen. */
function Camera({ t, onCode, onStop, onFailure }: Omit<CameraProps, "onCode"> & { onCode: (text: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    let stream: MediaStream | null = null, over = false;
    const look = async () => {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      while (!over && video.current) {
        if (video.current.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
          for (const { rawValue } of await detector.detect(video.current)) if (!over) onCode(rawValue);
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      }
    };
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(async (camera) => {
      stream = camera;
      if (over || !video.current) return camera.getTracks().forEach((track) => track.stop());
      video.current.srcObject = camera;
      await video.current.play();
      await look();
    }).catch(onFailure);
    return () => {
      over = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  return (
    <div class="grid gap-2">
      <video ref={video} class="w-full max-w-sm rounded-lg bg-sunken" muted playsInline aria-label={t.scanning} />
      <p class="text-sm text-muted">{t.scanning}</p>
      <p>
        <button type="button" class="button small" onClick={onStop}>{t.stop}</button>
      </p>
    </div>
  );
}

/** How codes can be read here. */
async function wayHere(): Promise<Way> {
  if (!("BarcodeDetector" in globalThis)) return "none";
  const formats: string[] = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes("qr_code")) return "none";
  const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
  return devices.some(({ kind }) => kind === "videoinput") ? "camera" : "picture";
}

/** The texts of the codes in a picture; none when it cannot be read. */
async function codesIn(file: Blob): Promise<string[]> {
  try {
    const picture = await createImageBitmap(file);
    const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(picture);
    return found.map(({ rawValue }) => rawValue);
  } catch {
    return [];
  }
}
