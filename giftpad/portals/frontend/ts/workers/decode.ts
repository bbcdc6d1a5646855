/// <reference lib="webworker" />
/** Reads QR codes out of frames, beside the page, with a decoder that comes from our own host. */
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm?url";

declare const self: DedicatedWorkerGlobalScope;

prepareZXingModule({
  overrides: {
    locateFile: (path: string, prefix: string) => (path.endsWith(".wasm") ? wasmUrl : prefix + path),
  },
});

self.addEventListener("message", (event: MessageEvent<ImageData>) => {
  void read(event.data);
});

async function read(frame: ImageData): Promise<void> {
  try {
    const found = await readBarcodes(frame, {
      formats: ["QRCode"],
      tryInvert: false,
      maxNumberOfSymbols: 1,
    });
    self.postMessage({ text: found.find((each) => each.isValid)?.text ?? null });
  } catch (error) {
    self.postMessage({ text: null, fault: String(error) });
  }
}
