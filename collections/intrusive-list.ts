// A doubly linked list whose items carry the links themselves, in two fields for each list that an item
// can be in. No list node is allocated, an item leaves the middle of a list in constant time, and a list
// that has become short takes little memory again.

/**
 * A list of items. An item can be in several lists at once, but only in one list for each pair of
 * fields. Both fields have the type `Item | null`, and are null while the item is in no list.
 *
 * Push only an item that is in no list of these fields, and remove only an item of this list.
 */
export class IntrusiveList<Item> {
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
      const next = this.#link(item, this.#after);
      yield item;
      item = next;
    }
  }

  /** Adds an item as the last one. */
  push(item: Item) {
    this.#join(this.#last, item);
    this.#join(item, null);
    this.#length += 1;
  }

  /** Adds an item as the first one. */
  unshift(item: Item) {
    this.#join(item, this.#first);
    this.#join(null, item);
    this.#length += 1;
  }

  /** Removes an item from the list. */
  remove(item: Item) {
    this.#join(this.#link(item, this.#before), this.#link(item, this.#after));
    this.#setLink(item, this.#before, null);
    this.#setLink(item, this.#after, null);
    this.#length -= 1;
  }

  /** Makes an item of the list its last one. */
  moveToEnd(item: Item) {
    this.remove(item);
    this.push(item);
  }

  /** Makes two items neighbours. Null stands for the end of the list on that side. */
  #join(before: Item | null, after: Item | null) {
    if (before === null) this.#first = after;
    else this.#setLink(before, this.#after, after);
    if (after === null) this.#last = before;
    else this.#setLink(after, this.#before, before);
  }

  #link(item: Item, field: keyof Item): Item | null {
    return item[field] as Item | null;
  }

  #setLink(item: Item, field: keyof Item, neighbour: Item | null) {
    item[field] = neighbour as Item[keyof Item];
  }
}
