// Runs a broker, workers and a load client, kills a worker, and writes two pictures of the console:
// docs/console.png, and docs/console.svg, an animation of frames that needs no script.

import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { CHROMIUM, launch } from "./browser/console-page.ts";
import { freeEndpoint, Program } from "./processes/program.ts";

type Frame = { caption: string; jpeg: Buffer };

const [WIDTH, HEIGHT, CAPTION_HEIGHT] = [1200, 736, 44];
const [PICTURE, ANIMATION] = ["docs/console.png", "docs/console.svg"];
const [PICTURE_BYTES_MAX, ANIMATION_BYTES_MAX] = [200_000, 1_000_000];
/** The time of each frame after the kill, in ms. */
const FRAMES_MS = [300, 1000, 2000, 4000];
/** How long the animation shows a frame, in seconds. */
const FRAME_S = 2;
/** How long the worker is frozen before it dies, so that it has requests in flight, in ms. */
const FROZEN_MS = 1500;
/** The load before the pictures, so that the sparklines have a course, in ms. */
const WARM_MS = Number(process.env.WARM_MS ?? 150_000);

const endpoint = await freeEndpoint();
const settings = { MDP_BIND: endpoint, MDP_BROKER: endpoint, MDP_CONSOLE_PORT: "0" };
const broker = new Program("broker/main.ts", [], settings);
await broker.logged("broker.listening");
const echo = () => new Program("workers/echo.ts", [], settings);
const [, victim] = [echo(), echo(), echo()];
for (let nth = 0; nth < 2; nth += 1) new Program("workers/math.ts", [], settings);
const view = new Program("clients/console.ts", [], settings);
const { tokenUrl } = await view.logged("console.listening");
await broker.logged("worker.registered", () => broker.all("worker.registered").length === 5);
const load = ["--duration", "0", "--rate", "150", "--mix", "echo=3,math=1"];
new Program("clients/load.ts", load, settings);

process.stdout.write(`${CHROMIUM} shows the console in ${WARM_MS / 1000} s\n`);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
await page.goto(String(tokenUrl));
await setTimeout(WARM_MS);
const frames: Frame[] = [];
const record = async (caption: string) =>
  frames.push({ caption, jpeg: await page.screenshot({ type: "jpeg", quality: 72 }) });
await record("Three echo workers and two math workers under load.");
victim.signal("SIGSTOP");
await setTimeout(FROZEN_MS);
await record("An echo worker is frozen. Its requests wait.");
victim.signal("SIGKILL");
const killedAt = performance.now();
for (const atMs of FRAMES_MS) {
  await setTimeout(Math.max(0, atMs - (performance.now() - killedAt)));
  const seconds = ((performance.now() - killedAt) / 1000).toFixed(1);
  await record(`${seconds} s after kill -9: the broker delivers its requests to other workers.`);
}
write(PICTURE, await page.screenshot(), PICTURE_BYTES_MAX);
write(ANIMATION, Buffer.from(animation(frames)), ANIMATION_BYTES_MAX);
await browser.close();
process.exit(0); // Ends the programs too.

function write(file: string, bytes: Buffer, bytesMax: number) {
  if (bytes.length > bytesMax) throw new Error(`${file}: ${bytes.length} bytes of ${bytesMax}`);
  writeFileSync(file, bytes);
  process.stdout.write(`${file}: ${bytes.length} bytes\n`);
}

/** Returns an SVG that shows one frame after the other. With reduced motion it shows the last one. */
function animation(all: Frame[]): string {
  const height = HEIGHT + CAPTION_HEIGHT;
  const shown = (100 / all.length).toFixed(3);
  const groups = all.map(
    ({ caption, jpeg }, nth) => `<g style="animation-delay:${nth * FRAME_S}s">
<image width="${WIDTH}" height="${HEIGHT}" href="data:image/jpeg;base64,${jpeg.toString("base64")}"/>
<text x="24" y="${HEIGHT + 28}">${caption}</text>
</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>The console while a worker is killed: its row turns red, and its requests move</title>
<style>
g { opacity: 0; animation: show ${all.length * FRAME_S}s step-end infinite }
text { font: 600 18px system-ui, sans-serif; fill: #fff }
@keyframes show { 0% { opacity: 1 } ${shown}% { opacity: 0 } }
@media (prefers-reduced-motion: reduce) { g { animation: none } g:last-child { opacity: 1 } }
</style>
<rect width="${WIDTH}" height="${height}" fill="#15181f"/>
${groups.join("\n")}
</svg>
`;
}
