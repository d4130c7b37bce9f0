import { connect, type NatsConnection } from "@nats-io/transport-node";

/** Connects. The program ends when the connection does. */
export async function connectNats(endpoint: string): Promise<NatsConnection> {
  const connection = await connect({ servers: endpoint, reconnect: false });
  void connection.closed().then((error) => {
    throw error ?? new Error("the server closed the connection");
  });
  return connection;
}
