/** Finds a QR in a frame: by the browser's own detector where it has one, else in a worker. */
export interface Decoder {
  /** The text of a QR in the frame, or null. */
  read(frame: HTMLCanvasElement): Promise<string | null>;
}

interface NativeDetector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}

interface NativeDetectors {
  new (options: { formats: string[] }): NativeDetector;
  getSupportedFormats(): Promise<string[]>;
}

const WORKER_PATIENCE_MS = 15_000;

async function ownDetector(): Promise<Decoder | null> {
  const native = (globalThis as { BarcodeDetector?: NativeDetectors }).BarcodeDetector;
  if (native === undefined) return null;
  try {
    if (!(await native.getSupportedFormats()).includes("qr_code")) return null;
    const detector = new native({ formats: ["qr_code"] });
    return {
      read: async (frame) => (await detector.detect(frame))[0]?.rawValue ?? null,
    };
  } catch {
    return null;
  }
}

function workerDetector(): Decoder {
  const worker = new Worker(new URL("../workers/decode.ts", import.meta.url), { type: "module" });
  let take: ((text: string | null) => void) | null = null;
  worker.addEventListener("message", (event: MessageEvent<{ text: string | null }>) => {
    take?.(event.data.text);
    take = null;
  });
  return {
    read: (frame) =>
      new Promise((done) => {
        const context = frame.getContext("2d", { willReadFrequently: true });
        if (context === null) {
          done(null);
          return;
        }
        const timer = window.setTimeout(() => take?.(null), WORKER_PATIENCE_MS);
        take = (text) => {
          window.clearTimeout(timer);
          done(text);
        };
        const image = context.getImageData(0, 0, frame.width, frame.height);
        worker.postMessage(image, [image.data.buffer]);
      }),
  };
}

let found: Promise<Decoder> | null = null;

/** The decoder of this device; it is made once and kept. */
export function findDecoder(): Promise<Decoder> {
  found ??= ownDetector().then((own) => own ?? workerDetector());
  return found;
}
