/** Finds a QR in a frame: by the browser's own detector where it has one that works, else in a worker. */
export interface Decoder {
  /** The text of a QR in the frame, or null.  Throws if this device cannot decode at all. */
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
  let fail: ((why: Error) => void) | null = null;
  let broken: Error | null = null;
  const give = (text: string | null): void => {
    take?.(text);
    take = fail = null;
  };
  const breakDown = (why: string): void => {
    broken = new Error(why);
    fail?.(broken);
    take = fail = null;
    worker.terminate();
  };
  worker.addEventListener("message", (event: MessageEvent<{ text: string | null; fault?: string }>) => {
    const { text, fault } = event.data;
    if (fault === undefined) give(text);
    else breakDown(fault);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // it is told on the screen
    breakDown(event.message || "the worker did not load");
  });
  return {
    read: (frame) =>
      new Promise((done, refuse) => {
        if (broken !== null) {
          refuse(broken);
          return;
        }
        const context = frame.getContext("2d", { willReadFrequently: true });
        if (context === null) {
          done(null);
          return;
        }
        const timer = window.setTimeout(() => give(null), WORKER_PATIENCE_MS);
        take = (text) => {
          window.clearTimeout(timer);
          done(text);
        };
        fail = (why) => {
          window.clearTimeout(timer);
          refuse(why);
        };
        const image = context.getImageData(0, 0, frame.width, frame.height);
        worker.postMessage(image, [image.data.buffer]);
      }),
  };
}

let found: Promise<Decoder> | null = null;

/** The browser's own detector until it refuses a frame for the first time, from then on a worker. */
function ownWhileItWorks(own: Decoder): Decoder {
  let used = own;
  return {
    read: (frame) =>
      used.read(frame).catch((why: unknown) => {
        if (used !== own) throw why;
        used = workerDetector();
        return used.read(frame);
      }),
  };
}

/** The decoder of this device; it is made once and kept. */
export function findDecoder(): Promise<Decoder> {
  found ??= ownDetector().then((own) => (own === null ? workerDetector() : ownWhileItWorks(own)));
  return found;
}

/** Let the next one be made anew: this one is broken. */
export function forgetDecoder(): void {
  found = null;
}
