// A doubly linked list whose items carry the links themselves, in two fields for each list that an
// item can be in. No list node is allocated, an item leaves the middle of a list in constant time,
// and a list that has become short takes little memory again.

/**
 * A list of items. An item can be in several lists at once, but only in one list for each pair of
 * fields. Both fields have the type `Item | null`, and are null while the item is in no list.
 *
 * Push only an item that is in no list of these fields, and remove only an item of this list.
 */
export class IntrusiveList<Item extends object> {
  readonly #before: keyof Item;
  readonly #after: keyof Item;
  #first: Item | null = null;
  #last: Item | null = null;
  #length = 0;

  /** The names of the fields in which an item has its neighbours in this list. */
  constructor(before: keyof Item, after: keyof Item) {
    this.#before = before;
    this.#after = after;
  }

  /** The number of items. */
  get length(): number {
    return this.#length;
  }

  /** The first item; null if the list is empty. */
  get first(): Item | null {
    return this.#first;
  }

  /** The last item; null if the list is empty. */
  get last(): Item | null {
    return this.#last;
  }

  /** Iterates from first to last. The loop may remove the item that it has received. */
  *[Symbol.iterator](): Generator<Item, void, undefined> {
    let item = this.#first;
    while (item) {
      const next = item[this.#after] as Item | null;
      yield item;
      item = next;
    }
  }

  /** Adds an item as the last one. */
  push(item: Item) {
    if (this.#last) this.#join(this.#last, item);
    else this.#first = item;
    this.#last = item;
    this.#length += 1;
  }

  /** Adds an item as the first one. */
  unshift(item: Item) {
    if (this.#first) this.#join(item, this.#first);
    else this.#last = item;
    this.#first = item;
    this.#length += 1;
  }

  /** Removes an item from the list. */
  remove(item: Item) {
    const before = item[this.#before] as Item | null;
    const after = item[this.#after] as Item | null;
    if (before) before[this.#after] = after as Item[keyof Item];
    else this.#first = after;
    if (after) after[this.#before] = before as Item[keyof Item];
    else this.#last = before;
    if (before) item[this.#before] = null as Item[keyof Item];
    if (after) item[this.#after] = null as Item[keyof Item];
    this.#length -= 1;
  }

  /** Makes an item of the list its last one. */
  moveToEnd(item: Item) {
    if (item === this.#last) return;
    this.remove(item);
    this.push(item);
  }

  /** Makes two items neighbours. */
  #join(before: Item, after: Item) {
    before[this.#after] = after as Item[keyof Item];
    after[this.#before] = before as Item[keyof Item];
  }
}
