// Builds what the pages load into ../static, with a manifest that giftpad/portals/assets.py reads.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const ENTRIES = ["ts/desk.ts", "ts/shop.ts", "ts/holder.ts", "ts/gift.ts", "ts/sw.ts"];
const SHRINKING = /\.(css|js|svg|txt|wasm)$/;
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 9 }; // 11 takes ten times as long for 3 %
const ICONS = "node_modules/@tabler/icons/icons";
const NOTICES = ["@digital-go-jp/design-tokens", "@tabler/icons", "htmx.org", "zxing-wasm"];

/** The drawings that icons.json names, as one file: the server writes them into the page. */
function drawIcons(): string {
  const wanted: Record<string, string> = JSON.parse(readFileSync("icons.json", "utf8"));
  const drawn: Record<string, { kind: string; body: string }> = {};
  for (const [name, source] of Object.entries(wanted)) {
    const [kind, file] = source.split("/");
    if (kind === undefined || file === undefined) throw new Error(`icons.json: ${name}`);
    const svg = readFileSync(resolve(ICONS, kind, `${file}.svg`), "utf8");
    const body = svg.replace(/^[^]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
    const drawing = body.replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" ?\/>/, "");
    drawn[name] = { kind, body: drawing.replace(/\s*\n\s*/g, "") };
  }
  return JSON.stringify(drawn);
}

/** The licences of what is built in, each with the package's name. */
function readNotices(): string {
  const texts = NOTICES.map((name) => {
    const folder = resolve("node_modules", name);
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) {
      const { license } = JSON.parse(readFileSync(resolve(folder, "package.json"), "utf8"));
      return `${name}\n\nLicence: ${license}\n`;
    }
    return `${name}\n\n${readFileSync(resolve(folder, file), "utf8")}`;
  });
  const font = resolve("fonts", "OFL.txt");
  if (existsSync(font)) texts.push(`Giftpad UD (from BIZ UDPGothic)\n\n${readFileSync(font, "utf8")}`);
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

function extras(): Plugin {
  return {
    name: "giftpad-extras",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "icons.json", source: drawIcons() });
      const mark = { name: "mark.svg", originalFileName: "img/mark.svg" };
      this.emitFile({ type: "asset", ...mark, source: readFileSync("img/mark.svg", "utf8") });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: readNotices() });
    },
  };
}

/** Beside each file that shrinks its compressed forms, which the server hands out where it may. */
function compress(): Plugin {
  return {
    name: "giftpad-compress",
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle).filter((each) => SHRINKING.test(each))) {
        const file = resolve(options.dir ?? "", name);
        const content = readFileSync(file);
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(content, { params: BROTLI }));
      }
    },
  };
}

export default defineConfig({
  base: "/assets/",
  plugins: [extras(), compress()],
  publicDir: false,
  worker: { format: "es" },
  build: {
    manifest: true,
    outDir: "../static",
    emptyOutDir: true,
    assetsDir: "",
    target: ["safari15.4", "chrome100"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ENTRIES.filter((file) => existsSync(file)) },
  },
});
