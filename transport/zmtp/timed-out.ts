/** An error as the system makes it for an attempt that takes too long. */
export const timedOut = (message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(message), { code: "ETIMEDOUT" });
