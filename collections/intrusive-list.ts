// Things in a line, any of which may leave it at any time. They carry the links to their neighbours
// themselves, a pair of fields for each kind of line that they may stand in: that is the least that
// a place in a line can cost, and a line that has become short is small again.

export abstract class IntrusiveList<Thing> {
  #first: Thing | null = null;
  #last: Thing | null = null;

  /** Where a thing keeps its neighbours in a line of this kind. */
  protected abstract before(thing: Thing): Thing | null;
  protected abstract after(thing: Thing): Thing | null;
  protected abstract setBefore(thing: Thing, neighbour: Thing | null): void;
  protected abstract setAfter(thing: Thing, neighbour: Thing | null): void;

  get first(): Thing | null {
    return this.#first;
  }

  get last(): Thing | null {
    return this.#last;
  }

  get isEmpty(): boolean {
    return this.#first === null;
  }

  /** First to last. Whoever is handed one may take it out. */
  *[Symbol.iterator]() {
    let thing = this.#first;
    while (thing) {
      const next = this.after(thing);
      yield thing;
      thing = next;
    }
  }

  push(thing: Thing) {
    this.#link(this.#last, thing);
    this.#link(thing, null);
  }

  unshift(thing: Thing) {
    this.#link(thing, this.#first);
    this.#link(null, thing);
  }

  /** Takes out what is in this line. */
  remove(thing: Thing) {
    this.#link(this.before(thing), this.after(thing));
    this.setBefore(thing, null);
    this.setAfter(thing, null);
  }

  /** Makes neighbours of the two. Null is the end of the line. */
  #link(before: Thing | null, after: Thing | null) {
    if (before === null) this.#first = after;
    else this.setAfter(before, after);
    if (after === null) this.#last = before;
    else this.setBefore(after, before);
  }
}
