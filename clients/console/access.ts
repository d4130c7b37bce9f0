// Which HTTP requests the console accepts. A page of another site can make a browser send requests to
// 127.0.0.1, also under a name of that site (DNS rebinding). Browsers say so in Host, Origin and
// Sec-Fetch-Site, and a page cannot change these headers.

/** The headers that the rules read. */
export type RequestHeaders = {
  host?: string | undefined;
  origin?: string | undefined;
  "sec-fetch-site"?: string | string[] | undefined;
};

/** The names under which a console may be opened; the port may be any. */
const HOSTS = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/** Why a request is refused, as a sentence; null if it is accepted. */
export function refusalOf(
  isAction: boolean,
  { host = "", origin, "sec-fetch-site": site }: RequestHeaders,
): string | null {
  if (!HOSTS.test(host)) return "open the console as localhost or 127.0.0.1";
  if (origin !== undefined && origin !== `http://${host}`)
    return "the request is from another page";
  // `none`: the user typed the address, or opened a bookmark.
  const isOwn = site === undefined || site === "same-origin" || (site === "none" && !isAction);
  return isOwn ? null : "the request is from another site: type the address of the console";
}
