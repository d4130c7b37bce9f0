/** A queue of items: `put` adds one, and each `next` resolves to the next one. */
export function mailbox<Item>() {
  const items: Item[] = [];
  const waiters: ((item: Item) => void)[] = [];
  return {
    put(item: Item) {
      const waiter = waiters.shift();
      if (waiter) waiter(item);
      else items.push(item);
    },
    pending: () => items.length,
    next(): Promise<Item> {
      const item = items.shift();
      return item === undefined
        ? new Promise((resolve) => waiters.push(resolve))
        : Promise.resolve(item);
    },
  };
}
