/**
 * Tones and vibration: what happened is heard and felt as well as seen.  All tones stay below
 * 1.2 kHz, so that old ears hear them.  A browser lets a page sound only after somebody pressed
 * something on it.
 */
export type Tone = "accepted" | "refused" | "doubt" | "read";

interface Beep {
  from: number;
  to: number;
  at: number;
  length: number;
}

const MUTE = "gp-mute";
const LOUDNESS = 0.25;
const BEEPS: Record<Tone, Beep[]> = {
  accepted: [
    { from: 660, to: 660, at: 0, length: 0.14 },
    { from: 660, to: 880, at: 0.14, length: 0.26 },
  ],
  refused: [
    { from: 220, to: 220, at: 0, length: 0.18 },
    { from: 220, to: 220, at: 0.28, length: 0.18 },
  ],
  doubt: [0, 0.25, 0.5].map((at) => ({ from: 440, to: 440, at, length: 0.12 })),
  read: [{ from: 520, to: 520, at: 0, length: 0.04 }],
};
const SHAKES: Record<Tone, number[]> = {
  accepted: [80],
  refused: [200, 80, 200],
  doubt: [60, 60, 60, 60, 60],
  read: [30],
};
let context: AudioContext | null = null;

/** Whether somebody switched the sound off on this device. */
export function isMute(): boolean {
  try {
    return localStorage.getItem(MUTE) === "1";
  } catch {
    return false;
  }
}

/** Switch the sound off or on. */
export function setMute(mute: boolean): void {
  try {
    localStorage.setItem(MUTE, mute ? "1" : "0");
  } catch {
    // a browser that keeps nothing: it sounds
  }
}

/** Make ready to sound; it counts only while somebody is pressing something. */
export function unlock(): void {
  try {
    context ??= new AudioContext();
    if (context.state !== "running") void context.resume();
  } catch {
    context = null; // no sound on this device: the screen and the vibration tell
  }
}

/** Let something be heard and felt. */
export function play(tone: Tone): void {
  if ("vibrate" in navigator && navigator.userActivation?.hasBeenActive !== false) {
    navigator.vibrate(SHAKES[tone]);
  }
  if (context === null || isMute()) return;
  const begin = context.currentTime + 0.02;
  for (const beep of BEEPS[tone]) {
    const source = context.createOscillator();
    const gain = context.createGain();
    const start = begin + beep.at;
    const over = start + beep.length;
    source.frequency.setValueAtTime(beep.from, start);
    source.frequency.linearRampToValueAtTime(beep.to, over);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.01);
    gain.gain.setValueAtTime(LOUDNESS, over - 0.01);
    gain.gain.linearRampToValueAtTime(0, over);
    source.connect(gain).connect(context.destination);
    source.start(start);
    source.stop(over);
  }
}

/** Unlock with whatever is pressed first on this page. */
export function listen(): void {
  for (const name of ["pointerdown", "keydown"]) {
    document.addEventListener(name, unlock, { capture: true, passive: true });
  }
}
