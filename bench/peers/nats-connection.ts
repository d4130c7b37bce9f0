import { connect, type NatsConnection } from "@nats-io/transport-node";

/** Its end is the end of the program. */
export async function connectNats(endpoint: string): Promise<NatsConnection> {
  const connection = await connect({ servers: endpoint, reconnect: false });
  void connection.closed().then((error) => {
    throw error ?? new Error("the server has closed the connection");
  });
  return connection;
}
