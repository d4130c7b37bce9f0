import { type Channel, connect } from "amqplib";

/** A channel on a connection of its own, whose end is the end of the program. */
export async function connectRabbitmq(endpoint: string): Promise<Channel> {
  // Without noDelay a message may wait 40 ms for an acknowledgement of TCP.
  const connection = await connect(endpoint, { noDelay: true });
  connection.on("close", (error) => {
    throw error ?? new Error("the server has closed the connection");
  });
  return connection.createChannel();
}
