// Three things to try, for a user who sees the console for the first time.

export type Tip = { text: string; command: string };

/** The tips for programs in containers of compose, or for local ones. */
export const tipsFor = (inContainer: boolean): Tip[] => (inContainer ? IN_COMPOSE : LOCAL);

const IN_COMPOSE: Tip[] = [
  { text: "start more workers", command: "docker compose up -d --scale echo=3" },
  {
    text: "kill one: its row turns red, and its requests move",
    command: "docker kill $(docker compose ps -q echo | head -n 1)",
  },
  { text: "restart the broker", command: "docker compose restart broker" },
];

const LOCAL: Tip[] = [
  { text: "start a worker, and a second one", command: "npm run echo" },
  { text: "put load on them, then kill one with Ctrl-C or kill -9", command: "npm run load" },
  { text: "call a service", command: "npm run -s call -- echo hello" },
];
