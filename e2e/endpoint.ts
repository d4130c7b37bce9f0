import { createServer } from "node:net";

/** A loopback endpoint whose port was free a moment ago. */
export async function freeEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string")
    throw new Error("the server has no TCP port");
  return `tcp://127.0.0.1:${address.port}`;
}
