/** The first screen: the camera, and always a field for a number or a reader that types. */
import { say } from "../page";
import { openCamera, type Camera } from "./camera";
import { looksLikeQr, looksLikeSerial, parseTyped } from "./codes";
import { findDecoder, forgetDecoder } from "./decoder";
import { go } from "./screens";
import { isMute, play, setMute, unlock } from "./sound";

const TRY_EVERY_MS = 140;
const HINT_AFTER_MS = 8000;
const SAME_AGAIN_MS = 5000;
const OPENED = "gp-opened";
let last = { text: "", at: 0 };

function wasOpened(): boolean {
  try {
    return sessionStorage.getItem(OPENED) === "1";
  } catch {
    return false;
  }
}

function keepOpened(): void {
  try {
    sessionStorage.setItem(OPENED, "1");
  } catch {
    // it is asked for on each page
  }
}

function keepAwake(): void {
  navigator.wakeLock?.request("screen").catch(() => undefined);
}

/** Judge what was typed before it is sent; whatever a QR holds is for the server to judge. */
export function startTyped(screen: HTMLElement): void {
  const form = screen.querySelector<HTMLFormElement>("form[data-read]");
  const input = form?.querySelector<HTMLInputElement>("input[name=code]");
  const fault = screen.querySelector<HTMLElement>("#code-fault");
  if (form === null || !input || fault === null) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const code = input.value.trim();
    const isRight = code.includes("://") || parseTyped(code) !== null;
    fault.hidden = isRight;
    if (isRight) input.removeAttribute("aria-invalid");
    else {
      input.setAttribute("aria-invalid", "true");
      const text = fault.querySelector("span");
      const why = code === "" ? "type-it" : looksLikeSerial(code) ? "serial" : "slip";
      if (text !== null) text.textContent = say(why);
      input.focus();
      play("refused");
      return;
    }
    void go("/shop/read", new URLSearchParams({ code }));
  });
}

/** Start the first screen. */
export function startScan(screen: HTMLElement): () => void {
  startTyped(screen);
  const box = screen.querySelector<HTMLElement>("[data-camera]");
  const video = box?.querySelector("video");
  const told = screen.querySelector<HTMLElement>("[data-say]");
  let camera: Camera | null = null;
  let timer = 0;
  let hint = 0;
  let isOver = false;
  let isBusy = false;
  const tool = (name: string): HTMLButtonElement | null =>
    screen.querySelector<HTMLButtonElement>(`.gp-tools [data-act=${name}]`);

  const tell = (text: string): void => {
    if (told !== null && told.textContent !== text) told.textContent = text;
  };
  const setState = (state: string): void => {
    if (!box) return;
    box.dataset["state"] = state;
    for (const part of box.querySelectorAll<HTMLElement>("[data-when]")) {
      part.hidden = part.dataset["when"] !== state;
    }
  };
  const waitForHint = (): void => {
    window.clearTimeout(hint);
    hint = window.setTimeout(() => tell(say("hint")), HINT_AFTER_MS);
  };
  const take = async (text: string): Promise<void> => {
    if (text === last.text && Date.now() - last.at < SAME_AGAIN_MS) return;
    last = { text, at: Date.now() };
    waitForHint();
    if (!looksLikeQr(text)) {
      tell(say("foreign"));
      play("refused");
      return;
    }
    play("read");
    tell(say("reading"));
    isBusy = true;
    const went = await go("/shop/read", new URLSearchParams({ code: text }));
    isBusy = false;
    if (!went) tell("");
  };
  const look = async (): Promise<void> => {
    if (isOver) return;
    const frame = isBusy || document.hidden ? null : (camera?.frame() ?? null);
    if (frame !== null) {
      let text: string | null = null;
      try {
        text = await (await findDecoder()).read(frame);
      } catch {
        forgetDecoder();
        if (!isOver) close("blind");
        return;
      }
      if (text !== null && !isOver) await take(text);
    }
    if (!isOver) timer = window.setTimeout(() => void look(), TRY_EVERY_MS);
  };
  const close = (state: string): void => {
    window.clearTimeout(timer);
    window.clearTimeout(hint);
    camera?.stop();
    camera = null;
    setState(state);
    tell("");
  };
  const open = async (): Promise<void> => {
    if (!video) return;
    setState("waking");
    try {
      const opened = await openCamera(video, (why) => close(why));
      if (isOver) {
        opened.stop();
        return;
      }
      camera = opened;
      setState("open");
      tell(say("aim"));
      for (const [name, has] of [["light", opened.hasLight], ["lens", opened.hasLenses]] as const) {
        const button = tool(name);
        if (button !== null) button.hidden = !has;
      }
      waitForHint();
      void look();
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      setState(name === "NotAllowedError" || name === "NotFoundError" ? "denied" : "dark");
    }
  };

  const showSound = (): void => {
    tool("sound")?.setAttribute("aria-pressed", String(!isMute()));
  };
  screen.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-act]") : null;
    switch (pressed?.dataset["act"]) {
      case "open":
        unlock();
        keepOpened();
        keepAwake();
        void open();
        break;
      case "type":
        screen.querySelector<HTMLInputElement>("#code")?.focus();
        break;
      case "light": {
        const on = pressed.getAttribute("aria-pressed") !== "true";
        pressed.setAttribute("aria-pressed", String(on));
        void camera?.light(on);
        break;
      }
      case "lens":
        void camera?.changeLens().catch(() => close("dark"));
        break;
      case "sound":
        setMute(!isMute());
        showSound();
        if (!isMute()) play("read");
        break;
    }
  });
  for (const name of ["type", "sound"]) tool(name)?.removeAttribute("hidden");
  showSound();
  setState("shut");
  if (wasOpened()) {
    keepAwake();
    void open();
  }
  return () => {
    isOver = true;
    close("shut");
  };
}

/** Show whether there is a network, wherever the screen has a place for it. */
export function watchLine(): void {
  const show = (): void => {
    for (const line of document.querySelectorAll<HTMLElement>("[data-line]")) {
      line.dataset["kind"] = navigator.onLine ? "on" : "off";
      const text = line.querySelector("span");
      if (text !== null) text.textContent = say(navigator.onLine ? "line-on" : "line-off");
    }
  };
  show();
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
}
