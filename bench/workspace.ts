import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A free port and an empty folder for one run. Disposing it removes the folder. */
export class Workspace {
  readonly port: number;
  readonly folder: string;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  static async make(): Promise<Workspace> {
    return new Workspace(await freePort(), await mkdtemp(join(tmpdir(), "bench-")));
  }

  async [Symbol.asyncDispose]() {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port of 127.0.0.1 that no server uses now. */
export const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
