import { type Channel, connect } from "amqplib";

/** Opens a connection with one channel. The program ends when the connection does. */
export async function connectRabbitmq(endpoint: string): Promise<Channel> {
  // Without noDelay a message may wait 40 ms for a TCP acknowledgement.
  const connection = await connect(endpoint, { noDelay: true });
  connection.on("close", (error) => {
    throw error ?? new Error("the server closed the connection");
  });
  return connection.createChannel();
}
