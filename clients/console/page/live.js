// The live data: a stream of server-sent events. The browser reconnects by itself.

const SAMPLES_MAX = 300;
const EVENTS_MAX = 1000;

/** The latest view, the samples of each service and the last events. */
export const live = {
  /** The stream is open. */
  isOpen: false,
  /** The stream was open before. */
  wasOpen: false,
  view: null,
  /** Samples by service, oldest first. */
  samples: {},
  /** Oldest first. */
  events: [],
};

/** Opens the stream. `changed` gets the events that are new; `sampled` follows each new sample. */
export function connect(changed) {
  const source = new EventSource("/api/live");
  const on = (name, handle) =>
    source.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  on("history", (samples) => {
    live.samples = samples;
    live.events = [];
    live.isOpen = true;
    live.wasOpen = true;
  });
  on("sample", (latest) => {
    for (const [service, sample] of Object.entries(latest)) {
      const before = live.samples[service] ?? [];
      live.samples[service] = [...before.slice(1 - SAMPLES_MAX), sample];
    }
    for (const service of Object.keys(live.samples))
      if (!(service in latest)) delete live.samples[service];
  });
  on("view", ({ events, ...view }) => {
    const isFirst = live.events.length === 0;
    live.view = view;
    live.events = [...live.events, ...events].slice(-EVENTS_MAX);
    changed(isFirst ? [] : events);
  });
  source.onerror = () => {
    live.isOpen = false;
    changed([]);
  };
}
