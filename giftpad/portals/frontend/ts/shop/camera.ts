/**
 * The camera of the till: which lens, light, zoom; stopped while the app is out of sight, because
 * some phones come back with a black picture.
 */
interface Abilities extends MediaTrackCapabilities {
  torch?: boolean;
  zoom?: { min: number; max: number };
  focusMode?: string[];
}

export type Ending = "denied" | "dark";

const LENS = "gp-lens";
const NO_FRAME_MS = 4000;
const NEAR_ZOOM = 1.5;
const SIDE_MAX = 720;

/** A running camera. */
export interface Camera {
  /** The middle square of what is seen now; null while there is nothing. */
  frame(): HTMLCanvasElement | null;
  hasLight: boolean;
  hasLenses: boolean;
  light(on: boolean): Promise<void>;
  /** The next lens that looks away from the clerk. */
  changeLens(): Promise<void>;
  stop(): void;
}

function abilities(track: MediaStreamTrack): Abilities {
  return typeof track.getCapabilities === "function" ? (track.getCapabilities() as Abilities) : {};
}

function chosenLens(): string | null {
  try {
    return localStorage.getItem(LENS);
  } catch {
    return null;
  }
}

function keepLens(id: string): void {
  try {
    localStorage.setItem(LENS, id);
  } catch {
    // it is asked for again next time
  }
}

/** What looks away from the clerk, told by abilities and never by a name, which is translated. */
async function listLenses(): Promise<string[]> {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter(
    (device) => device.kind === "videoinput" && device.deviceId !== "",
  );
  const away = devices.filter((device) => {
    const able = (device as Partial<InputDeviceInfo>).getCapabilities?.();
    const faces = (able as MediaTrackCapabilities | undefined)?.facingMode ?? [];
    return faces.includes("environment");
  });
  return (away.length > 0 ? away : devices).map((device) => device.deviceId);
}

async function openStream(lens: string | null): Promise<MediaStream> {
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const any = { facingMode: { ideal: "environment" }, ...size };
  if (lens === null) return navigator.mediaDevices.getUserMedia({ video: any });
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { deviceId: { exact: lens }, ...size } });
  } catch {
    return navigator.mediaDevices.getUserMedia({ video: any });
  }
}

async function comeNear(track: MediaStreamTrack): Promise<void> {
  const able = abilities(track);
  const wished: Record<string, unknown> = {};
  if (able.focusMode?.includes("continuous")) wished["focusMode"] = "continuous";
  if (able.zoom !== undefined && able.zoom.max >= NEAR_ZOOM && able.zoom.min <= NEAR_ZOOM) {
    wished["zoom"] = NEAR_ZOOM;
  }
  if (Object.keys(wished).length === 0) return;
  await track.applyConstraints({ advanced: [wished as MediaTrackConstraintSet] }).catch(() => undefined);
}

/**
 * Start the camera into a video element.  ``lost`` is called when no picture comes.
 * Throws what the browser throws when somebody forbids it.
 */
export async function openCamera(
  video: HTMLVideoElement,
  lost: (why: Ending) => void,
): Promise<Camera> {
  if (navigator.mediaDevices === undefined) throw new DOMException("no camera here", "NotFoundError");
  let stream = await openStream(chosenLens());
  let timer = 0;
  let stopped = false;
  const canvas = document.createElement("canvas");

  const run = async (next: MediaStream): Promise<void> => {
    stream = next;
    video.srcObject = next;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (!stopped && video.videoWidth === 0) lost("dark");
    }, NO_FRAME_MS);
    next.getVideoTracks()[0]?.addEventListener("ended", () => {
      if (!stopped && stream === next) lost("dark");
    });
    await video.play().catch(() => undefined);
    const track = next.getVideoTracks()[0];
    if (track !== undefined) await comeNear(track);
  };
  const halt = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  const wake = async (): Promise<void> => {
    if (document.hidden) {
      halt();
      return;
    }
    if (stopped || stream.active) return;
    try {
      // A short first call wakes cameras that stay black after a sleep.
      const first = await navigator.mediaDevices.getUserMedia({ video: true });
      for (const track of first.getTracks()) track.stop();
      const next = await openStream(chosenLens());
      if (stopped || document.hidden) for (const track of next.getTracks()) track.stop();
      else await run(next);
    } catch {
      if (!stopped) lost("dark");
    }
  };
  document.addEventListener("visibilitychange", wake);
  await run(stream);
  const lenses = await listLenses().catch((): string[] => []);
  const track = (): MediaStreamTrack | undefined => stream.getVideoTracks()[0];

  return {
    frame() {
      const side = Math.min(video.videoWidth, video.videoHeight);
      if (side === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
      const drawn = Math.min(side, SIDE_MAX);
      canvas.width = canvas.height = drawn;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      if (context === null) return null;
      const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
      context.drawImage(video, left, top, side, side, 0, 0, drawn, drawn);
      return canvas;
    },
    hasLight: abilities(stream.getVideoTracks()[0] as MediaStreamTrack).torch === true,
    hasLenses: lenses.length > 1,
    async light(on) {
      const wished = { advanced: [{ torch: on } as MediaTrackConstraintSet] };
      await track()?.applyConstraints(wished).catch(() => undefined);
    },
    async changeLens() {
      const now = track()?.getSettings().deviceId ?? "";
      const next = lenses[(lenses.indexOf(now) + 1) % lenses.length];
      if (next === undefined) return;
      keepLens(next);
      halt(); // many phones give out one camera at a time
      await run(await openStream(next));
    },
    stop() {
      stopped = true;
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
      halt();
    },
  };
}
